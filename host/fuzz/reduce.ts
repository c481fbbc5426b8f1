// SPDX-License-Identifier: MIT
//
// Making an input smaller while something stays true of it: records go in halves, quarters, ... single ones, from the
// end; then values become plain. Works in place; deterministic.

import { RECORD_WORDS, WORD_ADDR, WORD_DATA } from "./target.js";

/** Whether the first `records` records still do it. */
export type Still = (records: number) => boolean;

/** Drop records; answers how many are left. `still` is asked about the input as it stands then. */
export function dropRecords(words: Int32Array, records: number, still: Still): number {
  let left = records;
  for (let size = largestPower(left); size >= 1; size >>= 1) {
    for (let end = left; end > 0; end -= size) {
      const start = Math.max(0, end - size);
      if (end > left) continue;
      left = withoutRange(words, left, start, end, still);
    }
  }
  return left;
}

function largestPower(records: number): number {
  return records < 2 ? records : 2 ** Math.floor(Math.log2(records) - 1);
}

function withoutRange(words: Int32Array, records: number, start: number, end: number, still: Still): number {
  const kept = words.slice(start * RECORD_WORDS, records * RECORD_WORDS);
  words.copyWithin(start * RECORD_WORDS, end * RECORD_WORDS, records * RECORD_WORDS);
  const left = records - (end - start);
  if (still(left)) return left;
  words.set(kept, start * RECORD_WORDS);
  return records;
}

/** Values that people like to read, nearest to nothing first. */
const PLAIN = [0, 1, 0xff, 0xffff] as const;

/** Make values plain; `still` as above. Answers whether any changed. */
export function plainValues(words: Int32Array, records: number, still: Still): boolean {
  let changed = false;
  for (let at = 0; at < records * RECORD_WORDS; at += RECORD_WORDS) {
    for (const word of [WORD_DATA + 1, WORD_DATA, WORD_ADDR + 1])
      changed = plainWord(words, at + word, records, still) || changed;
  }
  return changed;
}

function plainWord(words: Int32Array, at: number, records: number, still: Still): boolean {
  const old = words[at] as number;
  for (const value of [...PLAIN, old & 0xff, old & 0xffff]) {
    if (value === old) break; // what comes behind it is no plainer
    words[at] = value;
    if (still(records)) return true;
  }
  words[at] = old;
  return false;
}
