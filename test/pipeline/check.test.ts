// SPDX-License-Identifier: MIT
//
// The gate refuses what the ABI forbids, one rule a row, and says where. Each row is a correct module with one thing
// wrong, so that it is that thing which is found.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { type CheckReport, check } from "../../host/pipeline/check.js";
import { coreBorder, MODULE_BORDER } from "../../host/pipeline/contract.js";
import { prepareCore } from "../../host/pipeline/module.js";
import { NESTING_MAX } from "../../host/pipeline/opcodes.js";
import { CAPABILITY_IRQ } from "../../unikernel/abi/module.js";
import { random, wat } from "./host.js";

interface Parts {
  imports?: string;
  memory?: string;
  fields?: string;
  locals?: string;
  /** Instructions at the start of `reset`. */
  code?: string;
  reset?: string;
}

function moduleText(parts: Parts): string {
  return `(module
    ${parts.imports ?? ""}
    ${parts.memory ?? '(memory (export "memory") 1 1)'}
    ${parts.fields ?? ""}
    (func (export "attach") (result i32) i32.const 0)
    ${parts.reset ?? `(func (export "reset") ${parts.locals ?? ""} ${parts.code ?? ""})`}
    (func (export "bar_read") (param i32 i32 i32) (result i64) i64.const 0)
    (func (export "bar_write") (param i32 i32 i32 i64)))`;
}

async function checked(parts: Parts, capabilities = CAPABILITY_IRQ): Promise<CheckReport> {
  const options = { name: "bad", border: MODULE_BORDER, capabilities, memoryPages: 1 };
  return check(await wat(moduleText(parts)), options);
}

async function refusal(parts: Parts, capabilities?: number): Promise<string> {
  try {
    await checked(parts, capabilities);
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
}

test("the plain module passes, with its imports and exports reported", async () => {
  const report = await checked({ imports: '(import "glovebox" "irq_raise" (func (param i32) (result i32)))' });
  assert.equal(report.imports, ["irq_raise"]);
  assert.is(report.functions, 4);
  assert.ok(report.exports.includes("bar_read"));
});

test("integers, bulk memory and sign extension pass", async () => {
  const code = `(memory.fill (i32.const 0) (i32.const 1) (i32.const 8))
    (memory.copy (i32.const 8) (i32.const 0) (i32.const 8))
    (drop (i64.extend32_s (i64.const -5))) (drop (i32.popcnt (i32.load8_s offset=16 (i32.const 1))))
    (block (loop (br_table 0 1 0 (i32.const 1)))) (if (i32.const 1) (then) (else unreachable)) (drop (memory.size))
    (drop (select (i32.const 1) (i32.const 2) (i32.const 3)))`;
  assert.is((await checked({ code })).functions, 4);
});

const REFUSED: [title: string, parts: Parts, reason: RegExp][] = [
  ["a start function", { fields: "(func $s) (start $s)" }, /start function.*attach/],
  [
    "memory.grow",
    { code: "(drop (memory.grow (i32.const 1)))" },
    /\(function 1\) memory\.grow is not allowed; .*memoryPages/,
  ],
  ["a float constant", { code: "(drop (f32.const 1))" }, /\(function 1\) .*floating-point/],
  ["float arithmetic", { code: "(drop (f64.add (f64.const 1) (f64.const 2)))" }, /floating-point/],
  ["a conversion to float", { code: "(drop (f64.convert_i32_s (i32.const 1)))" }, /floating-point/],
  ["a saturating conversion", { code: "(drop (i32.trunc_sat_f32_s (f32.const 1)))" }, /floating-point/],
  ["a float load", { code: "(drop (f32.load (i32.const 0)))" }, /floating-point/],
  ["a float local", { locals: "(local f32)" }, /type f32; only i32 and i64/],
  ["a float global", { fields: "(global f64 (f64.const 0))" }, /type f64/],
  ["a float parameter", { fields: "(func (param f32))" }, /type f32/],
  ["SIMD", { code: "(drop (v128.const i32x4 0 0 0 0))" }, /vector/],
  ["an atomic access", { code: "(drop (i32.atomic.load (i32.const 0)))" }, /atomic.*threads off/],
  [
    "table elements",
    { fields: "(table 1 1 funcref) (elem (i32.const 0) 0)" },
    /elements of a table; the manifest says/,
  ],
  [
    "call_indirect",
    { fields: "(type $t (func)) (table 1 funcref)", code: "(call_indirect (type $t) (i32.const 0))" },
    /\(function 1\) call_indirect without a table in the manifest/,
  ],
  ["a reference", { code: "(drop (ref.null func))" }, /reference instruction/],
  ["a tail call", { fields: "(func $f)", code: "(return_call $f)" }, /tail call/],
  ["an exception tag", { fields: "(tag)" }, /exception/],
  ["two results", { fields: "(func (result i32 i32) i32.const 0 i32.const 0)" }, /2 results/],
  ["a block with parameters", { code: "(i32.const 1) (block (param i32) drop)" }, /multi-value/],
  [
    "memory.init",
    { fields: '(data $d "x")', code: "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 0))" },
    /instantiation/,
  ],
  ["a passive data segment", { fields: '(data "x")' }, /not copied at instantiation/],
  ["no maximum", { memory: '(memory (export "memory") 1)' }, /no maximum; set it to 1/],
  ["a maximum above the minimum", { memory: '(memory (export "memory") 1 2)' }, /minimum 1 and maximum 2.*memoryPages/],
  ["more pages than the manifest says", { memory: '(memory (export "memory") 2 2)' }, /minimum 2 and maximum 2/],
  ["a memory that nobody can see", { memory: "(memory 1 1)" }, /not exported as "memory"/],
  ["two memories", { memory: '(memory (export "memory") 1 1) (memory 1 1)' }, /more than one memory|not valid/],
  ["an imported memory", { imports: '(import "glovebox" "m" (memory 1 1))', memory: "" }, /no function/],
  ["an imported global", { imports: '(import "glovebox" "g" (global i32))' }, /no function/],
  [
    "an unknown import",
    { imports: '(import "glovebox" "hypercall" (func))' },
    /"hypercall" does not exist; there are "glovebox"\."param"/,
  ],
  ["another namespace", { imports: '(import "env" "abort" (func))' }, /"env"\."abort" does not exist/],
  [
    "a wrong signature",
    { imports: '(import "glovebox" "irq_raise" (func (param i64) (result i32)))' },
    /is \(i32\) -> i32, not \(i64\) -> i32/,
  ],
  [
    "a capability not asked for",
    { imports: '(import "glovebox" "log" (func (param i32 i32)))' },
    /"log" needs a capability that the manifest does not ask for/,
  ],
  ["an export missing", { reset: "" }, /"reset" is missing: \(\) -> nothing/],
  [
    "an export with a wrong signature",
    { reset: '(func (export "reset") (param i32))' },
    /"reset" must be \(\) -> nothing/,
  ],
  ["a misspelt export", { fields: '(func (export "evnet"))' }, /"evnet" would never be called; .*event/],
  ["an export under a reserved name", { fields: '(global (export "__fuel") (mut i32) (i32.const 0))' }, /reserved/],
  ["too many locals", { locals: `(local${" i32".repeat(257)})` }, /257 locals; the limit is 256/],
  [
    "blocks nested too deep",
    { code: "block ".repeat(NESTING_MAX) + "end ".repeat(NESTING_MAX) },
    /nested more than 160/,
  ],
];

for (const [title, parts, reason] of REFUSED) {
  test(`refused: ${title}`, async () => {
    const message = await refusal(parts);
    assert.match(message, /^bad: check: at byte 0x[0-9a-f]+: /);
    assert.match(message, reason);
  });
}

test("refused: an import that was granted yesterday", async () => {
  const imports = '(import "glovebox" "irq_raise" (func (param i32) (result i32)))';
  assert.match(await refusal({ imports }, 0), /needs a capability/);
});

test("refused: no WebAssembly, half of it, too much of it", async () => {
  const options = { name: "bad", border: MODULE_BORDER, capabilities: 0, memoryPages: 1 };
  const good = await wat(moduleText({}));
  assert.throws(() => check(Uint8Array.of(1, 2, 3), options), /no WebAssembly/);
  assert.throws(() => check(Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), options), /version 1/);
  assert.throws(() => check(good.subarray(0, good.length - 1), options), /fewer are there/);
  assert.throws(() => check(new Uint8Array((1 << 20) + 1), options), /1048577 bytes; the limit is 1048576/);
});

