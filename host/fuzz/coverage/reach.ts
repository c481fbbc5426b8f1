// SPDX-License-Identifier: MIT
//
// What a set of inputs reached, as plain data in the words of the module's own file: functions, instructions by their
// byte, and branches by the outcomes that they had. Made where the inputs ran (worker/thread.ts), told over the border.

import type { Site } from "../cover/builder.js";
import { isWithZero } from "../cover/opcode.js";
import { readModule, type WasmModule } from "../cover/reader.js";
import { align, instructionsOf, type Pair } from "./align.js";
import { functionNames } from "./names.js";

export interface Reach {
  functions: FunctionReach[];
  branches: BranchReach[];
}

export interface FunctionReach {
  /** As in the file, imported ones first. */
  index: number;
  name: string | undefined;
  /** Its first byte of code. */
  offset: number;
  entered: boolean;
  /** Bytes of its instructions, ascending, and whether each was run; undefined: the file's are not told apart. */
  instructions: { offset: number; ran: boolean }[] | undefined;
}

/** A comparison, a condition, a br_table that was run. */
export interface BranchReach {
  offset: number;
  opcode: number;
  /** 1: it always went the same way. */
  outcomes: 1 | 2;
  /** In words, where it went only one way. */
  always: string;
}

/** `ran`: with fuel, where it has any, and what the sites are in; `words`: their bits. */
export function reachOf(own: Uint8Array, ran: Uint8Array, sites: readonly Site[], words: readonly bigint[]): Reach {
  const [mine, theirs] = [readModule(own), readModule(ran)];
  const names = functionNames(own, mine);
  const byFunction = groupedByFunction(sites);
  const reach: Reach = { functions: [], branches: [] };
  for (const [nth, body] of mine.bodies.entries()) {
    const index = mine.imports.length + nth;
    const here = byFunction.get(index) ?? [];
    const entered = here.some((one) => one.kind === "function" && hasBit(words, one));
    const pairs = own === ran ? sameOf(mine, nth) : align(mine, theirs, nth);
    const instructions = pairs && ranOf(pairs, here, words);
    reach.functions.push({ index, name: names.get(index), offset: body.code.at, entered, instructions });
    if (pairs !== undefined) reach.branches.push(...branchesOf(own, pairs, here, words));
  }
  return reach;
}

function groupedByFunction(sites: readonly Site[]): Map<number, Site[]> {
  const groups = new Map<number, Site[]>();
  for (const one of sites) {
    const group = groups.get(one.function) ?? [];
    groups.set(one.function, group);
    group.push(one);
  }
  return groups;
}

const hasBit = (words: readonly bigint[], { word, bit }: Site): boolean =>
  (((words[word] ?? 0n) >> BigInt(bit)) & 1n) === 1n;

/** The file itself ran. */
function sameOf(module: WasmModule, index: number): Pair[] {
  return instructionsOf(module, index).map(({ start }) => ({ own: start, ran: start }));
}

/** An instruction was run when the straight line was that it stands in. */
function ranOf(pairs: readonly Pair[], sites: readonly Site[], words: readonly bigint[]) {
  const lines = sites
    .filter((one) => one.kind === "function" || one.kind === "block")
    .sort((a, b) => a.offset - b.offset);
  let line = -1;
  return pairs.map(({ own, ran }) => {
    while (line + 1 < lines.length && (lines[line + 1] as Site).offset <= ran) line++;
    const at = lines[line];
    return { offset: own, ran: at !== undefined && hasBit(words, at) };
  });
}

function branchesOf(
  own: Uint8Array,
  pairs: readonly Pair[],
  sites: readonly Site[],
  words: readonly bigint[],
): BranchReach[] {
  const places = new Map(pairs.map((one) => [one.ran, one.own]));
  return sites.flatMap((site) => {
    const offset = places.get(site.offset);
    if (offset === undefined) return [];
    const opcode = own[offset] as number;
    const seen = outcomesOf(site, opcode, words[site.word] ?? 0n);
    return seen === undefined ? [] : [{ offset, opcode, ...seen }]; // never run: its line says so
  });
}

/** What each kind's bits say: host/fuzz/cover/cover.ts. */
function outcomesOf(
  { kind, bit }: Site,
  opcode: number,
  value: bigint,
): Pick<BranchReach, "outcomes" | "always"> | undefined {
  const [same, other] = isWithZero(opcode) ? ["0", "other than 0"] : ["equal", "different"];
  switch (kind) {
    case "condition":
      return ofTwo(((value >> BigInt(bit)) & 1n) !== 0n, ((value >> BigInt(bit)) & 2n) !== 0n, "not taken", "taken");
    case "equal":
      return ofTwo((value & 1n) !== 0n, value >> 1n !== 0n, same, other);
    case "order":
      return ofTwo((value & 0xffff_ffffn) !== 0n, value >> 32n !== 0n, "false", "true");
    case "both":
    case "switch": {
      const count = [...value.toString(2)].filter((one) => one === "1").length;
      return ofTwo(count > 0, count > 1, "the same", "");
    }
    default:
      return undefined;
  }
}

function ofTwo(one: boolean, other: boolean, first: string, second: string) {
  if (!one && !other) return undefined;
  return one && other ? { outcomes: 2 as const, always: "" } : { outcomes: 1 as const, always: one ? first : second };
}
