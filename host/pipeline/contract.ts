// SPDX-License-Identifier: MIT
//
// The signatures of both borders, as data. The core's border is read out of unikernel/abi/shim.ts (its one home); the
// modules' is the table below, whose constants come from unikernel/abi/module.ts (a test holds the SDK against it).

import { readFileSync } from "node:fs";
import {
  CAPABILITY_BUFFER,
  CAPABILITY_IRQ,
  CAPABILITY_LOG,
  CAPABILITY_MEMORY,
  CAPABILITY_NONE,
  CAPABILITY_POLL,
  CAPABILITY_SCANOUT,
  CAPABILITY_WORK,
  MODULE_IMPORT_NAMESPACE,
} from "../../unikernel/abi/module.js";
import { inProject } from "./paths.js";

/** An integer as the sources write it; in WebAssembly it is i32 or i64. */
export type IntegerType = "u32" | "i32" | "u64" | "i64";

export interface Signature {
  name: string;
  parameters: IntegerType[];
  result: IntegerType | "void";
}

export interface Import extends Signature {
  /** The bits of unikernel/abi/module.ts that must all be granted; 0 = always. */
  capability: number;
}

export interface Export extends Signature {
  required: boolean;
}

export interface Border {
  namespace: string;
  imports: Import[];
  exports: Export[];
}

/** What capabilities are called in manifests. */
export const CAPABILITY_BITS: ReadonlyMap<string, number> = new Map([
  ["irq", CAPABILITY_IRQ],
  ["scanout", CAPABILITY_SCANOUT],
  ["log", CAPABILITY_LOG],
  ["work", CAPABILITY_WORK],
  ["memory", CAPABILITY_MEMORY],
  ["buffer", CAPABILITY_BUFFER],
  ["poll", CAPABILITY_POLL],
]);

/** A module's entry points in the order of ENTRY_*; each takes at most four arguments. */
const MODULE_EXPORTS: Export[] = [
  { name: "attach", parameters: [], result: "i32", required: true },
  { name: "reset", parameters: [], result: "void", required: true },
  { name: "bar_read", parameters: ["u32", "u32", "u32"], result: "u64", required: true },
  { name: "bar_write", parameters: ["u32", "u32", "u32", "u64"], result: "void", required: true },
  { name: "event", parameters: ["u32", "u64"], result: "void", required: false },
  { name: "work_done", parameters: ["u64", "u32"], result: "void", required: false },
  { name: "state_buffer", parameters: [], result: "u32", required: false },
  { name: "state_save", parameters: [], result: "i32", required: false },
  { name: "state_restore", parameters: ["u32", "u32"], result: "i32", required: false },
];

