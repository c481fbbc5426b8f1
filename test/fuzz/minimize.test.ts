// SPDX-License-Identifier: MIT
//
// The minimiser: what is left still ends in the same, nothing more can go, and it says when there is nothing to do.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { findingOf, minimize } from "../../host/fuzz/minimize.js";
import { ModuleTarget } from "../../host/fuzz/module/target.js";
import { Random } from "../../host/fuzz/random.js";
import { dropRecords } from "../../host/fuzz/reduce.js";
import { RECORD_WORDS } from "../../host/fuzz/target.js";
import { decodeRecords, KIND_CALL_WRITE, record, type TraceRecord } from "../../host/trace/index.js";
import { moduleOf, REGISTERS, small, wordsOf } from "./support.js";

const write = (offset: number, data: bigint, size = 4): TraceRecord =>
  record({ kind: KIND_CALL_WRITE, size, addr: BigInt(offset), data });

function recordsOf(words: Int32Array): TraceRecord[] {
  return decodeRecords(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
}

test("of forty records the one that matters stays, with its plainest value", async () => {
  const target = new ModuleTarget(await moduleOf(REGISTERS));
  target.standing();
  const random = new Random(4);
  const noise = Array.from({ length: 40 }, () => write(0x20 + 4 * random.below(100), BigInt(random.next() >>> 0)));
  noise[23] = write(0x14, 0xffff_0000_0000_0004n, 8); // misdeed 4: a load beyond the memory
  const small = minimize(target, 0, wordsOf(noise));
  assert.equal(recordsOf(small?.words ?? new Int32Array()), [write(0x14, 4n, 8)]);
  assert.match(small?.finding.story ?? "", /fault "memory" in bar_write/);
});

test("a sequence that needs its order keeps it; twice gives the same", async () => {
  const step = (offset: number, needs: number, value: number): string => `
    (if (i32.and (i32.eq (local.get $offset) (i32.const ${offset}))
                 (i32.eq (i32.load (i32.const 0)) (i32.const ${needs})))
      (then (i32.store (i32.const 0) (i32.const ${value}))))`;
  const module = await small({
    reset: "(i32.store (i32.const 0) (i32.const 0))",
    write: `${step(8, 0, 1)} ${step(4, 1, 2)} ${step(16, 2, 3)}
      (if (i32.eq (i32.load (i32.const 0)) (i32.const 3)) (then (unreachable)))`,
  });
  const target = new ModuleTarget(module);
  target.standing();
  const noisy = [16, 4, 8, 8, 16, 100, 4, 4, 200, 16, 8].map((offset) => write(offset, 0x1234n));
  const once = minimize(target, 0, wordsOf(noisy))?.words ?? new Int32Array();
  assert.equal(
    recordsOf(once).map((one) => Number(one.addr)),
    [8, 4, 16],
  );
  assert.equal(minimize(target, 0, wordsOf(noisy))?.words, once);
  assert.is(findingOf(target, 0, 3)?.operation, 2);
});

test("an input without a finding is said to be one", async () => {
  const target = new ModuleTarget(await moduleOf(REGISTERS));
  target.standing();
  assert.is(minimize(target, 0, wordsOf([write(0x20, 1n)])), undefined);
});

test("dropping keeps what it must, whatever that is", () => {
  const random = new Random(8);
  for (let i = 0; i < 200; i++) {
    const count = 1 + random.below(40);
    const needed = new Set(Array.from({ length: random.below(5) }, () => random.below(count)));
    const words = wordsOf(Array.from({ length: count }, (_, n) => write(n, 0n)));
    const has = (records: number): boolean => {
      const present = new Set(recordsOf(words.slice(0, records * RECORD_WORDS)).map((one) => Number(one.addr)));
      return [...needed].every((one) => present.has(one));
    };
    assert.is(dropRecords(words, count, has), needed.size);
    assert.ok(has(needed.size));
  }
});

test.run();
