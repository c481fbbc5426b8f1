// SPDX-License-Identifier: MIT
//
// Core and modules of this tree together as a target of a campaign: several guests, Dom0, faults and panics in the
// simulated Xen, all checkers on (docs/SIMULATOR.md). New is an edge or a comparison of the core, or a thing that the
// machine did in other words than ever before. A finding is a checker's word; the second look asks for interference.

import { hashOf } from "../../pipeline/store.js";
import { allCheckers } from "../../sim/checkers/all.js";
import { type Finding as Breach, findingOf, guestsOf, keyOf, lookAtGuests, storyOf } from "../../sim/fuzz/input.js";
import { listener } from "../../sim/fuzz/listener.js";
import { fuzzMachine } from "../../sim/fuzz/machine.js";
import { finish } from "../../sim/play/finish.js";
import { operationName } from "../../sim/play/kinds.js";
import { createMachine, type MachineOptions } from "../../sim/play/machine.js";
import { play } from "../../sim/play/operation.js";
import { coreBytes } from "../../sim/tree.js";
import type { TraceRecord } from "../../trace/index.js";
import { countCoverage, featuresOf } from "../cover/count.js";
import { type Finding, RECORD_WORDS, type Reach, type Target } from "../target.js";
import { recordsOf } from "./changer.js";
import { CoveredCore } from "./code.js";

/** Longest input: a kept one may be longer than those that are made. */
const RECORDS_MAX = 4096;

export class CoreTarget implements Target {
  readonly name = "core";
  readonly paramSets = 1;
  readonly input = new Int32Array(RECORDS_MAX * RECORD_WORDS);
  private readonly words = new Set<string>();
  private looks = 0;
  private breach: { finding: Breach; records: TraceRecord[] } | undefined;

  constructor(
    readonly core: CoveredCore,
    private readonly machine: MachineOptions,
    /** Second looks are at every guest's secret, not at one guest's in turn. */
    private readonly isThorough = false,
  ) {}

  run(_params: number, records: number): number {
    const before = this.core.news;
    const known = this.words.size;
    this.breach = this.playAll(records);
    return this.breach === undefined ? this.core.news - before + this.words.size - known : -1;
  }

  private playAll(count: number): CoreTarget["breach"] {
    const records = recordsOf(this.input.subarray(0, count * RECORD_WORDS));
    const machine = createMachine({ ...this.machine, checkers: [() => listener(this.words), ...allCheckers()] });
    let operation = 0;
    try {
      for (; operation < count; operation++) play(machine, records[operation] as TraceRecord);
      finish(machine);
      return undefined;
    } catch (error) {
      return { finding: findingOf(error, operation), records };
    }
  }

  finding(): Finding {
    const { finding, records } = this.breach as NonNullable<CoreTarget["breach"]>;
    return toldOf(finding, records);
  }

  secondLook(_params: number, count: number): Finding | undefined {
    const records = recordsOf(this.input.slice(0, count * RECORD_WORDS));
    const guests = guestsOf(records);
    const inTurn = [guests[this.looks++ % guests.length] ?? 0];
    const finding = lookAtGuests(this.machine, records, this.isThorough ? guests : inTurn);
    return finding && toldOf(finding, records);
  }

  /** Kept as it ran: each try would cost milliseconds; changes take records out too. */
  trim(_params: number, records: number): number {
    return records;
  }

  reach(_params: number, records: number): Reach {
    const { reached, pairs } = this.core.alone(() => this.playAll(records));
    return { features: featuresOf(reached), pairs };
  }

  coverage(): { edges: number; compares: number; edgesMax: number } {
    return countCoverage(this.core.covered.sites, this.core.reached());
  }

  slowest(): { share: number; what: string } {
    return { share: 0, what: "nothing" };
  }

  fingerprint(): string {
    return hashOf(this.core.reached().map(String).join(" "), [...this.words].sort().join("\n"));
  }

  describe(record: TraceRecord): string {
    return operationName(record.kind);
  }
}

function toldOf(finding: Breach, records: readonly TraceRecord[]): Finding {
  const { checker, operation } = finding;
  const key = keyOf(finding);
  const label = `${checker}-${hashOf(key).slice(0, 8)}`;
  return { key, label, story: storyOf(finding, records), operation };
}

/** `core`: instead of the tree's. `countsBlocks`: for a report of lines. */
export async function coreTarget(isThorough = false, core?: Uint8Array, countsBlocks = false): Promise<CoreTarget> {
  const covered = new CoveredCore(core ?? (await coreBytes()), countsBlocks);
  return new CoreTarget(covered, { ...(await fuzzMachine()), core: covered }, isThorough);
}
