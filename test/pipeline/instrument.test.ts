// SPDX-License-Identifier: MIT
//
// Fuel: whatever a module does, it stops; the same work costs the same; and the answers are those of the module
// without fuel.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { BULK_BYTES, FUEL_GLOBAL, IMPORT_COST, instrument } from "../../host/pipeline/instrument.js";
import { sections } from "../../host/pipeline/wasm-reader.js";
import { random, wat } from "./host.js";

interface Running {
  call(name: string, ...values: (number | bigint)[]): unknown;
  fuel: WebAssembly.Global;
}

const IMPORTS = { glovebox: { irq_raise: () => 0 } };

async function running(text: string, fuel = 1000): Promise<Running> {
  const wasm = await instrument("test", await wat(text));
  const { instance } = await WebAssembly.instantiate(Uint8Array.from(wasm), IMPORTS);
  const global = instance.exports[FUEL_GLOBAL] as WebAssembly.Global;
  global.value = fuel;
  return {
    call: (name, ...values) => (instance.exports[name] as (...v: unknown[]) => unknown)(...values),
    fuel: global,
  };
}

/** Runs dry: a trap by `unreachable` with the fuel below zero, which is how the mediator knows. */
async function runsDry(text: string, name = "f", ...values: number[]): Promise<void> {
  const { call, fuel } = await running(text, 5_000); // less than V8's own stack has frames
  assert.throws(() => call(name, ...values), /unreachable/);
  assert.ok((fuel.value as number) < 0);
}

test("an endless loop stops", () => runsDry('(module (func (export "f") (loop (br 0))))'));

test("an endless loop inside an expression stops", () =>
  runsDry('(module (func (export "f") (result i32) (i32.add (i32.const 1) (loop (result i32) (br 0)))))'));

test("a loop by br_table stops", () =>
  runsDry('(module (func (export "f") (param i32) (loop (br_table 0 0 0 (local.get 0)))))', "f", 7));

test("nested loops stop", () =>
  runsDry('(module (func (export "f") (param i32) (loop (loop (br_if 0 (local.get 0))) (br 0))))', "f", 0));

test("recursion stops", () => runsDry('(module (func $f (export "f") (call $f)))'));

test("mutual recursion stops", () => runsDry('(module (func $g (call $f)) (func $f (export "f") (call $g)))'));

test("memory.fill pays by length", async () => {
  const text =
    '(module (memory 16 16) (func (export "f") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0))))';
  const { call, fuel } = await running(text, 100_000);
  call("f", 0);
  const nothing = 100_000 - (fuel.value as number);
  fuel.value = 100_000;
  call("f", 640 * BULK_BYTES);
  assert.is(100_000 - (fuel.value as number), nothing + 640);
});

test("memory.copy of everything, for ever, stops; and its length is unsigned", async () => {
  const copy = "(memory.copy (i32.const 0) (i32.const 0) (local.get 0))";
  await runsDry(`(module (memory 16 16) (func (export "f") (param i32) (loop ${copy} (br 0))))`, "f", 1 << 20);
  await runsDry(`(module (memory 16 16) (func (export "f") (param i32) ${copy}))`, "f", -1);
});

test("an imported call costs more", async () => {
  const imports = '(import "glovebox" "irq_raise" (func $i (param i32) (result i32)))';
  const body = (call: string): string =>
    `(module ${imports} (func $o (param i32) (result i32) i32.const 0)
      (func (export "f") (drop (call ${call} (i32.const 1)))))`;
  const own = await running(body("$o"));
  const theirs = await running(body("$i"));
  own.call("f");
  theirs.call("f");
  // $o pays for itself: entry 1 + its constant 1.
  assert.is((own.fuel.value as number) - (theirs.fuel.value as number), IMPORT_COST - 2);
});

test("the fuel is what the block weighs, the same each time", async () => {
  const text =
    '(module (func (export "f") (param i32) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))';
  const { call, fuel } = await running(text);
  const prices: number[] = [];
  for (const turns of [1, 2, 3, 3]) {
    fuel.value = 1000;
    call("f", turns);
    prices.push(1000 - (fuel.value as number));
  }
  // Entry 1; each turn 1 + br_if, tee, sub, get, const.
  assert.equal(prices, [7, 13, 19, 19]);
});

test("exactly enough is enough", async () => {
  const text = '(module (func (export "f") (result i32) (i32.const 5)))';
  const { call, fuel } = await running(text, 2);
  assert.is(call("f"), 5);
  assert.is(fuel.value, 0);
  assert.throws(() => call("f"), /unreachable/);
});

test("values leave loops, blocks and branches unchanged", async () => {
  const text = `(module (memory (export "memory") 1 1)
    (func (export "f") (param $a i64) (param $n i32) (result i64) (local $s i64)
    (local.set $s (local.get $a))
    (block $out (result i64)
      (loop $again (result i64)
        (br_if $out (local.get $s) (i32.eqz (local.get $n))) (drop)
        (local.set $s (if (result i64) (i32.and (local.get $n) (i32.const 1))
          (then (i64.add (i64.mul (local.get $s) (i64.const 6364136223846793005)) (i64.const 1)))
          (else (block (result i64) (br 0 (i64.rotl (local.get $s) (i64.const 7)))))))
        (i64.store (i32.and (i32.shl (local.get $n) (i32.const 3)) (i32.const 0xff8)) (local.get $s))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again))))
    )`;
  const plain = await WebAssembly.instantiate(Uint8Array.from(await wat(text)), {});
  const fuelled = await running(text, 0x7fffffff);
  const next = random(7);
  for (let round = 0; round < 200; round++) {
    const values = [BigInt(next()) << 20n, next() % 500] as const;
    const expected = (plain.instance.exports.f as (...v: unknown[]) => bigint)(...values);
    assert.is(fuelled.call("f", ...values), expected);
  }
});

test("names, custom sections and exported globals are gone", async () => {
  const wasm = await instrument(
    "test",
    await wat('(module (global (export "g") i32 (i32.const 1)) (func $named (export "f")))'),
  );
  assert.is(sections(wasm).filter((one) => one.id === 0).length, 0);
  const module = new WebAssembly.Module(Uint8Array.from(wasm));
  assert.equal(
    WebAssembly.Module.exports(module).map((one) => one.name),
    ["f", FUEL_GLOBAL],
  );
});

test("the same module is instrumented to the same bytes", async () => {
  const text = '(module (func (export "f") (loop (br 0))))';
  assert.equal(
    Buffer.from(await instrument("a", await wat(text))),
    Buffer.from(await instrument("b", await wat(text))),
  );
});

test.run();
