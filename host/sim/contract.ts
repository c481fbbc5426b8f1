// SPDX-License-Identifier: MIT
//
// Numbers of the contract between core and shim, read out of their one home, unikernel/abi/shim.ts. (That file also
// declares wasm imports, which only AssemblyScript understands, so it cannot be imported here.)

import { readFileSync } from "node:fs";
import { inProject } from "../pipeline/paths.js";

const numbers = new Map<string, number>();
for (const [, name, value] of readFileSync(inProject("unikernel/abi/shim.ts"), "utf8").matchAll(
  /^export const (\w+) = (.+);$/gm,
)) {
  numbers.set(name as string, numberOf(value as string));
}

/** A literal, or the one expression that the file has: the smallest i32. */
function numberOf(text: string): number {
  return text === "(-0x7fffffff - 1)" ? -0x80000000 : Number(text);
}

/** The value of a constant of unikernel/abi/shim.ts. */
export function shim(name: string): number {
  const value = numbers.get(name);
  if (value === undefined || Number.isNaN(value)) throw new Error(`unikernel/abi/shim.ts has no constant ${name}`);
  return value;
}
