// SPDX-License-Identifier: MIT
//
// Every instruction of WebAssembly 2.0 and of the proposals that compilers emit: how its operands are read, and which
// rule forbids it, if one does. What is not in the tables is unknown, and a function that holds it is refused; so a
// future instruction is refused too. Forbidden ones are decoded all the same, so that the checker finds what follows.

import type { Rule } from "./reasons.js";
import { byte, type Cursor, signed, skip, u32, WasmFault } from "./wasm-reader.js";

type Operands =
  | "none"
  | "block"
  | "index"
  | "two indices"
  | "labels"
  | "memory"
  | "memory and lane"
  | "i32"
  | "i64"
  | "byte"
  | "4 bytes"
  | "8 bytes"
  | "16 bytes"
  | "types"
  | "zero"
  | "two zeros";

interface Instruction {
  operands: Operands;
  /** Undefined: allowed. */
  rule: Rule | undefined;
}

type Row = [first: number, last: number, operands: Operands, rule?: Rule];

const PLAIN: Row[] = [
  [0x00, 0x01, "none"], // unreachable, nop
  [0x02, 0x04, "block"], // block, loop, if
  [0x05, 0x05, "none"], // else
  [0x06, 0x06, "block", "exception"], // try
  [0x07, 0x09, "index", "exception"], // catch, throw, rethrow
  [0x0a, 0x0a, "none", "exception"], // throw_ref
  [0x0b, 0x0b, "none"], // end
  [0x0c, 0x0d, "index"], // br, br_if
  [0x0e, 0x0e, "labels"], // br_table
  [0x0f, 0x0f, "none"], // return
  [0x10, 0x10, "index"], // call
  [0x11, 0x11, "two indices", "table"], // call_indirect: allowed when the manifest has tables
  [0x12, 0x12, "index", "tail-call"], // return_call
  [0x13, 0x13, "two indices", "tail-call"], // return_call_indirect
  [0x14, 0x14, "index", "reference"], // call_ref
  [0x15, 0x15, "index", "tail-call"], // return_call_ref
  [0x18, 0x18, "index", "exception"], // delegate
  [0x19, 0x19, "none", "exception"], // catch_all
  [0x1a, 0x1b, "none"], // drop, select
  [0x1c, 0x1c, "types", "reference"], // select with a type: only references need one
  [0x20, 0x24, "index"], // local.get/set/tee, global.get/set
  [0x25, 0x26, "index", "reference"], // table.get, table.set
  [0x28, 0x29, "memory"], // i32.load, i64.load
  [0x2a, 0x2b, "memory", "float"],
  [0x2c, 0x37, "memory"], // the narrow integer loads, i32.store, i64.store
  [0x38, 0x39, "memory", "float"],
  [0x3a, 0x3e, "memory"], // the narrow stores
  [0x3f, 0x3f, "zero"], // memory.size
  [0x40, 0x40, "index", "memory-grow"],
  [0x41, 0x41, "i32"],
  [0x42, 0x42, "i64"],
  [0x43, 0x43, "4 bytes", "float"],
  [0x44, 0x44, "8 bytes", "float"],
  [0x45, 0x5a, "none"], // integer comparisons
  [0x5b, 0x66, "none", "float"],
  [0x67, 0x8a, "none"], // integer arithmetic
  [0x8b, 0xa6, "none", "float"],
  [0xa7, 0xa7, "none"], // i32.wrap_i64
  [0xa8, 0xab, "none", "float"],
  [0xac, 0xad, "none"], // i64.extend_i32
  [0xae, 0xbf, "none", "float"],
  [0xc0, 0xc4, "none"], // sign extensions
  [0xd0, 0xd0, "byte", "reference"], // ref.null
  [0xd1, 0xd1, "none", "reference"], // ref.is_null
  [0xd2, 0xd2, "index", "reference"], // ref.func
];

const BULK: Row[] = [
  [0, 7, "none", "float"], // the saturating conversions
  [8, 8, "two indices", "memory-init"],
  [9, 9, "index", "memory-init"], // data.drop
  [10, 10, "two zeros"], // memory.copy
  [11, 11, "zero"], // memory.fill
  [12, 12, "two indices", "reference"], // table.init
  [13, 13, "index", "reference"], // elem.drop
  [14, 14, "two indices", "reference"], // table.copy
  [15, 17, "index", "reference"], // table.grow, table.size, table.fill
];

const SIMD: Row[] = [
  [0, 11, "memory", "simd"],
  [12, 13, "16 bytes", "simd"], // v128.const, i8x16.shuffle
  [14, 20, "none", "simd"],
  [21, 34, "byte", "simd"], // lanes
  [35, 83, "none", "simd"],
  [84, 91, "memory and lane", "simd"],
  [92, 93, "memory", "simd"],
  [94, 0x113, "none", "simd"], // with the relaxed ones
];

const ATOMIC: Row[] = [
  [0, 2, "memory", "atomic"],
  [3, 3, "byte", "atomic"], // atomic.fence
  [0x10, 0x4e, "memory", "atomic"],
];

const ONE_BYTE = tableOf(PLAIN);
const PREFIXED = new Map([
  [0xfc, tableOf(BULK)],
  [0xfd, tableOf(SIMD)],
  [0xfe, tableOf(ATOMIC)],
]);
/** Prefixes whose instructions are not decoded at all. */
const PREFIX_GC = 0xfb;

