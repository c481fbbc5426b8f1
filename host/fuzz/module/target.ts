// SPDX-License-Identifier: MIT
//
// One module as a target of a campaign. What counts as a finding:
//
//   a fault      any call that ends badly: docs/MODULE_ABI.md has the list. The guest caused it, the module fell
//   a bad reset  after `reset` the same calls are answered otherwise than after `attach`, which the ABI forbids
//
// A call that takes much of its budget is no finding: it is told (slowest). That two runs of one input differ is our
// own bug, and stops the campaign.

import { fuelByEntry } from "../../pipeline/manifest.js";
import { hashOf } from "../../pipeline/store.js";
import {
  decodeRecords,
  encodeRecords,
  KIND_CALL_READ,
  KIND_CALL_RESET,
  KIND_CALL_WRITE,
  kindName,
  record,
  type TraceRecord,
} from "../../trace/index.js";
import { countCoverage, featuresOf } from "../cover/count.js";
import { dropRecords } from "../reduce.js";
import { type Finding, RECORD_WORDS, type Reach, type Target, WORD_KIND } from "../target.js";
import { type Fault, ModuleInstance } from "./instance.js";
import type { FuzzModule } from "./prepare.js";
import { vocabularyOf } from "./vocabulary.js";

const ENTRIES = ["attach", "reset", "bar_read", "bar_write", "event", "work_done"];
const PARAM_SETS_MAX = 8;
/** Of the reads before a second look; more would cost more than inputs do. */
const READS_MAX = 128;
/** Of a register whose size nobody knows. */
const READ_BYTES = 4;
/** Places of these faults say where patience ended, not where the mistake is. */
const PLACELESS = new Set(["fuel", "stack"]);

export class ModuleTarget implements Target {
  readonly name: string;
  readonly input: Int32Array;
  readonly instance: ModuleInstance;
  /** Records that read each register once. */
  private readonly reads: Int32Array;
  private found: Finding | undefined;
  /** What was reached before the last input that was kept. */
  private seen: bigint[];

  /** `more`: sets of parameters that inputs have, beside those that the manifest suggests. */
  constructor(
    readonly module: FuzzModule,
    more: readonly (readonly bigint[])[] = [],
  ) {
    const allowed = more.filter((values) => isAllowed(module, values));
    const different = new Map([...paramSetsOf(module), ...allowed].map((one) => [one.join(), one]));
    this.instance = new ModuleInstance(module, [...different.values()]);
    this.name = module.manifest.name;
    this.input = this.instance.input;
    this.seen = this.instance.reached();
    this.reads = readsOf(module);
  }

  get paramSets(): number {
    return this.instance.paramSets.length;
  }

  /** The number of the set with these values; the usual one where there is none. */
  setOf(values: readonly bigint[]): number {
    const known = this.instance.paramSets.findIndex((one) => one.join() === values.join());
    return Math.max(known, 0);
  }

  /** Sets of parameters with which a device stands, and what happened with the others. */
  standing(): { usable: number[]; findings: Finding[] } {
    const findings: Finding[] = [];
    const usable: number[] = [];
    for (let set = 0; set < this.paramSets; set++) {
      const { attached, fault } = this.instance.select(set);
      if (fault !== undefined) findings.push(this.describeFault(fault, undefined));
      else if (attached === 0) usable.push(set);
    }
    return { usable, findings };
  }

  params(set: number): readonly bigint[] {
    return this.instance.paramSets[set] ?? [];
  }

  run(params: number, records: number): number {
    this.instance.select(params);
    const news = this.instance.run(records);
    if (news < 0) this.found = undefined;
    return news;
  }

  finding(): Finding {
    this.found ??= this.describeFault(this.instance.fault(), this.instance.fault().operation);
    return this.found;
  }

  /** What second runs reach first is not lost: no input stands for it yet. */
  secondLook(params: number, records: number): Finding | undefined {
    const before = this.instance.reached();
    const finding = this.lookAtReset(params, records) ?? this.lookAtReads(params, records);
    for (const [word, value] of before.entries()) this.instance.setWord(word, value);
    return finding;
  }

  /**
   * The same with a read of each register in front: before the input writes anything, a register must show what it
   * shows after `attach`, and an input seldom reads what it writes later. The input itself stays as it is.
   */
  private lookAtReads(params: number, records: number): Finding | undefined {
    const input = this.input.slice(0, records * RECORD_WORDS);
    const reads = this.reads.length / RECORD_WORDS;
    if (reads === 0 || (reads + records) * RECORD_WORDS > this.input.length) return undefined;
    this.input.set(input, this.reads.length);
    this.input.set(this.reads);
    const finding = this.faultOf(params, reads + records) ?? this.lookAtReset(params, reads + records);
    const words = this.input.slice(0, (reads + records) * RECORD_WORDS);
    this.input.set(input);
    return finding && { ...finding, ...withOneRead(finding, words, reads) };
  }

