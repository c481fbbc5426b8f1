// SPDX-License-Identifier: MIT
//
// What the three of a worker say to each other: the session (parent process), the child process that watches, and the
// thread in it that fuzzes. Plain data only; inputs as bytes of records.

import type { Reach } from "../coverage/reach.js";

/** To the thread, through the child. */
export interface Job {
  /** For messages. */
  subject: string;
  /** The module's file; null: core and modules of the tree together. */
  file: Uint8Array | null;
  seed: number;
  recordsMax: number;
  /** 0: until somebody says stop. */
  runs: number;
  seeds: WireInput[];
  /**
   * merge: only run the seeds, in order, and keep those that reach something new. minimize: the first seed.
   * least: of the seeds, made short, those that reach an outcome first. coverage: only run the seeds, and say what they
   * reach.
   */
  mode: "fuzz" | "merge" | "minimize" | "least" | "coverage";
}

export interface WireInput {
  /** The values; the thread finds the set or makes one. */
  params: bigint[];
  records: Uint8Array;
}

/** The child's first word, and what follows. */
export type Message =
  | { type: "started" }
  | { type: "ready"; name: string; version: string; wasmSha256: string; paramNames: number }
  | { type: "kept"; input: WireInput }
  | { type: "found"; input: WireInput; key: string; label: string; story: string; operation: number; execution: number }
  | { type: "status"; status: WorkerStatus }
  | { type: "done"; status: WorkerStatus; fingerprint: string }
  | { type: "reached"; reach: Reach; faults: number }
  | { type: "refused"; reason: string }
  | { type: "broken"; reason: string }
  | { type: "hang"; input: WireInput; seconds: number };

export interface WorkerStatus {
  executions: number;
  edges: number;
  edgesMax: number;
  compares: number;
  corpus: number;
  faults: number;
  slowestShare: number;
  slowest: string;
}

/** Shared between the child and its thread: 32-bit words, then the input that runs. */
export const SHARED = { stop: 0, beats: 1, records: 2, params: 3, input: 4 } as const;
export const sharedBytes = (recordsMax: number): number => (SHARED.input + recordsMax * 8) * 4;
