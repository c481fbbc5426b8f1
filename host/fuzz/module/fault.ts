// SPDX-License-Identifier: MIT
//
// How a call ended badly: which fault of docs/MODULE_ABI.md, and where in the module. V8 tells the first by its
// messages, the second by the stack of the exception.

import { DEPTH_MAX } from "../cover/depth.js";

export type FaultName = "fuel" | "stack" | "memory" | "arithmetic" | "unreachable" | "table" | "capability" | "promise";

/** In the order of FAULT_*, unikernel/abi/shim.ts; 0 is none. */
export const FAULTS: readonly FaultName[] = [
  "fuel",
  "stack",
  "memory",
  "arithmetic",
  "unreachable",
  "table",
  "capability",
  "promise",
];

const TRAPS: [RegExp, FaultName][] = [
  [/memory access out of bounds/, "memory"],
  [/divide|remainder|overflow|unrepresentable/, "arithmetic"],
  [/table|signature|null function/, "table"],
];

/** `told` is the driver's FAULT_*, 0 when the module fell by itself. */
export function faultOf(error: unknown, told: number, fuelLeft: number, depth: number): FaultName {
  if (error instanceof RangeError) return "stack";
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  const { message } = error;
  if (told !== 0) return FAULTS[told - 1] ?? "unreachable";
  if (depth > DEPTH_MAX) return "stack";
  if (fuelLeft < 0) return "fuel";
  return TRAPS.find(([words]) => words.test(message))?.[1] ?? "unreachable";
}

export interface Place {
  /** As in the binary that ran. */
  function: number;
  offset: number;
}

/** Frames of an exception, innermost first, with the name that V8 gave the binary. */
export function framesOf(error: unknown): (Place & { binary: string })[] {
  const stack = (error as Error).stack ?? "";
  return [...stack.matchAll(/(wasm:\/\/wasm\/\S*?):wasm-function\[(\d+)\]:0x([0-9a-f]+)/g)].map(
    ([, binary = "", index = "", offset = ""]) => ({
      binary,
      function: Number(index),
      offset: Number.parseInt(offset, 16),
    }),
  );
}
