// SPDX-License-Identifier: MIT
//
// The sections of a module, one by one: what each may hold, and what is learnt of the module on the way (its Shape).
// A broken rule is noted and the walk goes on; a section that cannot be read on ends with a WasmFault.

import { checkCode } from "./check-code.js";
import type { Context } from "./check-context.js";
import { functionType, typeAt, valueType } from "./check-types.js";
import { type Border, wasmType } from "./contract.js";
import type { Rule } from "./reasons.js";
import { byte, type Cursor, each, type Section, signed, text, u32, WasmFault, within } from "./wasm-reader.js";

/** The names that the pipeline itself adds. */
const RESERVED_EXPORT_PREFIX = "__";

/** Constants that wasm-ld exports by habit (from Rust); the instrumenter drops them. */
const LINKERS_GLOBALS = new Set(["__data_end", "__heap_base"]);

const FUNCTIONS_MAX = 4096;
export const TABLE_ENTRIES_MAX = 256;

export const KIND_FUNCTION = 0;
export const KIND_MEMORY = 2;
export const KIND_GLOBAL = 3;
const FUNCREF = 0x70;

type Check = (body: Cursor, context: Context) => void;

/** Every section that may be there, in the specification's order (12 stands before 10). */
const SECTIONS: [id: number, check: Check][] = [
  [1, (body, context) => each(body, () => context.shape.types.push(functionType(body, context)))],
  [2, (body, context) => each(body, () => checkImport(body, context))],
  [3, checkFunctions],
  [4, checkTables],
  [5, checkMemory],
  [6, (body, context) => each(body, () => checkGlobal(body, context))],
  [7, (body, context) => each(body, () => checkExport(body, context))],
  [9, (body, context) => each(body, () => checkElements(body, context))],
  [12, (body) => void u32(body)],
  [10, checkCode],
  [11, (body, context) => each(body, () => checkData(body, context))],
];
const ORDER = SECTIONS.map(([id]) => id);

/** Where in the file's order this section belongs; undefined = it may not be there at all. */
export function orderOf(id: number): number | undefined {
  const index = ORDER.indexOf(id);
  return index < 0 ? undefined : index;
}

/** Notes what is wrong in one section; it must be used up. */
export function checkSection(section: Section, context: Context): void {
  const check = SECTIONS.find(([id]) => id === section.id)?.[1];
  if (check === undefined) return;
  const body = { ...section.body };
  check(body, context);
  if (body.at !== body.end) throw new WasmFault(body.at, `section ${section.id} goes on behind its contents`);
}

function checkFunctions(body: Cursor, context: Context): void {
  const offset = body.at;
  each(body, () => context.shape.functions.push(typeAt(context, body)));
  const count = context.shape.functions.length;
  if (count > FUNCTIONS_MAX) {
    context.reasons.add("functions", offset, `${count} functions; the limit is ${FUNCTIONS_MAX}`);
  }
}

function checkImport(cursor: Cursor, context: Context): void {
  const { shape, options, reasons } = context;
  const offset = cursor.at;
  const from = text(cursor);
  const name = text(cursor);
  const title = `import "${from}"."${name}"`;
  if (byte(cursor) !== KIND_FUNCTION) throw new WasmFault(offset, `${title} is no function`, "import-unknown");
  const type = typeAt(context, cursor);
  const known = from === options.border.namespace && options.border.imports.find((one) => one.name === name);
  if (!known) reasons.add("import-unknown", offset, `${title} does not exist; there are ${namesOf(options.border)}`);
  else {
    const refuse = (rule: Rule, what: string): void => reasons.add(rule, offset, `${title} ${what}`);
    const missing = (known.capability & ~options.capabilities) !== 0;
    if (missing) refuse("import-capability", "needs a capability that the manifest does not ask for");
    if (type !== wasmType(known)) refuse("import-type", `is ${wasmType(known)}, not ${type}`);
    if (shape.imported.includes(name)) refuse("import-twice", "is there twice");
  }
  shape.functions.push(type);
  shape.imported.push(name);
}

function namesOf(border: Border): string {
  return border.imports.map((one) => `"${border.namespace}"."${one.name}"`).join(", ");
}

/**
 * One table of functions, of a fixed size, if the manifest says so. One that nobody uses (no elements, no
 * call_indirect: wasm-ld always leaves it behind) is none: the instrumenter drops it.
 */
function checkTables(cursor: Cursor, { shape, options, reasons }: Context): void {
  const offset = cursor.at;
  const most = options.tableEntries ?? 0;
  const count = u32(cursor);
  if (count > 0 && options.instrumented && most === 0) reasons.add("table", offset, "a table in the canonical form");
  if (count > 1) reasons.add("table-limits", offset, `${count} tables; there may be one`);
  for (let index = 0; index < count; index++) {
    const at = cursor.at;
    if (byte(cursor) !== FUNCREF) throw new WasmFault(at, "a table of something else than functions", "reference");
    const flags = byte(cursor);
    const minimum = u32(cursor);
    if (flags > 1) throw new WasmFault(at, "a shared or 64-bit table", "table-limits");
    const maximum = flags === 1 ? u32(cursor) : undefined;
    shape.tableEntries = minimum;
    if (most > 0 && minimum !== maximum)
      reasons.add("table-limits", at, `a table of ${minimum} to ${maximum ?? "any"} entries`);
    if (most > 0 && minimum > most) {
      reasons.add("table-limits", at, `a table of ${minimum} entries; the manifest's "tables" is ${most}`);
    }
  }
}

