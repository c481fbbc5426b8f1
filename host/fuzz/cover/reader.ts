// SPDX-License-Identifier: MIT
//
// A module's file taken apart: what the instrumenter must know to put it together again with more in it. The file
// passed host/pipeline/check.ts, so only the instructions of its closed table occur; whatever else is refused.

import { byte, type Cursor, type Section, sections, signed, text, u32, within } from "../../pipeline/wasm-reader.js";
import { MEMORY_COPY, OP, reachesMemory } from "./opcode.js";

export interface FunctionType {
  parameters: number[];
  results: number[];
}

export interface Body {
  /** Types of the declared locals, parameters not among them. */
  locals: [count: number, type: number][];
  /** The instructions, with the last `end`. */
  code: Cursor;
}

export interface WasmModule {
  sections: Section[];
  types: FunctionType[];
  /** Type index of each function, imported ones first. */
  functions: number[];
  imports: { from: string; name: string; type: number }[];
  globals: { type: number; mutable: boolean; init: Uint8Array }[];
  exports: { name: string; kind: number; index: number }[];
  memoryPages: number;
  /** Of the table: where in it they begin (the constant expression as it stands), and functions. */
  elements: { init: Uint8Array; functions: number[] }[];
  bodies: Body[];
}

export const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  memory: 5,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  dataCount: 12,
} as const;

export function readModule(bytes: Uint8Array): WasmModule {
  const module: WasmModule = {
    sections: sections(bytes),
    types: [],
    functions: [],
    imports: [],
    globals: [],
    exports: [],
    memoryPages: 0,
    elements: [],
    bodies: [],
  };
  for (const section of module.sections) readSection(module, section.id, { ...section.body });
  return module;
}

function list<T>(cursor: Cursor, one: () => T): T[] {
  return Array.from({ length: u32(cursor) }, one);
}

function readSection(module: WasmModule, id: number, cursor: Cursor): void {
  switch (id) {
    case SECTION.type:
      module.types = list(cursor, () => {
        byte(cursor);
        return { parameters: list(cursor, () => byte(cursor)), results: list(cursor, () => byte(cursor)) };
      });
      return;
    case SECTION.import:
      module.imports = list(cursor, () => {
        const [from, name] = [text(cursor), text(cursor)];
        byte(cursor);
        return { from, name, type: u32(cursor) };
      });
      module.functions = module.imports.map((one) => one.type);
      return;
    case SECTION.function:
      module.functions.push(...list(cursor, () => u32(cursor)));
      return;
    case SECTION.memory:
      u32(cursor);
      byte(cursor);
      module.memoryPages = u32(cursor);
      return;
    case SECTION.global:
      module.globals = list(cursor, () => readGlobal(cursor));
      return;
    case SECTION.export:
      module.exports = list(cursor, () => ({ name: text(cursor), kind: byte(cursor), index: u32(cursor) }));
      return;
    case SECTION.element:
      module.elements = list(cursor, () => readElements(cursor));
      return;
    case SECTION.code:
      module.bodies = list(cursor, () => readBody(within(cursor, u32(cursor))));
  }
}

function readGlobal(cursor: Cursor): WasmModule["globals"][number] {
  const [type, mutable] = [byte(cursor), byte(cursor) === 1];
  return { type, mutable, init: constant(cursor) };
}

/** A constant and its `end`. */
function constant(cursor: Cursor): Uint8Array {
  const start = cursor.at;
  const opcode = byte(cursor);
  signed(cursor, opcode === OP.i32Const ? 32 : 64);
  byte(cursor);
  return cursor.bytes.subarray(start, cursor.at);
}

/** Active segments of functions: flags 0, or 2 with table 0 and kind 0. */
function readElements(cursor: Cursor): WasmModule["elements"][number] {
  const flags = u32(cursor);
  if (flags === 2) u32(cursor);
  const init = constant(cursor);
  if (flags === 2) byte(cursor);
  return { init, functions: list(cursor, () => u32(cursor)) };
}

function readBody(cursor: Cursor): Body {
  const locals = list(cursor, (): [number, number] => [u32(cursor), byte(cursor)]);
  return { locals, code: cursor };
}

export interface Instruction {
  opcode: number;
  /** OP.bulk: the second opcode. */
  second: number;
  /** Byte in the file, and the byte behind. */
  start: number;
  end: number;
  /** An index, a constant (as i64), a memory offset, the number of a br_table's labels. */
  operand: bigint;
}

/** The instruction at the cursor, which moves behind it. */
export function nextInstruction(cursor: Cursor): Instruction {
  const start = cursor.at;
  const opcode = byte(cursor);
  let second = 0;
  let operand = 0n;
  if (opcode === OP.bulk) {
    second = u32(cursor);
    byte(cursor);
    if (second === MEMORY_COPY) byte(cursor);
  } else if (opcode === OP.callIndirect) {
    operand = BigInt(u32(cursor));
    u32(cursor);
  } else if (opcode === OP.brTable) {
    operand = BigInt(u32(cursor));
    for (let left = Number(operand) + 1; left > 0; left--) u32(cursor);
  } else if (reachesMemory(opcode)) {
    u32(cursor);
    operand = BigInt(u32(cursor));
  } else if (opcode === OP.i32Const || opcode === OP.i64Const) {
    operand = signed(cursor, opcode === OP.i32Const ? 32 : 64);
  } else if ((opcode >= OP.block && opcode <= OP.if) || opcode === OP.memorySize) {
    operand = BigInt(byte(cursor));
  } else if (hasIndex(opcode)) {
    operand = BigInt(u32(cursor));
  }
  return { opcode, second, start, end: cursor.at, operand };
}

function hasIndex(opcode: number): boolean {
  if (opcode === OP.br || opcode === OP.brIf || opcode === OP.call) return true;
  return opcode >= OP.localGet && opcode <= OP.globalSet;
}
