// SPDX-License-Identifier: MIT
//
// The loop: take a parent, change it, run it, keep it when something happened for the first time. No clock and no
// chance but the seed's: the caller asks for so many executions at a time, and the same seeds and inputs always give
// the same executions.

import { Corpus, type Entry } from "./corpus.js";
import { type Changer, Mutator } from "./mutate/mutator.js";
import { Random } from "./random.js";
import { type Finding, type Input, RECORD_WORDS, type Target, type Vocabulary } from "./target.js";

export interface CampaignOptions {
  seed: number;
  /** Records of an input at most. */
  recordsMax: number;
  /** Of a module; or how else inputs are made. */
  vocabulary: Vocabulary | ((random: Random) => Changer);
  /** Sets of parameters to use; the first is the usual one. */
  params: readonly number[];
}

export interface Found {
  finding: Finding;
  input: Input;
  /** Which execution it was. */
  execution: number;
}

/** A seed has so many times the records of what is made; shortening it takes twice as many runs as it has records. */
const SEED_FACTOR = 4;
const FRESH_ONE_IN = 64;
const OTHER_PARAMS_ONE_IN = 128;
/** Kept inputs get the second look; of the others one in so many. */
const SECOND_LOOK_EVERY = 64;

export class Campaign {
  readonly corpus = new Corpus();
  readonly found = new Map<string, Found>();
  executions = 0;
  /** Inputs that ended in a finding, known or not. */
  faults = 0;
  /** Told of each kept input and each new finding. */
  onKept: (input: Input) => void = () => {};
  onFound: (found: Found) => void = () => {};
  /** Told before each input runs. */
  beforeRun: (params: number, records: number) => void = () => {};
  private readonly random: Random;
  private readonly mutator: Changer;

  constructor(
    readonly target: Target,
    private readonly options: CampaignOptions,
  ) {
    this.random = new Random(options.seed);
    const { vocabulary, recordsMax } = options;
    this.mutator =
      typeof vocabulary === "function" ? vocabulary(this.random) : new Mutator(this.random, vocabulary, recordsMax);
  }

  /** Run an input that is there already (a seed, a corpus entry). Very long ones are cut. */
  seed({ params, words: all }: Input): void {
    const words = all.subarray(0, SEED_FACTOR * this.options.recordsMax * RECORD_WORDS);
    this.target.input.set(words);
    this.execute({ params, records: words.length / RECORD_WORDS });
  }

  /** `count` new inputs. */
  run(count: number): void {
    for (let i = 0; i < count; i++) this.execute(this.next());
  }

  private next(): { params: number; records: number } {
    const { random, corpus, mutator, target } = this;
    const parent = corpus.pick(random);
    if (parent === undefined || random.oneIn(FRESH_ONE_IN)) {
      return { params: this.params(0), records: mutator.create(target.input) };
    }
    const other = corpus.pick(random) as Entry;
    return { params: this.params(parent.params), records: mutator.mutate(target.input, parent, parent.pairs, other) };
  }

  private params(usual: number): number {
    const { params } = this.options;
    if (params.length > 1 && this.random.oneIn(OTHER_PARAMS_ONE_IN)) return this.random.pick(params);
    return params.includes(usual) ? usual : (params[0] ?? 0);
  }

  private execute({ params, records }: { params: number; records: number }): void {
    const { target } = this;
    this.executions++;
    this.beforeRun(params, records);
    const news = target.run(params, records);
    if (news < 0) this.note(target.finding(), params, records);
    else if (news > 0) this.keep(params, records);
    else if (this.executions % SECOND_LOOK_EVERY === 0) this.lookTwice(params, records);
  }

  private keep(params: number, ran: number): void {
    // Short inputs are good to combine, long ones are deep: keep some of each. A seed may be longer than what is made.
    const isLong = ran > this.options.recordsMax;
    const records = this.random.oneIn(2) || isLong ? this.target.trim(params, ran, isLong) : ran;
    const input = { params, words: this.target.input.slice(0, records * RECORD_WORDS) };
    const { pairs } = this.target.reach(params, records);
    this.corpus.add({ ...input, pairs });
    this.mutator.kept?.(input);
    this.onKept(input);
    this.lookTwice(params, records);
  }

  private lookTwice(params: number, records: number): void {
    const finding = this.target.secondLook(params, records);
    if (finding !== undefined) this.note(finding, params, records);
  }

  private note(finding: Finding, params: number, records: number): void {
    this.faults++;
    if (this.found.has(finding.key)) return;
    const found = {
      finding,
      input: { params, words: finding.words ?? this.target.input.slice(0, records * RECORD_WORDS) },
      execution: this.executions,
    };
    this.found.set(finding.key, found);
    this.onFound(found);
  }
}
