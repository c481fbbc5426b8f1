// SPDX-License-Identifier: MIT
//
// The gate: does this file keep to the module ABI (docs/MODULE_ABI.md)? V8 says whether it is valid WebAssembly; our
// own walk accepts section by section (check-sections.ts) and instruction by instruction (opcodes.ts) what is on a
// closed list, nothing else. Everything behind this file (binaryen, wasm2c, gcc) sees only what passed here. All
// reasons are collected, in the order of the file.

import type { CheckOptions, Shape } from "./check-context.js";
import { checkSection, KIND_FUNCTION, KIND_GLOBAL, KIND_MEMORY, orderOf } from "./check-sections.js";
import { type Border, wasmType } from "./contract.js";
import { PipelineError } from "./error.js";
import { FUEL_GLOBAL, STATE_GLOBAL } from "./instrument.js";
import { type Reason, Reasons, type Rule, reasonText } from "./reasons.js";
import type { Bytes } from "./store.js";
import { CUSTOM_SECTION, type Section, sectionsUntilFault, WasmFault } from "./wasm-reader.js";

export interface CheckReport {
  functions: number;
  codeBytes: number;
  imports: string[];
  exports: string[];
  /** Entries of the table; 0 = there is none. */
  tableEntries: number;
  /** Of instrumented files: the module's own mutable globals, in the order of their names __g0, __g1, ... */
  globals: StateGlobal[];
  /** Of instrumented files: places where fuel is paid. */
  fuelPoints: number;
}

export interface StateGlobal {
  name: string;
  bytes: 4 | 8;
}

export const FILE_BYTES_MAX = 1 << 20; // the image has 512 KiB in all
const REASONS_TOLD = 20;

/** Throws PipelineError with function, byte and remedy when the file breaks a rule. */
export function check(bytes: Bytes, options: CheckOptions): CheckReport {
  const { reasons, report } = examine(bytes, options);
  if (reasons.length === 0) return report;
  const told = reasons.slice(0, REASONS_TOLD).map(reasonText);
  if (reasons.length > told.length) told.push(`and ${reasons.length - told.length} more`);
  throw new PipelineError(options.name, "check", told.join("\n  "));
}

/** All reasons to refuse the file, none when it is a module; the report is of what could be read. */
export function examine(bytes: Bytes, options: CheckOptions): { reasons: Reason[]; report: CheckReport } {
  const reasons = new Reasons();
  const shape: Shape = {
    types: [],
    functions: [],
    imported: [],
    exported: new Map(),
    globals: [],
    mutableGlobals: new Set(),
    globalSets: new Map(),
    codeBytes: 0,
    hasMemory: false,
    tableEntries: 0,
  };
  if (bytes.length > FILE_BYTES_MAX) {
    reasons.add("file-size", 0, `the file has ${bytes.length} bytes; the limit is ${FILE_BYTES_MAX}`);
  } else {
    checkFile(bytes, shape, options, reasons);
  }
  const sorted = reasons.list.sort((a, b) => a.offset - b.offset);
  return { reasons: sorted, report: reportOf(shape) };
}

function reportOf(shape: Shape): CheckReport {
  return {
    functions: shape.functions.length - shape.imported.length,
    codeBytes: shape.codeBytes,
    imports: shape.imported,
    exports: [...shape.exported.keys()],
    tableEntries: shape.tableEntries,
    globals: stateGlobals(shape),
    fuelPoints: shape.globalSets.get(shape.exported.get(FUEL_GLOBAL)?.index ?? -1) ?? 0,
  };
}

function stateGlobals(shape: Shape): StateGlobal[] {
  const exported = [...shape.exported].filter(([name]) => name.startsWith(STATE_GLOBAL));
  return exported.map(([name, { index }]) => ({ name, bytes: shape.globals[index] === "i64" ? 8 : 4 }));
}

