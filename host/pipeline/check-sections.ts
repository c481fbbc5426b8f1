// SPDX-License-Identifier: MIT
//
// The sections of a module, one by one: what each may hold, and what is learnt of the module on the way (its Shape).

import type { CheckOptions } from "./check.js";
import { type Border, wasmType } from "./contract.js";
import { walkBody } from "./opcodes.js";
import { byte, type Cursor, type Section, signed, text, u32, WasmFault, within } from "./wasm-reader.js";

export interface Shape {
  types: string[];
  /** Type of each function, imported ones first. */
  functions: string[];
  imported: string[];
  exported: Map<string, { kind: number; index: number }>;
  /** Type of each global. */
  globals: ("i32" | "i64")[];
  /** How often each global is set. */
  globalSets: Map<number, number>;
  codeBytes: number;
  hasMemory: boolean;
}

/** The names that the pipeline itself adds. */
const RESERVED_EXPORT_PREFIX = "__";

const FUNCTIONS_MAX = 4096;
const LOCALS_MAX = 256; // each may become 8 bytes of a stack frame

export const KIND_FUNCTION = 0;
export const KIND_MEMORY = 2;
export const KIND_GLOBAL = 3;
const FUNCTION_TYPE = 0x60;
const SECTION = { type: 1, import: 2, function: 3, memory: 5, global: 6, export: 7, code: 10, data: 11, dataCount: 12 };

export function isKnownSection(id: number): boolean {
  return Object.values(SECTION).includes(id);
}

/** Throws WasmFault at the first thing that is not allowed. */
export function checkSection(section: Section, shape: Shape, options: CheckOptions): void {
  const { body } = section;
  if (section.id === SECTION.type) each(body, () => shape.types.push(functionType(body)));
  if (section.id === SECTION.import) each(body, () => checkImport(body, shape, options));
  if (section.id === SECTION.function) each(body, () => shape.functions.push(typeAt(shape, body)));
  if (section.id === SECTION.memory) checkMemory(body, shape, options.memoryPages);
  if (section.id === SECTION.global) each(body, () => checkGlobal(body, shape));
  if (section.id === SECTION.export) each(body, () => checkExport(body, shape, options));
  if (section.id === SECTION.code) checkCode(body, shape);
  if (section.id === SECTION.data) each(body, () => checkData(body));
}

function each(cursor: Cursor, visit: (index: number) => void): void {
  const count = u32(cursor);
  for (let index = 0; index < count; index++) visit(index);
}

function functionType(cursor: Cursor): string {
  const offset = cursor.at;
  if (byte(cursor) !== FUNCTION_TYPE) throw new WasmFault(offset, "a type that is no function; switch GC off");
  const parameters = valueTypes(cursor);
  const results = valueTypes(cursor);
  if (results.length > 1) throw new WasmFault(offset, "a function with two results; switch multi-value off");
  return `(${parameters.join(", ")}) -> ${results[0] ?? "nothing"}`;
}

function valueTypes(cursor: Cursor): ("i32" | "i64")[] {
  const types: ("i32" | "i64")[] = [];
  each(cursor, () => types.push(valueType(cursor)));
  return types;
}

function valueType(cursor: Cursor): "i32" | "i64" {
  const offset = cursor.at;
  const type = byte(cursor);
  if (type === 0x7f) return "i32";
  if (type === 0x7e) return "i64";
  const name = new Map([
    [0x7d, "f32"],
    [0x7c, "f64"],
    [0x7b, "v128"],
  ]).get(type);
  throw new WasmFault(offset, `a value of type ${name ?? `0x${type.toString(16)}`}; only i32 and i64 are allowed`);
}

function typeAt(shape: Shape, cursor: Cursor): string {
  if (shape.functions.length >= FUNCTIONS_MAX) throw new WasmFault(cursor.at, `more than ${FUNCTIONS_MAX} functions`);
  return shape.types[u32(cursor)] ?? "no type";
}

