// SPDX-License-Identifier: MIT
//
// What a corpus reaches, by source file and line where the module has a source map, by function and byte where it has
// none. A line counts when code was made of it; it is reached when any of that code was run. Code of one line may stand
// in several functions, because compilers put small functions into their callers.

import type { BranchReach, FunctionReach, Reach } from "./reach.js";
import type { SourceMap } from "./source-map.js";

export interface CoverageReport {
  module: string;
  version: string;
  corpus: string;
  inputs: number;
  /** Inputs that end in a fault of the module (or a checker's word): what stands behind it was not run. */
  faults: number;
  sum: Sum;
  /** With a source map: by path. */
  files: FileReport[];
  neverEntered: FunctionWords[];
  /** Run, and always the same way. */
  oneSided: BranchWords[];
  /** Functions whose instructions could not be told apart in what ran. */
  untold: FunctionWords[];
}

export interface Sum {
  lines: Share;
  instructions: Share;
  functions: Share;
  /** Branches that were run, and those that went both ways. */
  branches: Share;
}

export interface Share {
  reached: number;
  all: number;
}

export interface FileReport {
  path: string;
  lines: LineReport[];
  sum: { lines: Share; instructions: Share; branches: Share };
}

export interface LineReport {
  line: number;
  /** Instructions made of it. */
  ran: number;
  all: number;
  /** Its branches that went one way only, in words. */
  oneSided: string[];
}

export interface FunctionWords {
  name: string;
  /** FILE:LINE or a byte. */
  at: string;
}

export interface BranchWords {
  at: string;
  words: string;
  /** So many of them there: compilers copy small functions and unroll loops. */
  count: number;
}

/** How a line is told: all of its code ran and branched both ways, some of it, nothing. */
export type LineState = "reached" | "partly" | "missed";

export function stateOf({ ran, all, oneSided }: LineReport): LineState {
  if (ran === 0) return "missed";
  return ran === all && oneSided.length === 0 ? "reached" : "partly";
}

export interface Told {
  module: string;
  version: string;
  corpus: string;
  inputs: number;
  faults: number;
}

export function reportOf(told: Told, reach: Reach, map: SourceMap | undefined): CoverageReport {
  const at = (offset: number): string => {
    const place = map?.at(offset);
    return place === undefined ? `byte 0x${offset.toString(16)}` : `${place.source}:${place.line}`;
  };
  const { functions, branches } = reach;
  const files = map === undefined ? [] : filesOf(functions, branches, map);
  return {
    ...told,
    sum: {
      lines: total(files.map((one) => one.sum.lines)),
      instructions: shareOf(functions.flatMap((one) => one.instructions ?? []).map((one) => one.ran)),
      functions: shareOf(functions.map((one) => one.entered)),
      branches: shareOf(branches.map((one) => one.outcomes === 2)),
    },
    files,
    neverEntered: functions.filter((one) => !one.entered).map((one) => wordsOf(one, at)),
    oneSided: oneSidedOf(branches, at),
    untold: functions.filter((one) => one.instructions === undefined).map((one) => wordsOf(one, at)),
  };
}

function shareOf(all: readonly boolean[]): Share {
  return { reached: all.filter((one) => one).length, all: all.length };
}

function total(shares: readonly Share[]): Share {
  const add = (sum: Share, one: Share): Share => ({ reached: sum.reached + one.reached, all: sum.all + one.all });
  return shares.reduce(add, { reached: 0, all: 0 });
}

function wordsOf({ index, name, offset, instructions }: FunctionReach, at: (offset: number) => string): FunctionWords {
  const what = name === undefined ? `function ${index}` : `function ${index} (${name})`;
  return { name: what, at: at(instructions?.[0]?.offset ?? offset) };
}

function oneSidedOf(branches: readonly BranchReach[], at: (offset: number) => string): BranchWords[] {
  const found = new Map<string, BranchWords>();
  for (const one of branches) {
    if (one.outcomes !== 1) continue;
    const words = { at: at(one.offset), words: said(one), count: 0 };
    const key = `${words.at} ${words.words}`;
    found.set(key, { ...words, count: (found.get(key)?.count ?? 0) + 1 });
  }
  const byPlace = new Intl.Collator("en", { numeric: true });
  return [...found.values()].sort((a, b) => byPlace.compare(a.at, b.at) || byPlace.compare(a.words, b.words));
}

/** How text and HTML say it. */
export function branchLine({ at, words, count }: BranchWords): string {
  return `${at}  ${words}${count > 1 ? ` (${count} copies)` : ""}`;
}

/** WebAssembly's own words: which way a comparison goes may be turned around by the compiler. */
const OPCODES = new Map<number, string>([
  [0x04, "if"],
  [0x0d, "br_if"],
  [0x0e, "br_table"],
  [0x1b, "select"],
  [0x71, "and"],
  [0x72, "or"],
  ...["eqz", "eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"].flatMap(
    (name, i): [number, string][] => [
      [0x45 + i, `i32.${name}`],
      [0x50 + i, `i64.${name}`],
    ],
  ),
]);

function said({ opcode, always }: BranchReach): string {
  return `${OPCODES.get(opcode) ?? `opcode 0x${opcode.toString(16)}`}: always ${always}`;
}

// --- by line ---

function filesOf(functions: readonly FunctionReach[], branches: readonly BranchReach[], map: SourceMap): FileReport[] {
  const files = new Map<string, Map<number, LineReport>>();
  const sides = new Map<string, boolean[]>();
  const lineAt = (offset: number): LineReport | undefined => {
    const place = map.at(offset);
    if (place === undefined) return undefined;
    const lines = files.get(place.source) ?? new Map<number, LineReport>();
    files.set(place.source, lines);
    const line = lines.get(place.line) ?? { line: place.line, ran: 0, all: 0, oneSided: [] };
    lines.set(place.line, line);
    return line;
  };
  for (const { offset, ran } of functions.flatMap((one) => one.instructions ?? [])) {
    const line = lineAt(offset);
    if (line === undefined) continue;
    line.all++;
    if (ran) line.ran++;
  }
  for (const one of branches) {
    const source = map.at(one.offset)?.source;
    if (source !== undefined) sides.set(source, [...(sides.get(source) ?? []), one.outcomes === 2]);
    if (one.outcomes === 1) lineAt(one.offset)?.oneSided.push(said(one));
  }
  return [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, lines]) => fileOf(path, [...lines.values()], sides.get(path) ?? []));
}

function fileOf(path: string, unordered: LineReport[], sides: readonly boolean[]): FileReport {
  const lines = unordered.sort((a, b) => a.line - b.line);
  return {
    path,
    lines,
    sum: {
      lines: shareOf(lines.map((one) => one.ran > 0)),
      instructions: total(lines.map(({ ran, all }) => ({ reached: ran, all }))),
      branches: shareOf(sides),
    },
  };
}
