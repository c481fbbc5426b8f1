// SPDX-License-Identifier: MIT
//
// A smaller input that ends in the same finding: records go first, then values become plain, until nothing more can
// go. The same file in, the same file out.

import { dropRecords, plainValues } from "./reduce.js";
import { type Finding, RECORD_WORDS, type Target } from "./target.js";

export interface Minimized {
  words: Int32Array;
  finding: Finding;
  /** Inputs that were run for it. */
  runs: number;
}

const ROUNDS_MAX = 8;

/** The finding that an input ends in; undefined: none. A fault, or else what the second look finds. */
export function findingOf(target: Target, params: number, records: number): Finding | undefined {
  if (target.run(params, records) < 0) return target.finding();
  return target.secondLook(params, records);
}

/** `beat` is called at each run, for whoever watches. undefined: the input ends in no finding at all. */
export function minimize(
  target: Target,
  params: number,
  words: Int32Array,
  beat: () => void = () => {},
): Minimized | undefined {
  target.input.set(words);
  let records = words.length / RECORD_WORDS;
  const first = findingOf(target, params, records);
  if (first === undefined) return undefined;
  let runs = 1;
  const still = (count: number): boolean => {
    runs++;
    beat();
    return findingOf(target, params, count)?.key === first.key;
  };
  for (let round = 0, changed = true; changed && round < ROUNDS_MAX; round++) {
    const left = dropRecords(target.input, records, still);
    changed = plainValues(target.input, left, still) || left < records;
    records = left;
  }
  const finding = findingOf(target, params, records) ?? first;
  return { words: target.input.slice(0, records * RECORD_WORDS), finding, runs };
}
