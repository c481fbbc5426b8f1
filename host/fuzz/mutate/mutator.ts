// SPDX-License-Identifier: MIT
//
// From a corpus entry to a new input, in place where the target wants it: one to eight changes, most of them to single
// records, some to their order. All chance comes from one Random: same seed, same inputs.

import type { Random } from "../random.js";
import { type Input, RECORD_WORDS, type Vocabulary } from "../target.js";
import { Operations } from "./operation.js";
import { Requests } from "./requests.js";
import { putAll } from "./virtio.js";

const SWARM_INPUTS = 256;
const CHANGES_MAX_LOG2 = 3;
/** Of a fresh input. */
const FIRST_RECORDS = 16;
/** Of the changes to a virtio device's inputs those that know its requests. */
const REQUESTS_ONE_IN = 4;

/** Makes inputs where the target wants them; both answer how many records there are. */
export interface Changer {
  create(words: Int32Array): number;
  /** A changed copy of `parent`, whose comparisons saw `pairs`; `other` gives its part when the two are spliced. */
  mutate(words: Int32Array, parent: Input, pairs: Int32Array, other: Input): number;
  /** An input that reached something first. */
  kept?(input: Input): void;
}

export class Mutator implements Changer {
  readonly operations: Operations;
  private readonly requests: Requests | undefined;
  private inputs = 0;

  constructor(
    private readonly random: Random,
    vocabulary: Vocabulary,
    private readonly recordsMax: number,
  ) {
    this.operations = new Operations(random, vocabulary);
    const { virtio } = vocabulary;
    this.requests = virtio && new Requests(random, virtio, recordsMax, () => this.operations.value());
  }

  kept(input: Input): void {
    this.requests?.kept(input);
  }

  /** A fresh input into `words`; answers its records. */
  create(words: Int32Array): number {
    this.next();
    const begin = this.operations.script(this.recordsMax, true);
    if (begin !== undefined && !this.random.oneIn(4)) {
      putAll(words, 0, begin);
      return this.act(words, begin.length);
    }
    const records = 1 + this.random.below(Math.min(FIRST_RECORDS, this.recordsMax));
    for (let i = 0; i < records; i++) this.operations.create(words, i * RECORD_WORDS);
    return records;
  }

  /** A changed copy of `parent` into `words`; `other` gives its part when the two are spliced. */
  mutate(words: Int32Array, parent: Input, pairs: Int32Array, other: Input): number {
    this.next();
    this.operations.pairs = pairs;
    words.set(parent.words);
    let records = parent.words.length / RECORD_WORDS;
    for (let left = 1 << this.random.below(CHANGES_MAX_LOG2 + 1); left > 0; left--) {
      records = this.change(words, records, other);
    }
    return records;
  }

  private next(): void {
    if (++this.inputs % SWARM_INPUTS === 0) this.operations.redraw();
  }

  private change(words: Int32Array, records: number, other: Input): number {
    const { random, operations } = this;
    if (records === 0) return this.insert(words, records);
    if (this.requests !== undefined && random.oneIn(REQUESTS_ONE_IN))
      return this.requests.change(words, records, other);
    const at = random.below(records) * RECORD_WORDS;
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return this.insert(words, records);
      case 4:
      case 5:
        return this.remove(words, records);
      case 6:
        return this.repeat(words, records);
      case 7:
        return random.oneIn(2) ? this.splice(words, records, other) : this.graft(words, records, other);
      case 8:
        return this.swap(words, records);
      case 9:
        operations.create(words, at);
        return records;
      case 10:
        if (isAccess(words, at)) operations.shift(words, at);
        return records;
      case 11:
        if (isAccess(words, at)) operations.place(words, at);
        return records;
      default:
        operations.revalue(words, at);
        return records;
    }
  }

  /** What a driver would do next, at the end. */
  private act(words: Int32Array, records: number): number {
    const all = this.operations.script(this.recordsMax - records, false);
    if (all === undefined) return records;
    putAll(words, records * RECORD_WORDS, all);
    return records + all.length;
  }

  /** One to four new records, somewhere. */
  private insert(words: Int32Array, records: number): number {
    if (this.operations.known.virtio !== undefined && this.random.oneIn(3)) return this.act(words, records);
    const count = Math.min(1 + this.random.below(4), this.recordsMax - records);
    if (count <= 0) {
      this.operations.create(words, this.random.below(records) * RECORD_WORDS);
      return records;
    }
    const at = this.random.oneIn(2) ? records : this.random.below(records + 1);
    words.copyWithin((at + count) * RECORD_WORDS, at * RECORD_WORDS, records * RECORD_WORDS);
    for (let i = 0; i < count; i++) this.operations.create(words, (at + i) * RECORD_WORDS);
    return records + count;
  }

  private remove(words: Int32Array, records: number): number {
    if (records < 2) return records;
    const at = this.random.below(records);
    const count = Math.min(1 + this.random.below(this.random.oneIn(4) ? 16 : 2), records - at, records - 1);
    words.copyWithin(at * RECORD_WORDS, (at + count) * RECORD_WORDS, records * RECORD_WORDS);
    return records - count;
  }

  /** Some records once more, at another place. */
  private repeat(words: Int32Array, records: number): number {
    const from = this.random.below(records);
    const count = Math.min(1 + this.random.below(8), records - from, this.recordsMax - records);
    if (count <= 0) return records;
    words.copyWithin(records * RECORD_WORDS, from * RECORD_WORDS, (from + count) * RECORD_WORDS);
    return records + count;
  }

  /** From some record on, another input's tail. */
  private splice(words: Int32Array, records: number, other: Input): number {
    const theirs = other.words.length / RECORD_WORDS;
    if (theirs === 0) return records;
    const at = this.random.below(records + 1);
    const from = this.random.below(theirs);
    const count = Math.min(theirs - from, this.recordsMax - at);
    words.set(other.words.subarray(from * RECORD_WORDS, (from + count) * RECORD_WORDS), at * RECORD_WORDS);
    return at + count;
  }

  /** Some of another input's records, in between. */
  private graft(words: Int32Array, records: number, other: Input): number {
    const theirs = other.words.length / RECORD_WORDS;
    const from = this.random.below(Math.max(1, theirs));
    const count = Math.min(1 + this.random.below(16), theirs - from, this.recordsMax - records);
    if (count <= 0) return records;
    const at = this.random.below(records + 1);
    words.copyWithin((at + count) * RECORD_WORDS, at * RECORD_WORDS, records * RECORD_WORDS);
    words.set(other.words.subarray(from * RECORD_WORDS, (from + count) * RECORD_WORDS), at * RECORD_WORDS);
    return records + count;
  }

  private swap(words: Int32Array, records: number): number {
    const [a, b] = [this.random.below(records) * RECORD_WORDS, this.random.below(records) * RECORD_WORDS];
    const kept = words.slice(a, a + RECORD_WORDS);
    words.copyWithin(a, b, b + RECORD_WORDS);
    words.set(kept, b);
    return records;
  }
}

/** call-read or call-write: only those have a place in a BAR. */
function isAccess(words: Int32Array, at: number): boolean {
  const kind = ((words[at + 2] as number) >>> 24) & 0xff;
  return kind === 0xc2 || kind === 0xc3;
}