function tableOf(rows: Row[]): Map<number, Instruction> {
  const table = new Map<number, Instruction>();
  for (const [first, last, operands, rule] of rows) {
    for (let opcode = first; opcode <= last; opcode++) table.set(opcode, { operands, rule });
  }
  return table;
}

/** Blocks in blocks. wasm2c (npm wabt 1.0.39) has 64 KiB of stack: it takes 220 and crashes at 256. */
export const NESTING_MAX = 160;

const OPENS = new Set([0x02, 0x03, 0x04, 0x06]);
const CLOSES = new Set([0x0b, 0x18]);
export const GLOBAL_SET = 0x24;
export const CALL_INDIRECT = 0x11;
const EMPTY_BLOCK = 0x40;
const INTEGERS = [0x7f, 0x7e];

export interface Visitor {
  /** An instruction, its first index operand (0 without one) and the rule that it breaks by itself. */
  instruction(offset: number, opcode: number, operand: number, rule: Rule | undefined): void;
  broken(rule: Rule, offset: number, what: string): void;
}

/** Walk one body (behind its locals) to its last `end`. Throws WasmFault where it cannot be read on. */
export function walkBody(cursor: Cursor, visitor: Visitor): void {
  let depth = 1;
  while (depth > 0) {
    const offset = cursor.at;
    const opcode = byte(cursor);
    const { operands, rule } = instructionAt(cursor, offset, opcode);
    visitor.instruction(offset, opcode, readOperands(cursor, operands, visitor), rule);
    if (OPENS.has(opcode)) depth++;
    if (CLOSES.has(opcode)) depth--;
    if (depth > NESTING_MAX) throw new WasmFault(offset, `blocks nested more than ${NESTING_MAX} deep`, "nesting");
  }
  if (cursor.at !== cursor.end) throw new WasmFault(cursor.at, "code behind the end of the function");
}

function instructionAt(cursor: Cursor, offset: number, opcode: number): Instruction {
  const table = PREFIXED.get(opcode);
  const number = table === undefined ? opcode : u32(cursor);
  const found = (table ?? ONE_BYTE).get(number);
  if (found !== undefined) return found;
  const name = table === undefined ? `0x${opcode.toString(16)}` : `0x${opcode.toString(16)} ${number}`;
  const rule = opcode === PREFIX_GC ? "garbage-collection" : "opcode-unknown";
  throw new WasmFault(offset, `opcode ${name} is not known here`, rule);
}

function readOperands(cursor: Cursor, kind: Operands, visitor: Visitor): number {
  switch (kind) {
    case "none":
      return 0;
    case "block":
      return blockType(cursor, visitor);
    case "index":
      return u32(cursor);
    case "two indices":
      return firstOf(u32(cursor), u32(cursor));
    case "labels":
      for (let left = u32(cursor) + 1; left > 0; left--) u32(cursor);
      return 0;
    case "memory":
      return memoryArgument(cursor);
    case "memory and lane":
      return firstOf(memoryArgument(cursor), byte(cursor));
    case "i32":
      return firstOf(0, signed(cursor, 32));
    case "i64":
      return firstOf(0, signed(cursor, 64));
    case "byte":
      return byte(cursor);
    case "4 bytes":
      return skip(cursor, 4);
    case "8 bytes":
      return skip(cursor, 8);
    case "16 bytes":
      return skip(cursor, 16);
    case "types":
      for (let left = u32(cursor); left > 0; left--) byte(cursor);
      return 0;
    case "zero":
      return zero(cursor);
    case "two zeros":
      return firstOf(zero(cursor), zero(cursor));
  }
}

function firstOf(first: number, _second: unknown): number {
  return first;
}

const OTHER_TYPES = new Map<number, [Rule, string]>([
  [0x7d, ["float", "a block that gives an f32"]],
  [0x7c, ["float", "a block that gives an f64"]],
  [0x7b, ["simd", "a block that gives a vector"]],
]);

/** Nothing, an integer, or (refused) something else; a type's index has parameters or several results. */
function blockType(cursor: Cursor, visitor: Visitor): number {
  const offset = cursor.at;
  const type = cursor.bytes[cursor.at] ?? 0;
  const other = OTHER_TYPES.get(type);
  if (type === EMPTY_BLOCK || INTEGERS.includes(type) || other !== undefined) byte(cursor);
  else signed(cursor, 33);
  if (other !== undefined) visitor.broken(...([other[0], offset, other[1]] as const));
  else if (type !== EMPTY_BLOCK && !INTEGERS.includes(type)) {
    visitor.broken("multi-value", offset, "a block may give nothing, an i32 or an i64, and takes nothing");
  }
  return 0;
}

function memoryArgument(cursor: Cursor): number {
  const offset = cursor.at;
  if (u32(cursor) > 4) throw new WasmFault(offset, "an alignment above 16 bytes, or a second memory", "memory");
  u32(cursor);
  return 0;
}

function zero(cursor: Cursor): number {
  const offset = cursor.at;
  if (byte(cursor) !== 0) throw new WasmFault(offset, "a memory other than memory 0", "memory");
  return 0;
}
