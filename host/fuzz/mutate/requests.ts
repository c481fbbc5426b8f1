// SPDX-License-Identifier: MIT
//
// Changes of an input that know a virtio device's requests. A single request that a device answers is found by chance,
// and kept; what a device does only after several (made, filled, drawn, shown) chance does not find: between two
// of them stands a ring whose index must go on, and they must mean the same thing by the same number. So requests are
// taken as a whole out of the inputs that were kept, put behind or between those of another, and given its numbers.

import { KIND_MEMORY } from "../../trace/index.js";
import type { Random } from "../random.js";
import { type Input, RECORD_WORDS, WORD_DATA, WORD_KIND } from "../target.js";
import { Appender } from "./append.js";
import { type Request, requestsOf, type Told } from "./guest.js";
import { Pool } from "./pool.js";
import { compose, type VirtioPlaces } from "./virtio.js";

const TAKEN_MAX = 3;

export class Requests {
  private readonly pool: Pool;
  /** Of inputs of the corpus, which stay as they are. */
  private readonly known = new WeakMap<Input, Told[]>();

  /** `value`: 32 bits worth trying. */
  constructor(
    private readonly random: Random,
    private readonly places: VirtioPlaces,
    private readonly recordsMax: number,
    private readonly value: () => number,
  ) {
    this.pool = new Pool(places);
  }

  kept(input: Input): void {
    this.pool.add(input.words);
  }

  /** Answers how many records there are. */
  change(words: Int32Array, records: number, other: Input): number {
    if (this.random.oneIn(4)) return this.echo(words, records);
    const own = requestsOf(this.places, words.slice(0, records * RECORD_WORDS));
    return this.put(words, records, own, this.chosen(own, other));
  }

  /** At the end, or between two of its own. */
  private put(words: Int32Array, records: number, own: readonly Told[], chosen: readonly Request[]): number {
    const { random } = this;
    const stays = random.oneIn(2) ? own.length : random.below(own.length + 1);
    const end = stays === own.length ? records : (own[stays - 1]?.end ?? 0);
    if (end === 0) return records; // before the first one is where the device comes up
    const appender = new Appender(this.places, words, end, this.recordsMax);
    for (const one of [...chosen, ...own.slice(stays)]) appender.append(one);
    return appender.count;
  }

  /** A new one, or some that were kept; with `own` numbers in them. */
  private chosen(own: readonly Told[], other: Input): readonly Request[] {
    const { random } = this;
    const said = own.flatMap((one) => [...one.contents.values()]).filter((one) => one !== 0);
    if (random.oneIn(3)) return [compose(random, this.value, said)];
    const taken = random.oneIn(2) ? this.pooled() : this.following(random.oneIn(2) ? own : this.told(other));
    return random.oneIn(2) && said.length > 0 ? renamed(taken, random, random.pick(said)) : taken;
  }

  private pooled(): Request[] {
    const count = 1 + this.random.below(TAKEN_MAX);
    return Array.from({ length: count }, () => this.pool.take(this.random)).filter((one) => one !== undefined);
  }

  /** Some that follow each other. */
  private following(requests: readonly Request[]): readonly Request[] {
    if (requests.length === 0) return [];
    const first = this.random.below(requests.length);
    return requests.slice(first, first + 1 + this.random.below(TAKEN_MAX));
  }

  private told(input: Input): Told[] {
    const told = this.known.get(input) ?? requestsOf(this.places, input.words);
    this.known.set(input, told);
    return told;
  }

  /** What stands in one word of guest memory also in another. */
  private echo(words: Int32Array, records: number): number {
    const { random } = this;
    const all = Array.from({ length: records }, (_, i) => i * RECORD_WORDS).filter(
      (at) => (words[at + WORD_KIND] as number) >>> 24 === KIND_MEMORY,
    );
    if (all.length === 0) return records;
    const [to, from] = [random.pick(all) + WORD_DATA, random.pick(all) + WORD_DATA];
    words[to + random.below(2)] = words[from + random.below(2)] as number;
    return records;
  }
}

/** One of their words, wherever it stands in them, is `word` instead. */
function renamed(requests: readonly Request[], random: Random, word: number): readonly Request[] {
  const all = requests.flatMap((one) => [...one.contents.values()]).filter((one) => one !== 0);
  if (all.length === 0) return requests;
  const old = random.pick(all);
  return requests.map((one) => ({
    ...one,
    contents: new Map([...one.contents].map(([at, value]) => [at, value === old ? word : value])),
  }));
}
