// SPDX-License-Identifier: MIT
//
// What a campaign needs of the thing that is fuzzed: one module (module/target.ts), or anything else that runs inputs
// made of trace records. The same input gives the same outcome, always: a target has no clock and no chance.

import type { TraceRecord } from "../trace/index.js";
import type { VirtioPlaces } from "./mutate/virtio.js";

export * from "./record.js";

/** One input: which of the target's sets of parameters, and records. */
export interface Input {
  params: number;
  words: Int32Array;
}

export interface Finding {
  /** What makes two findings the same: kind and place, not values. */
  key: string;
  /** Short, for a file's name: "memory-f12". */
  label: string;
  /** One line for people. */
  story: string;
  /** The record that did it. */
  operation: number;
  /** The records that show it, where it is not the input alone. */
  words?: Int32Array;
}

/** What an input reaches by itself, and what it compared on the way. */
export interface Reach {
  /** word * 64 + bit, ascending. */
  features: Uint32Array;
  /** Operands of comparisons, low 32 bits each, in pairs: what was there, what it was compared with. */
  pairs: Int32Array;
}

export interface Target {
  readonly name: string;
  /** Where an input stands to be run: the campaign writes records here. */
  readonly input: Int32Array;
  /** How many sets of parameters there are. */
  readonly paramSets: number;
  /** Run the first `records` records. Above 0: so many things happened for the first time; -1: a finding. */
  run(params: number, records: number): number;
  /** After -1. */
  finding(): Finding;
  /** The promises that need a second run of the input that ran last; undefined: they hold. */
  secondLook(params: number, records: number): Finding | undefined;
  /**
   * Drop records from the input that ran last, in place, while what it reached first is still reached; answers how
   * many are left. First: since the last input that was trimmed, so after one that was not, or the first, nothing goes;
   * more long inputs stay like that, and they find more (without it two of the canaries are missed). `alone`: only what
   * this input reaches by itself counts.
   */
  trim(params: number, records: number, alone?: boolean): number;
  /** Run it once more, alone. */
  reach(params: number, records: number): Reach;
  /** So many sites have been seen: outcomes of branches, outcomes of comparisons beyond those. */
  coverage(): { edges: number; compares: number; edgesMax: number };
  /** The most fuel a call took so far, as a share of its budget, and which. */
  slowest(): { share: number; what: string };
  /** All that was reached so far, as text that can be compared. */
  fingerprint(): string;
  /** For stories. */
  describe(record: TraceRecord): string;
}

/** What the mutator knows about a target. */
export interface Vocabulary {
  registers: { bar: number; offset: number; size: number; values: number[] }[];
  bars: { index: number; bytes: number }[];
  /** Constants of the code and of the manifest. */
  constants: number[];
  hasEvent: boolean;
  hasWorkDone: boolean;
  /** It looks at guest memory. */
  hasMemory: boolean;
  hasInterrupts: boolean;
  /** It is a virtio device: how a driver would begin. */
  virtio?: VirtioPlaces | undefined;
}
