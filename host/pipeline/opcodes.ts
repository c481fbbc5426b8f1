// SPDX-License-Identifier: MIT
//
// The instructions that may run on a trap path, and a walk over a function body that accepts no other. The table is
// closed: what is not in it is refused, so a future instruction is refused too.

import { byte, type Cursor, signed, u32, WasmFault } from "./wasm-reader.js";

type Operands = "none" | "block" | "index" | "labels" | "memory" | "i32" | "i64" | "zero" | "two zeros";

/** Blocks in blocks. wasm2c (npm wabt 1.0.39) has 64 KiB of stack: it takes 220 and crashes at 256. */
export const NESTING_MAX = 160;

const EMPTY_BLOCK = 0x40;
const I32 = 0x7f;
const I64 = 0x7e;

const ALLOWED = new Map<number, Operands>();

function allow(operands: Operands, first: number, last = first): void {
  for (let opcode = first; opcode <= last; opcode++) ALLOWED.set(opcode, operands);
}

allow("none", 0x00, 0x01); // unreachable, nop
allow("block", 0x02, 0x04); // block, loop, if
allow("none", 0x05); // else
allow("none", 0x0b); // end
allow("index", 0x0c, 0x0d); // br, br_if
allow("labels", 0x0e); // br_table
allow("none", 0x0f); // return
allow("index", 0x10); // call
allow("none", 0x1a, 0x1b); // drop, select
allow("index", 0x20, 0x24); // local.get/set/tee, global.get/set
allow("memory", 0x28, 0x29); // i32.load, i64.load
allow("memory", 0x2c, 0x37); // the narrow integer loads, i32.store, i64.store
allow("memory", 0x3a, 0x3e); // the narrow stores
allow("zero", 0x3f); // memory.size
allow("i32", 0x41); // i32.const
allow("i64", 0x42); // i64.const
allow("none", 0x45, 0x5a); // integer comparisons
allow("none", 0x67, 0x8a); // integer arithmetic
allow("none", 0xa7); // i32.wrap_i64
allow("none", 0xac, 0xad); // i64.extend_i32
allow("none", 0xc0, 0xc4); // sign extensions

const PREFIX_BULK = 0xfc;
const MEMORY_COPY = 10;
const MEMORY_FILL = 11;

const FLOAT = "a floating-point instruction; the trap path has no FPU state: compute with integers (fixed point)";
const SIMD = "a vector instruction; the trap path has no vector registers: switch SIMD off in your compiler";
const TABLE = "a table instruction; modules have no tables: use a switch instead of function pointers or closures";
const EXCEPTION = "an exception instruction; switch exceptions off in your compiler";

/** Ranges of instructions that people do use, and what to do instead; the first that fits. */
const REFUSED: [first: number, last: number, reason: string][] = [
  [0x06, 0x0a, EXCEPTION],
  [0x11, 0x11, `call_indirect is ${TABLE}`],
  [0x12, 0x13, "a tail call; switch tail calls off in your compiler"],
  [0x14, 0x15, `call_ref is ${TABLE}`],
  [0x18, 0x1f, EXCEPTION],
  [0x1c, 0x1c, "a select with a type; only integers can be selected, which needs no type"],
  [0x25, 0x26, TABLE],
  [0x40, 0x40, "memory.grow; a module's memory is fixed: declare what it needs (memory.data) and set memoryPages"],
  [0x2a, 0xbf, FLOAT],
  [0xd0, 0xd6, `a reference instruction is ${TABLE}`],
  [0xfb, 0xfb, "a garbage-collection instruction; modules have linear memory only"],
  [0xfd, 0xfd, SIMD],
  [0xfe, 0xfe, "an atomic instruction; a module runs on one thread: switch threads off in your compiler"],
];

const GLOBAL_SET = 0x24;

/**
 * Walk one body (behind its locals) to its last `end`; throws WasmFault at the first instruction not allowed.
 * `onGlobalSet` is told the index of each global that is set.
 */
export function walkBody(cursor: Cursor, onGlobalSet: (index: number) => void = () => {}): void {
  let depth = 1;
  while (depth > 0) {
    const offset = cursor.at;
    const opcode = byte(cursor);
    if (opcode === PREFIX_BULK) bulk(cursor, offset);
    else if (opcode === GLOBAL_SET) onGlobalSet(u32(cursor));
    else operands(cursor, ALLOWED.get(opcode) ?? refuse(offset, opcode));
    if (opcode >= 0x02 && opcode <= 0x04) depth++;
    if (opcode === 0x0b) depth--;
    if (depth > NESTING_MAX) throw new WasmFault(offset, `blocks nested more than ${NESTING_MAX} deep`);
  }
  if (cursor.at !== cursor.end) throw new WasmFault(cursor.at, "code behind the end of the function");
}

function refuse(offset: number, opcode: number): never {
  const reason = REFUSED.find(([first, last]) => opcode >= first && opcode <= last)?.[2];
  throw new WasmFault(offset, `opcode 0x${opcode.toString(16)} is not allowed: ${reason ?? "it is not known here"}`);
}

function bulk(cursor: Cursor, offset: number): void {
  const operation = u32(cursor);
  const name = `opcode 0xfc ${operation} is not allowed`;
  if (operation === MEMORY_COPY) return operands(cursor, "two zeros");
  if (operation === MEMORY_FILL) return operands(cursor, "zero");
  if (operation <= 7) throw new WasmFault(offset, `${name}: ${FLOAT}`);
  if (operation <= 9) throw new WasmFault(offset, `${name}: data segments are copied at instantiation, not later`);
  throw new WasmFault(offset, `${name}: ${TABLE}`);
}

function operands(cursor: Cursor, kind: Operands): void {
  switch (kind) {
    case "none":
      return;
    case "block":
      return blockType(cursor);
    case "index":
      u32(cursor);
      return;
    case "labels":
      for (let left = u32(cursor) + 1; left > 0; left--) u32(cursor);
      return;
    case "memory":
      return memoryArgument(cursor);
    case "i32":
      signed(cursor, 32);
      return;
    case "i64":
      signed(cursor, 64);
      return;
    case "zero":
      return zero(cursor);
    case "two zeros":
      zero(cursor);
      zero(cursor);
  }
}

function blockType(cursor: Cursor): void {
  const offset = cursor.at;
  const type = byte(cursor);
  if (type !== EMPTY_BLOCK && type !== I32 && type !== I64) {
    throw new WasmFault(offset, "a block may give nothing, an i32 or an i64; switch multi-value off in your compiler");
  }
}

function memoryArgument(cursor: Cursor): void {
  const offset = cursor.at;
  if (u32(cursor) > 3) throw new WasmFault(offset, "an alignment above 8 bytes, or a second memory");
  u32(cursor);
}

function zero(cursor: Cursor): void {
  const offset = cursor.at;
  if (byte(cursor) !== 0) throw new WasmFault(offset, "a memory other than memory 0");
}
