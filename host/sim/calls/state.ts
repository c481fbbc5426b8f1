// SPDX-License-Identifier: MIT
//
// What the simulated shim holds between calls, and what every file of calls needs: the core's memory, checked.

import { shim } from "../contract.js";
import type { Domain, Server } from "../domain.js";
import type { Instance } from "../module.js";
import { PAGE_BYTES } from "../page.js";
import type { World } from "../world.js";

/** The core stopped itself, or broke the contract. */
export class CorePanic extends Error {
  constructor(
    readonly code: number,
    readonly detail: bigint,
  ) {
    super(`core panic 0x${code.toString(16)}, detail 0x${detail.toString(16)}`);
  }
}

export interface ShimState {
  deadlineNs: bigint;
  busyNs: bigint;
  /** By handle. Handles are never used twice, so a stale one is an error, as on Xen. */
  servers: Map<number, { domain: Domain; server: Server }>;
  instances: Map<number, { module: number; tag: number; code: Instance }>;
  nextHandle: number;
  fault: number;
  fuel: number;
  share: Uint8Array;
  /** Pages that the peer may read, 0 = none; `mapped` is for tests to set. */
  granted: { domid: number; pages: number; mapped: boolean } | undefined;
  /** What outlives a panic of the core; `damaged` records are for tests to name. */
  records: Map<number, Uint8Array>;
  damaged: Set<number>;
  restart: { mode: number; count: number; words: string; ns: bigint };
  /** After a restart, until the core takes them on: servers, their ranges as text, instances. */
  unclaimed: { servers: Set<number>; ranges: Map<number, Set<string>>; instances: Set<number> };
  /** Instances that run a call. */
  running: Set<number>;
}

/** The code of a panic that the core's breach of the contract makes. */
export const MISUSE = 0xdead;

/** Functions of one import module, by name. */
export type Imports = Record<string, (...args: never[]) => unknown>;

/** [at, at + length) of the core's memory; outside is the core's bug. */
export function coreBytes(world: World, at: number, length: number): Uint8Array {
  const memory = new Uint8Array(world.core.memory.buffer);
  if ((at >>> 0) + (length >>> 0) > memory.length) throw new CorePanic(MISUSE, BigInt(at >>> 0));
  return memory.subarray(at >>> 0, (at >>> 0) + (length >>> 0));
}

/** What JavaScript shows as a signed bigint is a u64. */
export function unsigned(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

export function createState(): ShimState {
  return {
    deadlineNs: 0n,
    busyNs: 0n,
    servers: new Map(),
    instances: new Map(),
    nextHandle: 1,
    fault: 0,
    fuel: 0,
    share: new Uint8Array(shim("SHIM_SHARE_PAGES") * PAGE_BYTES),
    granted: undefined,
    records: new Map(),
    damaged: new Set(),
    restart: { mode: shim("RESTART_NONE"), count: 0, words: "", ns: 0n },
    unclaimed: { servers: new Set(), ranges: new Map(), instances: new Set() },
    running: new Set(),
  };
}
