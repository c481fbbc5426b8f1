// SPDX-License-Identifier: MIT
//
// The fuzzer's instrumentation, byte by byte: what is not added stays where it was, in the same order, so that a place
// in the output is a place in the input. Added are
//
//   sites     a word of 64 bits (a global, which no module can reach) for each comparison, 32 conditions or br_table:
//             a bit set when a thing happens for the first time; only then an import is told. So what was seen
//             before costs a load, a test and a branch that is not taken.
//   dirty     a bit for each 64th of the memory, set before each store into it
//   depth     calls nested deeper than the driver domain allows (only where the module's calls could be)
//   entries   __g_*: the entry points with their budget of fuel as one more argument, and what the driver needs
//
// Memory, its size and where it ends are the module's own: faults are V8's, at the same operation as without all this.
//
//   eq, ne, eqz  bit popcount(a ^ b)                      how many bits are wrong; 0 = equal
//   lt gt le ge  bit 31 - log2|a - b|, + 32 when true     on which side, and how near the border
//   and, or      4 bits: which of two comparisons hold            compilers fold `a && b` so: no branch tells
//   conditions   2 bits: not taken, taken                 where no comparison tells it already
//   br_table     bit min(index, labels, 63)
//   function     1 bit: entered
//   block        1 bit: run (only for reports of lines: host/fuzz/coverage)

import { FUEL_GLOBAL } from "../../pipeline/instrument.js";
import { addedFunctions } from "./added.js";
import { assemble } from "./assemble.js";
import { coverBody } from "./body.js";
import { ADDED_IMPORTS, type Builder, NO_GLOBAL, type Site } from "./builder.js";
import { canNestDeep } from "./depth.js";
import { readModule } from "./reader.js";
import { Writer } from "./writer.js";

export interface Covered {
  wasm: Uint8Array<ArrayBuffer>;
  sites: Site[];
  words: number;
  /** Constants of the code, in order of appearance: what the module compares and adds. */
  constants: bigint[];
  /** Dirty bit n stands for memory from n << dirtyShift on. */
  dirtyShift: number;
  memoryPages: number;
  hasEvent: boolean;
  hasWorkDone: boolean;
  /** A place in the output to one in the input. */
  inputOffset(offset: number): number;
}

const PAGE_SHIFT = 16;
const DIRTY_BITS_LOG2 = 6;

/** `wasm` comes from prepareWasm: checked, canonical, with fuel; or, `isCore`, it is core.wasm. */
export function cover(wasm: Uint8Array, isCore = false, countsBlocks = false): Covered {
  const builder = builderOf(wasm, isCore, countsBlocks);
  const { module } = builder;
  const bodies = module.bodies.map((_, index) => coverBody(builder, index));
  const extra = addedFunctions(builder);
  const code = new Writer().u32(bodies.length + extra.length);
  const moved: [number, number][] = [];
  for (const { writer, places } of bodies) {
    code.u32(writer.length);
    for (const [out, input] of places) moved.push([code.length + out, input]);
    code.raw(writer.done());
  }
  for (const one of extra) code.u32(one.body.length).raw(one.body.done());
  const { wasm: out, codeStart } = assemble(builder, extra, code);
  const starts = moved.map(([at]) => at + codeStart);
  return {
    wasm: out,
    sites: builder.sites,
    words: builder.words,
    constants: builder.constants,
    dirtyShift: builder.dirtyShift,
    memoryPages: module.memoryPages,
    hasEvent: module.exports.some((one) => one.name === "event"),
    hasWorkDone: module.exports.some((one) => one.name === "work_done"),
    inputOffset: (offset) => moved[lastAtMost(starts, offset)]?.[1] ?? 0,
  };
}

function builderOf(bytes: Uint8Array, isCore: boolean, countsBlocks: boolean): Builder {
  const module = readModule(bytes);
  const pagesLog2 = Math.ceil(Math.log2(Math.max(1, module.memoryPages)));
  const fuel = module.exports.find((one) => one.name === FUEL_GLOBAL);
  if (fuel === undefined && !isCore) throw new Error(`no exported global ${FUEL_GLOBAL}: instrument the module first`);
  const mutable = module.globals.map((one, index) => ({ ...one, index })).filter((one) => one.mutable);
  const globals = module.globals.length + mutable.length;
  return {
    module,
    bytes,
    sites: [],
    words: 0,
    constants: [],
    mutable,
    fuelGlobal: fuel?.index ?? NO_GLOBAL,
    countsDepth: !isCore && canNestDeep(module),
    countsBlocks,
    dirtyShift: PAGE_SHIFT + pagesLog2 - DIRTY_BITS_LOG2,
    dirty: globals,
    depth: globals + 1,
    firstWord: globals + 2,
    markFunction: ADDED_IMPORTS + module.functions.length,
  };
}

function lastAtMost(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
