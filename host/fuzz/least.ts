// SPDX-License-Identifier: MIT
//
// A corpus as small as it is easily made: of some inputs those that reach an outcome of a branch first, shortest first,
// each without the records that its outcomes do not need. What it gives up is how near comparisons came, so it is to be
// kept and replayed; to go on fuzzing from, the whole corpus is better.

import type { Site } from "./cover/builder.js";
import { outcomesOf } from "./cover/count.js";
import { dropRecords } from "./reduce.js";
import { type Input, RECORD_WORDS, type Target } from "./target.js";

/** `inputs`: shortest first. `beat` is called at each run, for whoever watches. */
export function least(
  target: Target,
  sites: readonly Site[],
  inputs: readonly Input[],
  beat: (params: number, records: number) => void = () => {},
): Input[] {
  const reached = new Set<number>();
  const outcomes = (params: number, records: number): Set<number> => {
    beat(params, records);
    return outcomesOf(sites, target.reach(params, records).features);
  };
  const kept: { input: Input; outcomes: Set<number> }[] = [];
  for (const { params, words } of inputs) {
    target.input.set(words);
    const records = words.length / RECORD_WORDS;
    const fresh = [...outcomes(params, records)].filter((one) => !reached.has(one));
    if (fresh.length === 0) continue;
    const left = dropRecords(target.input, records, (count) => {
      const still = outcomes(params, count);
      return fresh.every((one) => still.has(one));
    });
    const own = outcomes(params, left);
    for (const one of own) reached.add(one);
    kept.push({ input: { params, words: target.input.slice(0, left * RECORD_WORDS) }, outcomes: own });
  }
  return needed(kept).map((one) => one.input);
}

/** Short ones that came first and whose outcomes later ones have, too, go again. */
function needed<T extends { outcomes: Set<number> }>(kept: readonly T[]): T[] {
  const counts = new Map<number, number>();
  const add = (one: T, by: number): void => {
    for (const outcome of one.outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + by);
  };
  for (const one of kept) add(one, 1);
  return kept.filter((one) => {
    const isNeeded = [...one.outcomes].some((outcome) => counts.get(outcome) === 1);
    if (!isNeeded) add(one, -1);
    return isNeeded;
  });
}
