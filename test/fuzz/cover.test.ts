// SPDX-License-Identifier: MIT
//
// The instrumenter: what it tells of branches and comparisons, that nothing written is left behind, that places lead
// back to the input, and that calls nest as deep as in the driver domain.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { cover } from "../../host/fuzz/cover/cover.js";
import { DEPTH_MAX } from "../../host/fuzz/cover/depth.js";
import { readModule } from "../../host/fuzz/cover/reader.js";
import { Writer } from "../../host/fuzz/cover/writer.js";
import { ModuleInstance } from "../../host/fuzz/module/instance.js";
import { Random } from "../../host/fuzz/random.js";
import { KIND_CALL_READ, KIND_CALL_WRITE, record } from "../../host/trace/index.js";
import { moduleOf, type Parts, REGISTERS, small, wordsOf } from "./support.js";

async function instanceOf(parts: Parts): Promise<ModuleInstance> {
  const instance = new ModuleInstance(await small(parts), [[0n]]);
  assert.is(instance.select(0).attached, 0);
  return instance;
}

/** One write of 8 bytes at 0. */
function write(instance: ModuleInstance, ...values: (number | bigint)[]): number {
  const records = values.map((one) =>
    record({ kind: KIND_CALL_WRITE, size: 8, data: BigInt.asUintN(64, BigInt(one)) }),
  );
  instance.input.set(wordsOf(records));
  return instance.run(records.length);
}

const WRAP = "(i32.wrap_i64 (local.get $value))";

test("numbers in LEB128", () => {
  const bytes = (w: Writer): number[] => [...w.done()];
  assert.equal(bytes(new Writer().u32(0x7f).u32(0x80).u32(0xffffffff)), [0x7f, 0x80, 1, 0xff, 0xff, 0xff, 0xff, 0xf]);
  assert.equal(bytes(new Writer().signed(-1n).signed(63n).signed(64n).signed(-65n)), [0x7f, 63, 0xc0, 0, 0xbf, 0x7f]);
  assert.equal(bytes(new Writer().i64(1n << 63n)).length, 11);
});

test("what is given is put together again: same sections, functions moved up by two", async () => {
  const { fuelled, covered } = await moduleOf(REGISTERS);
  const [before, after] = [readModule(fuelled), readModule(covered.wasm)];
  assert.is(after.imports.length, before.imports.length + 2);
  assert.equal(
    after.imports.slice(2).map((one) => one.name),
    before.imports.map((one) => one.name),
  );
  assert.ok(WebAssembly.validate(covered.wasm));
  for (const one of before.exports.filter((each) => each.kind === 0)) {
    assert.is(after.exports.find((each) => each.name === one.name)?.index, one.index + 2);
  }
});

test("a module without fuel is refused", async () => {
  const { file } = await small({});
  assert.throws(() => cover(file), /__fuel/);
});

test("an equality tells how many bits are wrong, each once", async () => {
  const instance = await instanceOf({
    write: `(if (i32.eq ${WRAP} (i32.const 0xf0)) (then (nop) (call $log (i32.const 0) (i32.const 1))))`,
  });
  write(instance, 0x00);
  assert.is(write(instance, 0x00), 0, "nothing new the second time");
  assert.is(write(instance, 0x0f, 0xff, 0x80), 2, "8 bits wrong, then 4 as before, then 3");
  assert.is(write(instance, 0x70), 1, "one bit wrong");
  assert.is(write(instance, 0xf0), 1, "equal");
  assert.is(write(instance, 0xf0, 0x70, 0), 0);
});

test("an order tells its side and how near the border", async () => {
  for (const type of ["i32", "i64"]) {
    const value = type === "i32" ? WRAP : "(local.get $value)";
    const instance = await instanceOf({
      write: `(if (${type}.lt_u ${value} (${type}.const 100)) (then (call $log (i32.const 0) (i32.const 1))))`,
    });
    write(instance, 0);
    assert.is(write(instance, 99), 1, `${type}: just below`);
    assert.is(write(instance, 100), 1, `${type}: the border`);
    assert.is(write(instance, 100, 99, 0), 0);
  }
});

test("the operands of a comparison are told", async () => {
  const instance = await instanceOf({ write: `(if (i32.eq ${WRAP} (i32.const 0x1337)) (then (unreachable)))` });
  write(instance, 0x55);
  assert.ok([...instance.pairs()].join().includes("85,4919"), [...instance.pairs()].join());
});

test("conditions, selects and tables of branches", async () => {
  const instance = await instanceOf({
    write: `(block $c (block $b (block $a (br_table $a $b $c (i32.and ${WRAP} (i32.const 3)))) (return)))
            (br_if 0 (i32.and ${WRAP} (i32.const 4)))
            (drop (select (i32.const 1) (i32.const 2) (i32.and ${WRAP} (i32.const 8))))`,
  });
  write(instance, 3);
  assert.is(write(instance, 3), 0);
  assert.is(write(instance, 0), 1, "the first label");
  assert.is(write(instance, 1), 1, "the second");
  assert.is(write(instance, 2), 0, "2 goes where 3 goes");
  assert.is(write(instance, 7), 1, "br_if taken");
  assert.is(write(instance, 11), 1, "select's other side");
});

