// SPDX-License-Identifier: MIT
//
// Inputs of core and modules together, for the campaign's loop: made and changed as host/sim/fuzz/generate.ts does, and
// with what the parent's comparisons saw put where the other side of the comparison came from.

import { generate, mutate } from "../../sim/fuzz/generate.js";
import { createRandom, type Random as SimRandom } from "../../sim/random.js";
import { decodeRecords, encodeRecords, type TraceRecord } from "../../trace/index.js";
import type { Changer } from "../mutate/mutator.js";
import type { Random } from "../random.js";
import { type Input, RECORD_WORDS } from "../target.js";

const LOW = 0xffff_ffffn;
const PAIRS_EVERY = 2;
/** Several guests that each have a device are seldom made by changes. */
const FRESH_ONE_IN = 8;
const PAIRS_TRIED = 4;

export class CoreChanger implements Changer {
  private readonly chance: SimRandom;

  constructor(
    private readonly random: Random,
    private readonly recordsMax: number,
  ) {
    this.chance = createRandom(BigInt(random.next() >>> 0));
  }

  create(words: Int32Array): number {
    return this.put(words, generate(this.chance));
  }

  mutate(words: Int32Array, parent: Input, pairs: Int32Array, other: Input): number {
    if (this.random.oneIn(FRESH_ONE_IN)) return this.create(words);
    const records = recordsOf(parent.words);
    if (pairs.length > 0 && this.random.oneIn(PAIRS_EVERY)) {
      for (let left = 1 + this.random.below(PAIRS_TRIED); left > 0; left--) this.answerPair(records, pairs);
      if (this.random.oneIn(2)) return this.put(words, records);
    }
    return this.put(words, mutate(this.chance, records, recordsOf(other.words)));
  }

  private put(words: Int32Array, records: readonly TraceRecord[]): number {
    const fitting = records.slice(0, this.recordsMax);
    const bytes = encodeRecords(fitting);
    words.set(new Int32Array(bytes.buffer, bytes.byteOffset, fitting.length * RECORD_WORDS));
    return fitting.length;
  }

  /** One side of a comparison stands in a record: the other side instead; in none: as some record's data. */
  private answerPair(records: readonly TraceRecord[], pairs: Int32Array): void {
    if (records.length === 0) return;
    const at = this.random.below(pairs.length >> 1) * 2;
    const [was, wanted] = this.random.oneIn(2) ? [pairs[at], pairs[at + 1]] : [pairs[at + 1], pairs[at]];
    const [from, to] = [BigInt((was as number) >>> 0), BigInt((wanted as number) >>> 0)];
    const first = this.random.below(records.length);
    for (let i = 0; i < records.length; i++) {
      if (replaceWord(records[(first + i) % records.length] as TraceRecord, from, to)) return;
    }
    (records[first] as TraceRecord).data = to;
  }
}

function replaceWord(one: TraceRecord, from: bigint, to: bigint): boolean {
  const name = (["data", "addr"] as const).find((which) => (one[which] & LOW) === from);
  if (name !== undefined) one[name] = (one[name] & ~LOW) | to;
  return name !== undefined;
}

export function recordsOf(words: Int32Array): TraceRecord[] {
  return decodeRecords(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
}