  private faultOf(params: number, records: number): Finding | undefined {
    this.instance.select(params);
    if (this.instance.run(records) >= 0) return undefined;
    return this.describeFault(this.instance.fault(), this.instance.fault().operation);
  }

  private lookAtReset(params: number, records: number): Finding | undefined {
    const first = this.observe(params, records);
    if (first !== this.observe(params, records)) {
      throw new Error(`${this.name}: two runs of one input differ: a bug of the fuzzer, please report it`);
    }
    if (this.instance.resetAndAgain(records) < 0) return this.faultAfterReset(records);
    return this.instance.answers() === first ? undefined : this.badReset(params, records);
  }

  private observe(params: number, records: number): string {
    this.instance.select(params);
    this.instance.run(records);
    return this.instance.answers();
  }

  /** What shows it is the input, a reset, and the input again. */
  private faultAfterReset(records: number): Finding {
    const input = this.input.slice(0, records * RECORD_WORDS);
    const fault = this.instance.fault();
    const inReset = fault.entry === ENTRIES.indexOf("reset");
    const again = inReset ? 0 : fault.operation + 1;
    const words = new Int32Array((records + 1 + again) * RECORD_WORDS);
    words.set(input);
    words[records * RECORD_WORDS + WORD_KIND] = KIND_CALL_RESET << 24;
    words.set(input.subarray(0, again * RECORD_WORDS), (records + 1) * RECORD_WORDS);
    const finding = this.describeFault(fault, inReset ? undefined : fault.operation, !inReset);
    return { ...finding, operation: records + again, words };
  }

  /** The first record after which the answers part. */
  private badReset(params: number, records: number): Finding {
    let [low, high] = [1, records];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.differsAfter(params, records, middle)) high = middle;
      else low = middle + 1;
    }
    const parted = this.record(low - 1);
    const where = `${kindName(parted.kind)} bar ${parted.flags} 0x${parted.addr.toString(16)}`;
    return {
      key: `reset ${where}`,
      label: `reset-bar${parted.flags}-0x${parted.addr.toString(16)}`,
      story: `after reset the same calls are answered otherwise: first at ${this.describe(parted)}`,
      operation: low - 1,
    };
  }

  private differsAfter(params: number, records: number, part: number): boolean {
    const first = this.observe(params, part);
    this.observe(params, records);
    return this.instance.resetAndAgain(part) < 0 || this.instance.answers() !== first;
  }

  trim(params: number, records: number, alone = false): number {
    const now = this.instance.reached();
    const own = alone ? this.ownOf(params, records) : now;
    const fresh = now.flatMap((value, word) => {
      const bits = value & ~(this.seen[word] ?? 0n) & (own[word] ?? 0n);
      return bits === 0n ? [] : [{ word, bits }];
    });
    this.seen = now;
    if (fresh.length === 0) return records;
    const left = dropRecords(this.input, records, (count) => this.reaches(params, count, fresh));
    for (const [word, value] of now.entries()) this.instance.setWord(word, value);
    return left;
  }

  private reaches(params: number, records: number, fresh: readonly { word: number; bits: bigint }[]): boolean {
    for (const { word } of fresh) this.instance.setWord(word, 0n);
    this.instance.select(params);
    return (
      this.instance.run(records) >= 0 && fresh.every(({ word, bits }) => (this.instance.word(word) & bits) === bits)
    );
  }

  reach(params: number, records: number): Reach {
    return { features: featuresOf(this.ownOf(params, records)), pairs: this.instance.pairs() };
  }

  /** What this input reaches by itself. */
  private ownOf(params: number, records: number): bigint[] {
    this.instance.select(params);
    const before = this.instance.takeWords();
    this.instance.run(records);
    const own = this.instance.reached();
    this.instance.mergeWords(before);
    return own;
  }

  coverage(): { edges: number; compares: number; edgesMax: number } {
    return countCoverage(this.module.covered.sites, this.instance.reached());
  }

  slowest(): { share: number; what: string } {
    const budgets = fuelByEntry(this.module.manifest);
    const most = this.instance.mostFuel();
    let [share, what] = [0, "nothing"];
    for (const [entry, budget] of budgets.entries()) {
      const one = budget === 0 ? 0 : (most[entry] ?? 0) / budget;
      if (one > share) [share, what] = [one, `${ENTRIES[entry]} ${most[entry]} of ${budget}`];
    }
    return { share, what };
  }

  fingerprint(): string {
    return hashOf(this.instance.reached().map(String).join(" "));
  }

  // --- words ---

  private record(index: number): TraceRecord {
    const bytes = new Uint8Array(this.input.buffer, this.input.byteOffset + index * RECORD_WORDS * 4, RECORD_WORDS * 4);
    return decodeRecords(bytes)[0] as TraceRecord;
  }

  describe(record: TraceRecord): string {
    if (record.kind !== KIND_CALL_READ && record.kind !== KIND_CALL_WRITE) {
      return `${kindName(record.kind)} 0x${record.addr.toString(16)} 0x${record.data.toString(16)}`;
    }
    const verb = record.kind === KIND_CALL_READ ? "read" : "write";
    const value = record.kind === KIND_CALL_READ ? "" : ` of 0x${record.data.toString(16)}`;
    return `${record.size}-byte ${verb} of ${this.register(record)}${value}`;
  }

  private register({ flags: bar, addr }: TraceRecord): string {
    const place = `BAR ${bar} at 0x${addr.toString(16)}`;
    const known = this.module.manifest.registers?.find(
      (one) => one.bar === bar && BigInt(one.offset) <= addr && addr < BigInt(one.offset + one.size),
    );
    return known === undefined ? place : `${known.name} (${place})`;
  }

  private describeFault(fault: Fault, operation: number | undefined, afterReset = false): Finding {
    const entry = ENTRIES[fault.entry] ?? `entry ${fault.entry}`;
    const { place } = fault;
    const exact = place === undefined || PLACELESS.has(fault.fault) ? "" : `+0x${place.offset.toString(16)}`;
    const where = place === undefined ? "" : `, function ${place.function}${exact && ` at byte ${exact.slice(1)}`}`;
    const doing = operation === undefined ? "" : `${this.describe(this.record(operation))}: `;
    const fuel = fault.fault === "fuel" ? ` after ${fault.fuel}` : "";
    return {
      key: `${fault.fault} ${entry} f${place?.function ?? "?"}${exact}`,
      label: `${fault.fault}-${entry}-f${place?.function ?? "x"}${exact && `-${exact.slice(1)}`}`,
      story: `${doing}fault "${fault.fault}"${fuel} in ${entry}${where}${afterReset ? ", after a reset" : ""}`,
      operation: operation ?? 0,
    };
  }
}