test("the core passes its own border and no module's", async () => {
  const { wasm, report } = await prepareCore();
  assert.ok(report.imports.length > 0);
  const pages = new DataView(wasm.buffer).byteLength > 0 ? 1 : 0;
  const options = { name: "core", border: MODULE_BORDER, capabilities: 0xff, memoryPages: pages };
  assert.throws(() => check(wasm, options), /does not exist/);
});

test("the border of the core is what shim.ts declares", () => {
  const border = coreBorder();
  const call = border.imports.find((one) => one.name === "instance_call");
  assert.equal(call?.parameters, ["u32", "u32", "u32", "u64", "u64", "u64", "u64"]);
  assert.is(call?.result, "u64");
  assert.ok(border.exports.some((one) => one.name === "on_ioreq"));
});

// Whatever the bytes: an answer in words, never another exception, and nothing that V8 would not take is accepted.
test("2000 damaged files: refused in words or valid", async () => {
  const options = { name: "bad", border: MODULE_BORDER, capabilities: 0xff, memoryPages: 1 };
  const good = await wat(moduleText({ code: "(block (loop (br_if 0 (i32.const 0))))" }));
  const next = random(20261123);
  let accepted = 0;
  for (let round = 0; round < 2000; round++) {
    const bytes = Uint8Array.from(good);
    for (let left = (next() % 3) + 1; left > 0; left--) bytes[next() % bytes.length] = next() & 0xff;
    try {
      check(bytes, options);
      accepted++;
      assert.ok(WebAssembly.validate(bytes));
    } catch (error) {
      assert.is((error as Error).name, "PipelineError", String(error));
    }
  }
  assert.ok(accepted < 2000);
});

test.run();
