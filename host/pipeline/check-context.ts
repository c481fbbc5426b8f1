// SPDX-License-Identifier: MIT
//
// What the check of a file is asked (its options) and what it learns on the way (the shape of the module).

import type { Border } from "./contract.js";
import type { Reasons } from "./reasons.js";

export interface CheckOptions {
  /** For messages. */
  name: string;
  border: Border;
  /** Bits that the manifest asks for. */
  capabilities: number;
  /** Exactly so many pages of 64 KiB; undefined: as many as they want, but a fixed number. */
  memoryPages: number | undefined;
  /** Most entries of the one table; missing or 0: there is no table. */
  tableEntries?: number;
  /** The file comes from instrument.ts: the exported global `__fuel` belongs to it. */
  instrumented?: boolean;
}

export interface Shape {
  types: string[];
  /** Type of each function, imported ones first. */
  functions: string[];
  imported: string[];
  exported: Map<string, { kind: number; index: number; offset: number }>;
  /** Type of each global. */
  globals: ("i32" | "i64")[];
  mutableGlobals: Set<number>;
  /** How often each global is set. */
  globalSets: Map<number, number>;
  codeBytes: number;
  hasMemory: boolean;
  /** Entries of the one table; 0 = there is none. */
  tableEntries: number;
}

/** What every section's check is given. */
export interface Context {
  shape: Shape;
  options: CheckOptions;
  reasons: Reasons;
}
