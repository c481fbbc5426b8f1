// SPDX-License-Identifier: MIT
//
// The gate: does this file keep to the module ABI (docs/MODULE_ABI.md)? V8 says whether it is valid WebAssembly; then
// our own walk accepts section by section (check-sections.ts) and instruction by instruction (opcodes.ts) what is on a
// closed list, nothing else. Everything behind this file (binaryen, wasm2c, gcc) sees only what passed here.

import { checkSection, isKnownSection, KIND_FUNCTION, KIND_GLOBAL, KIND_MEMORY, type Shape } from "./check-sections.js";
import { type Border, wasmType } from "./contract.js";
import { PipelineError } from "./error.js";
import { FUEL_GLOBAL, STATE_GLOBAL } from "./instrument.js";
import type { Bytes } from "./store.js";
import { CUSTOM_SECTION, type Section, sections, WasmFault } from "./wasm-reader.js";

export interface CheckOptions {
  /** For messages. */
  name: string;
  border: Border;
  /** Bits that the manifest asks for. */
  capabilities: number;
  /** Exactly so many pages of 64 KiB. */
  memoryPages: number;
  /** The file comes from instrument.ts: the exported global `__fuel` belongs to it. */
  instrumented?: boolean;
}

export interface CheckReport {
  functions: number;
  codeBytes: number;
  imports: string[];
  exports: string[];
  /** Of instrumented files: the module's own mutable globals, in the order of their names __g0, __g1, ... */
  globals: StateGlobal[];
  /** Of instrumented files: places where fuel is paid. */
  fuelPoints: number;
}

export interface StateGlobal {
  name: string;
  bytes: 4 | 8;
}

const FILE_BYTES_MAX = 1 << 20; // the image has 512 KiB in all
const NOT_ALLOWED = new Map([
  [4, "a table; modules have none: use a switch instead of function pointers or closures"],
  [8, "a start function; nothing runs before attach: give top-level variables constant values"],
  [9, "table elements; modules have no tables: use a switch instead of function pointers or closures"],
  [13, "exception tags; switch exceptions off in your compiler"],
]);

/** Throws PipelineError with function, byte and remedy when the file breaks a rule. */
export function check(bytes: Bytes, options: CheckOptions): CheckReport {
  try {
    return checkFile(bytes, options);
  } catch (error) {
    if (!(error instanceof WasmFault)) throw error;
    throw new PipelineError(options.name, "check", error.message);
  }
}

function checkFile(bytes: Bytes, options: CheckOptions): CheckReport {
  if (bytes.length > FILE_BYTES_MAX) {
    throw new WasmFault(0, `the file has ${bytes.length} bytes; the limit is ${FILE_BYTES_MAX}`);
  }
  const shape: Shape = {
    types: [],
    functions: [],
    imported: [],
    exported: new Map(),
    globals: [],
    globalSets: new Map(),
    codeBytes: 0,
    hasMemory: false,
  };
  const all = sections(bytes);
  for (const section of all) refuseSection(section);
  validate(bytes);
  for (const section of all) checkSection(section, shape, options);
  if (!shape.hasMemory) throw new WasmFault(bytes.length, "there is no memory");
  checkExports(shape, options);
  return {
    functions: shape.functions.length - shape.imported.length,
    codeBytes: shape.codeBytes,
    imports: shape.imported,
    exports: [...shape.exported.keys()],
    globals: stateGlobals(shape),
    fuelPoints: shape.globalSets.get(shape.exported.get(FUEL_GLOBAL)?.index ?? -1) ?? 0,
  };
}

function stateGlobals(shape: Shape): StateGlobal[] {
  const exported = [...shape.exported].filter(([name]) => name.startsWith(STATE_GLOBAL));
  return exported.map(([name, { index }]) => ({ name, bytes: shape.globals[index] === "i64" ? 8 : 4 }));
}

function refuseSection(section: Section): void {
  const reason = NOT_ALLOWED.get(section.id);
  if (reason !== undefined) throw new WasmFault(section.offset, `the module has ${reason}`);
  if (section.id !== CUSTOM_SECTION && !isKnownSection(section.id)) {
    throw new WasmFault(section.offset, `section ${section.id} is not known here`);
  }
}

function validate(bytes: Bytes): void {
  const own = Uint8Array.from(bytes); // V8's typings refuse memory that might be shared
  if (WebAssembly.validate(own)) return;
  try {
    new WebAssembly.Module(own);
  } catch (error) {
    throw new WasmFault(0, `not valid WebAssembly: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new WasmFault(0, "not valid WebAssembly");
}

function checkExports(shape: Shape, options: CheckOptions): void {
  if (shape.exported.get("memory")?.kind !== KIND_MEMORY)
    throw new WasmFault(0, 'the memory is not exported as "memory"');
  for (const wanted of options.border.exports) {
    const found = shape.exported.get(wanted.name);
    if (found === undefined && !wanted.required) continue;
    if (found === undefined) throw new WasmFault(0, `export "${wanted.name}" is missing: ${wasmType(wanted)}`);
    const type = found.kind === KIND_FUNCTION ? shape.functions[found.index] : "no function";
    if (type !== wasmType(wanted)) {
      throw new WasmFault(0, `export "${wanted.name}" must be ${wasmType(wanted)}; it is ${type}`);
    }
  }
  for (const [name, { kind }] of shape.exported) refuseUnknown(name, kind, options.border);
}

/** An entry point that nobody will call is a misspelt one, or a runtime that waits for its initialisation. */
function refuseUnknown(name: string, kind: number, border: Border): void {
  if (name === "memory" || kind === KIND_GLOBAL || border.exports.some((one) => one.name === name)) return;
  const known = border.exports.map((one) => one.name).join(", ");
  throw new WasmFault(0, `export "${name}" would never be called; the entry points are ${known}`);
}
