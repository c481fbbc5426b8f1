// SPDX-License-Identifier: MIT
//
// What the parts of the instrumenter share: the module that is given, what was found in it so far, and which indices
// the things have that are added. Indices of functions and globals here are the output's, unless it says otherwise.

import type { WasmModule } from "./reader.js";

/** The namespace of the imports that are added: they come first, so all other functions move up by two. */
export const COVER_NAMESPACE = "cover";
export const ADDED_IMPORTS = 2;
export const PAIR = 0; // (site, a, b): a comparison had an outcome not seen before
export const EDGE = 1; // (site): something else happened for the first time

export type SiteKind = "function" | "condition" | "switch" | "equal" | "order" | "both" | "block";

export interface Site {
  kind: SiteKind;
  /** The global that holds its bits, and the first of its own. */
  word: number;
  bit: number;
  /** Function (as in the input) and byte in the input file. */
  function: number;
  offset: number;
}

export interface Builder {
  module: WasmModule;
  bytes: Uint8Array;
  sites: Site[];
  words: number;
  constants: bigint[];
  /** Globals of the module that change: each has a shadow behind its own globals, for save and restore. */
  mutable: MutableGlobal[];
  /** NO_GLOBAL: the mediator's core, which has neither fuel nor a limit of depth. */
  fuelGlobal: number;
  countsDepth: boolean;
  /** A bit for each straight line of instructions, too: what a report of lines needs, and no fuzzer. */
  countsBlocks: boolean;
  dirtyShift: number;
  /** Global indices. */
  dirty: number;
  depth: number;
  firstWord: number;
  markFunction: number;
}

export interface MutableGlobal {
  index: number;
  type: number;
  init: Uint8Array;
}

export const NO_GLOBAL = -1;

/** What an addition is exported as. */
export function added(name: string): string {
  return `__g_${name}`;
}

export function wordName(index: number): string {
  return added(`w${index}`);
}