test("comparisons that were folded into one: each step counts", async () => {
  const is = (shift: number, value: number): string =>
    `(i32.eq (i32.and (i32.shr_u ${WRAP} (i32.const ${shift})) (i32.const 255)) (i32.const ${value}))`;
  const instance = await instanceOf({
    write: `(if (i32.and (i32.and ${is(0, 1)} ${is(8, 1)}) ${is(16, 1)})
      (then (call $log (i32.const 0) (i32.const 1))))`,
  });
  write(instance, 0x000000, 0x000001, 0x000100, 0x010000);
  assert.is(write(instance, 0x000001, 0x000100, 0x010000), 0);
  assert.is(write(instance, 0x000101), 2, "two at once");
  assert.is(write(instance, 0x010101), 1, "all three");
});

test("the fuel's own checks are no sites", async () => {
  const { covered } = await small({ write: "(nop)" });
  assert.equal([...new Set(covered.sites.map((one) => one.kind))], ["function"]);
});

test("stores, fills and copies of any place are undone before the next input", async () => {
  const address = "(i32.and (i32.wrap_i64 (i64.shr_u (local.get $value) (i64.const 8))) (i32.const 0xffff))";
  const length = "(i32.wrap_i64 (i64.shr_u (local.get $value) (i64.const 40)))";
  const op = (n: number, body: string): string =>
    `(if (i32.eq (i32.and ${WRAP} (i32.const 7)) (i32.const ${n})) (then ${body}))`;
  const instance = await instanceOf({
    head: "(global $g (mut i64) (i64.const 5))",
    attach: "(i64.store (i32.const 4088) (i64.const -1)) (i32.const 0)",
    write: [
      op(0, `(i64.store ${address} (local.get $value))`),
      op(1, `(i32.store8 offset=1020 ${address} ${WRAP})`),
      op(2, `(memory.fill ${address} (i32.const 7) ${length})`),
      op(3, `(memory.copy ${address} (i32.const 4080) ${length})`),
      op(4, `(i64.store16 offset=3 ${address} (local.get $value)) (global.set $g (local.get $value))`),
      op(5, `(i32.store16 ${address} ${WRAP})`),
    ].join(""),
    read: "(global.get $g)",
    manifest: { fuel: { attach: 10000, reset: 10000, barRead: 10000, barWrite: 100000 } },
  });
  const clean = instance.memory.slice();
  const random = new Random(3);
  for (let i = 0; i < 3000; i++) {
    const value = (BigInt(random.next() >>> 0) << 8n) | BigInt(random.below(6)) | (BigInt(random.below(3000)) << 40n);
    write(instance, BigInt.asUintN(64, value));
    instance.input.set(wordsOf([record({ kind: KIND_CALL_READ, size: 8 })]));
    instance.run(1);
    assert.is(Buffer.compare(instance.memory, clean), 0, `after 0x${value.toString(16)}`);
  }
  write(instance, 4n | (77n << 8n));
  instance.input.set(wordsOf([record({ kind: KIND_CALL_READ, size: 8 })]));
  instance.run(1);
  const answer = instance.answers();
  instance.run(1);
  assert.is(instance.answers(), answer, "a global was left as it was");
});

test("a fault's place leads back to the file", async () => {
  const module = await small({ write: "(drop (i32.div_u (i32.const 1) (i32.wrap_i64 (local.get $value))))" });
  const instance = new ModuleInstance(module, [[0n]]);
  instance.select(0);
  assert.is(write(instance, 5, 0), -1);
  const { fault, operation, entry, place } = instance.fault();
  assert.equal([fault, operation, entry], ["arithmetic", 1, 3]);
  assert.is(module.fuelled[place?.offset ?? 0], 0x6e, "i32.div_u");
  assert.is(write(instance, 5), 0, "the next input is not harmed");
});

test("loads beyond the memory fault where they would without all this", async () => {
  const instance = await instanceOf({ write: "(drop (i64.load offset=8 (i32.wrap_i64 (local.get $value))))" });
  assert.ok(write(instance, 65536 - 16) >= 0);
  assert.is(write(instance, 65536 - 15), -1);
  assert.is(instance.fault().fault, "memory");
  assert.is(write(instance, 0xffff_ffff), -1);
});

test(`calls nest ${DEPTH_MAX} deep and no deeper`, async () => {
  const instance = await instanceOf({
    rest: `(func $down (param $left i32)
      (if (local.get $left) (then (call $down (i32.sub (local.get $left) (i32.const 1))))))`,
    write: `(call $down ${WRAP})`,
  });
  assert.ok(write(instance, DEPTH_MAX - 2) >= 0, "the entry point, and one call for each number down to 0");
  assert.is(write(instance, DEPTH_MAX - 1), -1);
  assert.is(instance.fault().fault, "stack");
  assert.ok(write(instance, DEPTH_MAX - 2) >= 0, "the count begins anew");
});

test("functions in a table can be called", async () => {
  const instance = await instanceOf({
    head: "(type $t (func (param i32) (result i32))) (table 2 2 funcref) (elem (i32.const 0) $one $two)",
    rest: "(func $one (type $t) (i32.const 11)) (func $two (type $t) (i32.const 22))",
    write: `(i32.store (i32.const 0) (call_indirect (type $t) (i32.const 0) ${WRAP}))`,
    manifest: { tables: 2 },
  });
  write(instance, 1);
  assert.is(instance.memory[0], 22);
  assert.is(write(instance, 2), -1);
  assert.is(instance.fault().fault, "table");
});

test.run();