function checkImport(cursor: Cursor, shape: Shape, options: CheckOptions): void {
  const offset = cursor.at;
  const from = text(cursor);
  const name = text(cursor);
  const title = `import "${from}"."${name}"`;
  if (byte(cursor) !== KIND_FUNCTION)
    throw new WasmFault(offset, `${title} is no function; only those can be imported`);
  const type = typeAt(shape, cursor);
  const known = from === options.border.namespace && options.border.imports.find((one) => one.name === name);
  if (!known) throw new WasmFault(offset, `${title} does not exist; there are ${namesOf(options.border)}`);
  if ((known.capability & ~options.capabilities) !== 0) {
    throw new WasmFault(offset, `${title} needs a capability that the manifest does not ask for`);
  }
  if (type !== wasmType(known)) throw new WasmFault(offset, `${title} is ${wasmType(known)}, not ${type}`);
  shape.functions.push(type);
  shape.imported.push(name);
}

function namesOf(border: Border): string {
  return border.imports.map((one) => `"${border.namespace}"."${one.name}"`).join(", ");
}

function checkMemory(cursor: Cursor, shape: Shape, pages: number): void {
  const offset = cursor.at;
  if (u32(cursor) !== 1) throw new WasmFault(offset, "more than one memory");
  const flags = byte(cursor);
  if (flags === 0) throw new WasmFault(offset, `the memory has no maximum; set it to ${pages} pages (memoryPages)`);
  if (flags !== 1) throw new WasmFault(offset, "a shared, 64-bit or odd-paged memory");
  const minimum = u32(cursor);
  const maximum = u32(cursor);
  if (minimum !== pages || maximum !== pages) {
    const both = `minimum ${minimum} and maximum ${maximum}`;
    throw new WasmFault(offset, `the memory has ${both} pages; memoryPages in the manifest says ${pages}, always`);
  }
  shape.hasMemory = true;
}

function checkGlobal(cursor: Cursor, shape: Shape): void {
  shape.globals.push(valueType(cursor));
  byte(cursor);
  constant(cursor, "a global");
}

function constant(cursor: Cursor, what: string): void {
  const offset = cursor.at;
  const opcode = byte(cursor);
  if (opcode === 0x41) signed(cursor, 32);
  else if (opcode === 0x42) signed(cursor, 64);
  else throw new WasmFault(offset, `${what} that does not begin as a plain constant`);
  if (byte(cursor) !== 0x0b) throw new WasmFault(offset, `${what} whose beginning is computed`);
}

function checkExport(cursor: Cursor, shape: Shape, options: CheckOptions): void {
  const offset = cursor.at;
  const name = text(cursor);
  if (name.startsWith(RESERVED_EXPORT_PREFIX) && !options.instrumented) {
    throw new WasmFault(offset, `export "${name}": names that begin with ${RESERVED_EXPORT_PREFIX} are reserved`);
  }
  shape.exported.set(name, { kind: byte(cursor), index: u32(cursor) });
}

function checkCode(cursor: Cursor, shape: Shape): void {
  shape.codeBytes = cursor.end - cursor.at;
  each(cursor, (index) => {
    const body = within(cursor, u32(cursor));
    try {
      checkLocals(body);
      walkBody(body, (global) => shape.globalSets.set(global, (shape.globalSets.get(global) ?? 0) + 1));
    } catch (error) {
      if (!(error instanceof WasmFault)) throw error;
      throw new FaultInFunction(shape.imported.length + index, error);
    }
  });
}

/** The same fault, telling the function's index too (as wasm-objdump and browsers count: imports first). */
class FaultInFunction extends WasmFault {
  constructor(index: number, fault: WasmFault) {
    super(fault.offset, `(function ${index}) ${fault.message.replace(/^at byte 0x[0-9a-f]+: /, "")}`);
  }
}

function checkLocals(body: Cursor): void {
  const offset = body.at;
  let count = 0;
  each(body, () => {
    count += u32(body);
    valueType(body);
  });
  if (count > LOCALS_MAX)
    throw new WasmFault(offset, `${count} locals; the limit is ${LOCALS_MAX}: split the function`);
}

function checkData(cursor: Cursor): void {
  const offset = cursor.at;
  if (u32(cursor) !== 0) throw new WasmFault(offset, "a data segment that is not copied at instantiation");
  constant(cursor, "a data segment");
  within(cursor, u32(cursor));
}
