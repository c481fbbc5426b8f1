// SPDX-License-Identifier: MIT
//
// What the simulated shim holds between calls, and what every file of calls needs: the core's memory, checked.

import { shim } from "../contract.js";
import type { Domain, Server } from "../domain.js";
import { createEvents, type Events } from "../event.js";
import { createGrants, type Grants } from "../grant.js";
import type { Instance, SimModule } from "../module.js";
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

/** native/xen/server.h: enum server_state, those that outlive a call. */
export type ServerState = "created" | "enabled" | "drained";

/** A server of ours, as native/xen/server.c knows it. */
export interface OwnServer {
  domain: Domain;
  /** Xen's side of it. */
  server: Server;
  state: ServerState;
  tag: number;
  /** By vCPU. */
  ports: number[];
  /** Ranges claimed, as text; native/xen keeps as many as SERVER_RANGES_MAX. */
  ranges: Set<string>;
}

export interface OwnInstance {
  module: number;
  tag: number;
  code: Instance;
  firstPage: number;
  pages: number;
}

export interface ShimState {
  deadlineNs: bigint;
  busyNs: bigint;
  events: Events;
  grants: Grants;
  /** By handle: generation above, index in the low byte. A stale one is the core's bug, as on Xen. */
  servers: Map<number, OwnServer>;
  instances: Map<number, OwnInstance>;
  generations: Map<string, number>;
  fault: number;
  fuel: number;
  share: Uint8Array;
  /** Pages that the peer may read, 0 = none; `mapped`: it has one of them mapped. */
  granted: { domid: number; pages: number; mapped: boolean } | undefined;
  firstRef: number;
  /** What outlives a panic of the core; `damaged` records are for tests to name. */
  records: Map<number, Uint8Array>;
  damaged: Set<number>;
  restart: { mode: number; count: number; words: string; ns: bigint; inWindow: number };
  /** After a restart, until the core takes them on: servers, their ranges as text, instances. */
  unclaimed: {
    servers: Set<number>;
    ranges: Map<number, Set<string>>;
    instances: Set<number>;
    /** Servers that were taken on and not enabled again yet. */
    takenOn: Set<number>;
  };
  /** Instances that run a call. */
  running: Set<number>;
  /** Of modules that were loaded while the domain ran. */
  serials: Map<SimModule, number>;
  /** Why the last live load was refused. */
  loadWords: string;
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

const GENERATION_MAX = 0x7fffff; // native/xen/server.c, native/wasm/instance.c
const INDEX_MASK = 0xff;

/** A handle for the lowest free index below `max`; undefined when none is free. */
export function newHandle(state: ShimState, kind: "servers" | "instances", max: number): number | undefined {
  const taken = new Set([...state[kind].keys()].map((handle) => handle & INDEX_MASK));
  for (let index = 0; index < max; index++) {
    if (taken.has(index)) continue;
    const key = `${kind} ${index}`;
    const generation = ((state.generations.get(key) ?? 0) % GENERATION_MAX) + 1;
    state.generations.set(key, generation);
    return (generation << 8) | index;
  }
  return undefined;
}

export function createState(): ShimState {
  return {
    deadlineNs: 0n,
    busyNs: 0n,
    events: createEvents(),
    grants: createGrants(),
    servers: new Map(),
    instances: new Map(),
    generations: new Map(),
    fault: 0,
    fuel: 0,
    share: new Uint8Array(shim("SHIM_SHARE_PAGES") * PAGE_BYTES),
    granted: undefined,
    firstRef: 0,
    records: new Map(),
    damaged: new Set(),
    restart: { mode: shim("RESTART_NONE"), count: 0, words: "", ns: 0n, inWindow: 0 },
    unclaimed: { servers: new Set(), ranges: new Map(), instances: new Set(), takenOn: new Set() },
    running: new Set(),
    serials: new Map(),
    loadWords: "",
  };
}