/** Active segments only: flags 0, or 2 with the table's number and the kind "function". */
function checkElements(cursor: Cursor, context: Context): void {
  const { shape, options, reasons } = context;
  const offset = cursor.at;
  const flags = u32(cursor);
  if (flags !== 0 && flags !== 2) throw new WasmFault(offset, `a segment of elements of kind ${flags}`, "element");
  if (flags === 2 && u32(cursor) !== 0) reasons.add("element", offset, "elements of another table than the first");
  const first = constant(cursor, context, "element", "a segment of elements");
  if (flags === 2 && byte(cursor) !== 0) throw new WasmFault(offset, "elements that are no functions", "element");
  let count = 0;
  each(cursor, () => {
    const at = cursor.at;
    if (u32(cursor) < shape.imported.length) {
      reasons.add("element", at, "an import in the table; put a function of your own around it");
    }
    count++;
  });
  if ((options.tableEntries ?? 0) === 0)
    reasons.add("table", offset, "elements of a table; the manifest says that there is none");
  if (first + BigInt(count) > BigInt(shape.tableEntries)) {
    reasons.add("element", offset, `elements ${first} to ${first + BigInt(count)} of a table of ${shape.tableEntries}`);
  }
}

function checkMemory(cursor: Cursor, { shape, options, reasons }: Context): void {
  const offset = cursor.at;
  const pages = options.memoryPages ?? "as many";
  const refuse = (what: string): void => reasons.add("memory", offset, what);
  const count = u32(cursor);
  if (count > 1) refuse("more than one memory");
  for (let index = 0; index < count; index++) {
    const flags = byte(cursor);
    if (flags > 1) throw new WasmFault(offset, "a shared, 64-bit or odd-paged memory", "memory");
    const minimum = u32(cursor);
    const maximum = flags === 1 ? u32(cursor) : undefined;
    shape.hasMemory = true;
    if (maximum === undefined) refuse(`the memory has no maximum; set it to ${pages} pages (memoryPages)`);
    else if (minimum !== maximum || minimum !== (options.memoryPages ?? minimum)) {
      const both = `minimum ${minimum} and maximum ${maximum}`;
      refuse(`the memory has ${both} pages; memoryPages in the manifest says ${pages}, always`);
    }
  }
}

function checkGlobal(cursor: Cursor, context: Context): void {
  const { shape } = context;
  const type = valueType(cursor, context);
  if (byte(cursor) !== 0) shape.mutableGlobals.add(shape.globals.length);
  shape.globals.push(type);
  constant(cursor, context, "global", "a global");
}

/** One constant and `end`; gives its value, an i32 as unsigned. */
function constant(cursor: Cursor, { reasons }: Context, rule: Rule, what: string): bigint {
  const offset = cursor.at;
  const opcode = byte(cursor);
  if (opcode !== 0x41 && opcode !== 0x42) {
    reasons.add(rule, offset, `${what} that does not begin as a plain constant`);
    throw new WasmFault(offset, `${what} whose beginning cannot be read on`, rule);
  }
  const value = signed(cursor, opcode === 0x41 ? 32 : 64);
  if (byte(cursor) !== 0x0b) throw new WasmFault(offset, `${what} whose beginning is computed`, rule);
  return BigInt.asUintN(opcode === 0x41 ? 32 : 64, value);
}

function checkExport(cursor: Cursor, { shape, options, reasons }: Context): void {
  const offset = cursor.at;
  const name = text(cursor);
  const [kind, index] = [byte(cursor), u32(cursor)];
  const isHabit = kind === KIND_GLOBAL && LINKERS_GLOBALS.has(name) && !shape.mutableGlobals.has(index);
  if (name.startsWith(RESERVED_EXPORT_PREFIX) && !options.instrumented && !isHabit) {
    reasons.add("export-reserved", offset, `export "${name}" has a reserved name`);
  }
  shape.exported.set(name, { kind, index, offset });
}

const WASM_PAGE_BYTES = 65536n;

function checkData(cursor: Cursor, context: Context): void {
  const offset = cursor.at;
  const flags = u32(cursor);
  if (flags === 1) {
    context.reasons.add("memory-init", offset, "a data segment that is not copied at instantiation");
    within(cursor, u32(cursor));
    return;
  }
  if (flags !== 0) throw new WasmFault(offset, "a data segment of another memory", "memory");
  const first = constant(cursor, context, "data", "a data segment");
  const count = u32(cursor);
  within(cursor, count);
  const end = first + BigInt(count);
  const pages = context.options.memoryPages;
  if (pages !== undefined && end > BigInt(pages) * WASM_PAGE_BYTES) {
    context.reasons.add("data", offset, `data at ${first} to ${end}, beyond ${pages} pages`);
  }
}