const MODULE_IMPORTS: Import[] = [
  { name: "param", parameters: ["u32"], result: "u64", capability: CAPABILITY_NONE },
  { name: "irq_raise", parameters: ["u32"], result: "i32", capability: CAPABILITY_IRQ },
  {
    name: "scanout_set",
    parameters: ["u32", "u32", "u64", "u32", "u32", "u32", "u32"],
    result: "i32",
    capability: CAPABILITY_SCANOUT,
  },
  {
    name: "scanout_flush",
    parameters: ["u32", "u32", "u32", "u32", "u32"],
    result: "i32",
    capability: CAPABILITY_SCANOUT,
  },
  { name: "log", parameters: ["u32", "u32"], result: "void", capability: CAPABILITY_LOG },
  {
    name: "work_copy",
    parameters: ["u32", "u64", "u32", "u64", "u32", "u32", "u64", "u32", "u32", "u32"],
    result: "i32",
    capability: CAPABILITY_WORK | CAPABILITY_BUFFER,
  },
  { name: "work_fence", parameters: ["u32", "u64"], result: "i32", capability: CAPABILITY_WORK },
  { name: "guest_read", parameters: ["u64", "u32", "u32"], result: "i32", capability: CAPABILITY_MEMORY },
  { name: "guest_write", parameters: ["u64", "u32", "u32"], result: "i32", capability: CAPABILITY_MEMORY },
  { name: "buffer_create", parameters: ["u32", "u32"], result: "u32", capability: CAPABILITY_BUFFER },
  { name: "buffer_append", parameters: ["u32", "u32", "u32"], result: "i32", capability: CAPABILITY_BUFFER },
  { name: "buffer_bar", parameters: ["u32", "u64", "u64"], result: "u32", capability: CAPABILITY_BUFFER },
  { name: "buffer_destroy", parameters: ["u32"], result: "i32", capability: CAPABILITY_BUFFER },
  { name: "buffer_read", parameters: ["u32", "u64", "u32", "u32"], result: "i32", capability: CAPABILITY_BUFFER },
  { name: "buffer_write", parameters: ["u32", "u64", "u32", "u32"], result: "i32", capability: CAPABILITY_BUFFER },
  {
    name: "buffer_copy",
    parameters: ["u32", "u64", "u32", "u32", "u64", "u32", "u32", "u32"],
    result: "i32",
    capability: CAPABILITY_BUFFER,
  },
  {
    name: "scanout_set_buffer",
    parameters: ["u32", "u32", "u64", "u32", "u32", "u32", "u32"],
    result: "i32",
    capability: CAPABILITY_SCANOUT | CAPABILITY_BUFFER,
  },
  {
    name: "cursor_set",
    parameters: ["u32", "u32", "u64", "u32", "u32", "u32", "u32"],
    result: "i32",
    capability: CAPABILITY_SCANOUT | CAPABILITY_BUFFER,
  },
  { name: "cursor_move", parameters: ["u32", "i32", "i32"], result: "i32", capability: CAPABILITY_SCANOUT },
  { name: "poll", parameters: ["u64"], result: "i32", capability: CAPABILITY_POLL },
];

export const MODULE_BORDER: Border = {
  namespace: MODULE_IMPORT_NAMESPACE,
  imports: MODULE_IMPORTS,
  exports: MODULE_EXPORTS,
};

/** The border between core and shim, as unikernel/abi/shim.ts declares it. */
export function coreBorder(text = readFileSync(inProject("unikernel/abi/shim.ts"), "utf8")): Border {
  const joined = text.replace(/\n\/\/ {3}/g, " "); // a declaration in a comment may go on on the next line
  const imports = [...joined.matchAll(/@external\("shim", "(\w+)"\)\s+export declare function \w+(\([^)]*\): \w+);/g)];
  const exports = [...joined.matchAll(/^\/\/ export function (\w+)(\([^)]*\): \w+);/gm)];
  if (imports.length === 0 || exports.length === 0) throw new Error("unikernel/abi/shim.ts declares nothing");
  return {
    namespace: "shim",
    imports: imports.map(([, name, rest]) => ({ ...parse(name as string, rest as string), capability: 0 })),
    exports: exports.map(([, name, rest]) => ({ ...parse(name as string, rest as string), required: true })),
  };
}

/** "(a: u32, b: u64): i32" */
function parse(name: string, text: string): Signature {
  const [, list, result] = /^\(([^)]*)\): (\w+)$/.exec(text) ?? [];
  const parameters = (list ?? "").split(",").filter((part) => part.trim() !== "");
  return {
    name,
    parameters: parameters.map((part) => integer(name, part.split(":")[1]?.trim())),
    result: result === "void" ? "void" : integer(name, result),
  };
}

function integer(name: string, text: string | undefined): IntegerType {
  if (text === "u32" || text === "i32" || text === "u64" || text === "i64") return text;
  throw new Error(`unikernel/abi/shim.ts: ${name}: "${text}" cannot cross the border`);
}

/** "(i32, i64) -> i32" as WebAssembly sees it. */
export function wasmType(signature: Signature): string {
  const name = (type: string): string => (type === "void" ? "nothing" : type.endsWith("64") ? "i64" : "i32");
  return `(${signature.parameters.map(name).join(", ")}) -> ${name(signature.result)}`;
}
