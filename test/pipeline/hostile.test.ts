// SPDX-License-Identifier: MIT
//
// Hostile files: each of test/modules/hostile is refused for the reason it was made for; every beginning of a good
// file, thousands of damaged ones and random bytes are refused in words or are what V8 takes too; none takes long.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { examine } from "../../host/pipeline/check.js";
import { MODULE_BORDER } from "../../host/pipeline/contract.js";
import { packModule } from "../../host/pipeline/gbx.js";
import { buildModule, prepareWasm } from "../../host/pipeline/module.js";
import { review } from "../../host/pipeline/review.js";
import type { Bytes } from "../../host/pipeline/store.js";
import { HOSTILE } from "../modules/hostile/all.js";
import { fromSections, fromText, plainSections } from "../modules/hostile/builder.js";
import { random } from "./host.js";

const OPTIONS = { name: "x", border: MODULE_BORDER, capabilities: 0xffffffff, memoryPages: 1, tableEntries: 4 };
const MUTATIONS = Number(process.env.GLOVEBOX_MUTATIONS ?? 6000);
const SLOW_MS = 2000;

test("there are enough of them, and no two are the same", () => {
  assert.ok(HOSTILE.length >= 25);
  assert.is(new Set(HOSTILE.map((one) => one.title)).size, HOSTILE.length);
});

test("the modules that they are made of are good", async () => {
  assert.equal((await review(await fromText({}))).reasons, []);
  assert.equal((await review(fromSections(plainSections()))).reasons, []);
});

for (const { title, rule, make } of HOSTILE) {
  test(`refused (${rule}): ${title}`, async () => {
    const file = await make();
    const { reasons } = await review(file);
    if (rule === "pack") {
      assert.equal(reasons, []);
      const said = await packModule("hostile", file).then(
        () => "packed",
        (error: Error) => error.message,
      );
      assert.match(said, /has a stack frame of \d+ bytes; the limit is \d+/);
      return;
    }
    const told = reasons.map((one) => `${one.rule} ${one.what}`).join("; ");
    assert.ok(
      reasons.some((one) => one.rule === rule),
      told || "accepted",
    );
    assert.ok(
      reasons.every((one) => one.remedy.length > 10 && one.offset <= file.length),
      told,
    );
  });
}

test("every beginning of a good file is refused", async () => {
  const file = fromSections(plainSections());
  for (let length = 0; length < file.length; length++) {
    assert.ok((await review(file.subarray(0, length))).reasons.length > 0, `${length} bytes`);
  }
});

/** What somebody would do to a file: bits, bytes, numbers, pieces cut, doubled, moved. */
function mutate(file: Bytes, next: () => number): Bytes {
  const bytes = [...file];
  for (let left = (next() % 4) + 1; left > 0; left--) {
    const at = next() % bytes.length;
    const length = next() % 24;
    const kind = next() % 6;
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << (next() % 8));
    if (kind === 1) bytes[at] = next() & 0xff;
    if (kind === 2) bytes[at] = [0, 1, 0x7f, 0x80, 0xff, 0xfc, 0xfd, 0x0b][next() % 8] ?? 0;
    if (kind === 3 && bytes.length > 64) bytes.splice(at, length);
    if (kind === 4) bytes.splice(at, 0, ...bytes.slice(next() % bytes.length).slice(0, length));
    if (kind === 5) bytes.splice(at, 1, 0x80 | (bytes[at] ?? 0), 0x80, 0x00);
  }
  return Uint8Array.from(bytes);
}

/** One look at hostile bytes: it ends in time, without another error, and never accepts what V8 refuses. */
function look(bytes: Bytes): boolean {
  const began = performance.now();
  const { reasons } = examine(bytes, OPTIONS);
  assert.ok(performance.now() - began < SLOW_MS, "too slow");
  const isValid = WebAssembly.validate(Uint8Array.from(bytes));
  assert.ok(isValid || reasons.length > 0, "V8 refuses it, we do not");
  return reasons.length === 0;
}

const RICH = `(global $g (mut i32) (i32.const 7)) (type $t (func (param i32) (result i32)))
  (table 2 2 funcref) (elem (i32.const 0) $f) (data (i32.const 16) "data")
  (func $f (type $t) (block (loop (br_if 1 (local.get 0)) (br_table 0 1 0 (local.get 0))))
    (global.set $g (i32.add (global.get $g) (i32.const 1)))
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 8)) (i32.load8_u offset=3 (local.get 0)))`;

test(`${MUTATIONS} damaged modules and 2000 of random bytes`, async () => {
  const next = random(20261124);
  const seeds = [
    await fromText(
      { fields: RICH, code: "(drop (call_indirect (type $t) (i32.const 1) (i32.const 0)))" },
      { tables: 4 },
    ),
    fromSections(plainSections()),
    await buildModule("test/modules/register-file"),
  ];
  assert.ok(look(seeds[0] as Bytes));
  const accepted: Bytes[] = [];
  for (let round = 0; round < MUTATIONS; round++) {
    const bytes = mutate(seeds[round % seeds.length] as Bytes, next);
    if (look(bytes)) accepted.push(bytes);
  }
  for (let round = 0; round < 2000; round++) {
    const bytes = Uint8Array.from({ length: (next() % 200) + 8 }, () => next() & 0xff);
    if (round % 2 === 0) bytes.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    look(bytes);
  }
  assert.ok(accepted.length > 0 && accepted.length < MUTATIONS / 2, `${accepted.length} accepted`);
  await everyStepTakes(accepted.slice(0, 60));
});

/** What the checker accepts, the steps behind it take; a manifest that was hit is refused in words. */
async function everyStepTakes(files: Bytes[]): Promise<void> {
  for (const file of files) {
    const { reasons } = await review(file);
    assert.ok(reasons.every((one) => one.rule === "manifest" || /memory|table|import|element/.test(one.rule)));
    if (reasons.length === 0) await prepareWasm("x", file);
  }
}

test.run();