function checkFile(bytes: Bytes, shape: Shape, options: CheckOptions, reasons: Reasons): void {
  const { found, fault } = sectionsUntilFault(bytes);
  if (fault !== undefined) reasons.add(fault.rule, fault.offset, fault.what);
  checkOrder(found, reasons);
  for (const section of found) {
    try {
      checkSection(section, { shape, options, reasons });
    } catch (error) {
      if (!(error instanceof WasmFault)) throw error;
      reasons.add(error.rule, error.offset, error.what);
    }
  }
  const declared = shape.functions.length - shape.imported.length;
  if (declared > 0 && !found.some(({ id }) => id === CODE_SECTION)) {
    reasons.add("malformed", bytes.length, `${declared} functions without a code section`);
  }
  // Whatever is wrong with its sections is said above; what is missing may be missing because of that.
  if (found.length > 0 && fault === undefined) checkExports(shape, options, reasons, bytes.length);
  validate(bytes, reasons);
}

const START_SECTION = 8;
const CODE_SECTION = 10;
const TAG_SECTION = 13;

function checkOrder(found: Section[], reasons: Reasons): void {
  let last = -1;
  const seen = new Set<number>();
  for (const { id, offset } of found) {
    if (id === CUSTOM_SECTION) continue;
    const order = orderOf(id);
    if (id === START_SECTION) reasons.add("start", offset, "the module has a start function");
    else if (id === TAG_SECTION) reasons.add("exception", offset, "the module has exception tags");
    else if (order === undefined) reasons.add("section-unknown", offset, `section ${id} is not known here`);
    if (seen.has(id)) reasons.add("section-twice", offset, `section ${id} is there twice`);
    else if (order !== undefined && order < last) reasons.add("section-order", offset, `section ${id} is too late`);
    seen.add(id);
    last = Math.max(last, order ?? last);
  }
}

/** V8's own word. Its place, if it tells one, is the byte behind "@+". */
function validate(bytes: Bytes, reasons: Reasons): void {
  const own = Uint8Array.from(bytes); // V8's typings refuse memory that might be shared
  if (WebAssembly.validate(own)) return;
  let told = "not valid WebAssembly";
  try {
    new WebAssembly.Module(own);
  } catch (error) {
    told = `not valid WebAssembly: ${error instanceof Error ? error.message : String(error)}`;
  }
  const place = Number(/@\+(\d+)/.exec(told)?.[1] ?? 0);
  reasons.add("invalid", place, told.replace("WebAssembly.Module(): ", ""));
}

function checkExports(shape: Shape, options: CheckOptions, reasons: Reasons, end: number): void {
  const refuse = (rule: Rule, what: string, offset = end): void => reasons.add(rule, offset, what);
  if (!shape.hasMemory) refuse("memory", "there is no memory");
  else if (shape.exported.get("memory")?.kind !== KIND_MEMORY) {
    refuse("memory", 'the memory is not exported as "memory"');
  }
  for (const wanted of options.border.exports) {
    const found = shape.exported.get(wanted.name);
    if (found === undefined && !wanted.required) continue;
    const title = `export "${wanted.name}"`;
    if (found === undefined) {
      refuse("export-missing", `${title} is missing: ${wasmType(wanted)}`);
      continue;
    }
    const type = found.kind === KIND_FUNCTION ? shape.functions[found.index] : "no function";
    if (type !== wasmType(wanted)) {
      refuse("export-type", `${title} must be ${wasmType(wanted)}; it is ${type}`, found.offset);
    }
  }
  for (const [name, { kind, offset }] of shape.exported) {
    if (isKnown(name, kind, options.border)) continue;
    const known = options.border.exports.map((one) => one.name).join(", ");
    refuse("export-unknown", `export "${name}" would never be called; the entry points are ${known}`, offset);
  }
}

/** An entry point that nobody will call is a misspelt one, or a runtime that waits for its initialisation. */
function isKnown(name: string, kind: number, border: Border): boolean {
  if (name === "memory") return kind === KIND_MEMORY;
  return kind === KIND_GLOBAL || border.exports.some((one) => one.name === name);
}