/** Of the reads in front only the one that showed it; all of them when none alone did. */
function withOneRead(finding: Finding, words: Int32Array, reads: number): Pick<Finding, "words" | "operation"> {
  const { operation } = finding;
  if (finding.words !== undefined || operation >= reads) return { words: finding.words ?? words, operation };
  const less = words.slice((reads - 1) * RECORD_WORDS);
  less.set(words.subarray(operation * RECORD_WORDS, (operation + 1) * RECORD_WORDS));
  return { words: less, operation: 0 };
}

/** Registers that the manifest names, or that constants of the code make likely. */
function readsOf({ manifest, covered }: FuzzModule): Int32Array {
  const { registers } = vocabularyOf(manifest, covered.constants);
  const records = registers
    .slice(0, READS_MAX)
    .map(({ bar, offset, size }) =>
      record({ kind: KIND_CALL_READ, flags: bar, size: size || READ_BYTES, addr: BigInt(offset) }),
    );
  const bytes = encodeRecords(records);
  return new Int32Array(bytes.buffer, bytes.byteOffset, records.length * RECORD_WORDS);
}

/** The defaults, all at their least, all at their most, then one after the other. */
function paramSetsOf({ manifest: { params } }: FuzzModule): bigint[][] {
  const sets: number[][] = [params.map((one) => one.default)];
  sets.push(
    params.map((one) => one.min),
    params.map((one) => one.max),
  );
  for (const [i, one] of params.entries()) {
    for (const value of [one.min, one.max]) sets.push(params.map((each, j) => (i === j ? value : each.default)));
  }
  const different = new Map(sets.map((one) => [one.join(), one.map(BigInt)]));
  return [...different.values()].slice(0, PARAM_SETS_MAX);
}

/** What the mediator would hand to the module: as many values as it has parameters, each within its bounds. */
function isAllowed({ manifest: { params } }: FuzzModule, values: readonly bigint[]): boolean {
  return (
    values.length === params.length &&
    params.every((one, i) => (values[i] ?? -1n) >= one.min && (values[i] ?? -1n) <= one.max)
  );
}
