// SPDX-License-Identifier: MIT
//
// The simulated machine: domains, xenstore, a clock that moves only when told, and one driver domain that runs the real
// core.wasm. Same calls in the same order, same world: nothing here asks the host for time, randomness or order.

import { shim } from "./contract.js";
import type { Domain } from "./domain.js";
import { createDomain } from "./domain.js";
import { dispatch } from "./event.js";
import { createFaults, type Faults } from "./faults.js";
import { removeServer } from "./ioreq.js";
import type { Journal } from "./journal.js";
import type { SimModule } from "./module.js";
import { beginRestart, type CoreCode, createCore, createShim, endRestart, type ShimState } from "./shim.js";
import { createXenstore, type Xenstore } from "./xenstore.js";
import { storeStep } from "./xenstored.js";

export const DRIVER_DOMID = 3;

/** The core's exports as JavaScript sees them: u32 as numbers, u64 as signed bigints. */
export interface Core {
  memory: WebAssembly.Memory;
  on_start(): void;
  on_ioreq(
    tag: number,
    vcpu: number,
    type: number,
    flags: number,
    addr: bigint,
    data: bigint,
    count: number,
    size: number,
  ): bigint;
  on_xenstore(type: number, reqId: number, length: number): void;
  on_timer(): void;
  on_idle(): number;
  xenstore_buffer(): number;
  log_buffer(): number;
  irq_raise(tag: number, vector: number): number;
  scanout_set(
    tag: number,
    scanout: number,
    bar: number,
    offset: bigint,
    width: number,
    height: number,
    stride: number,
    format: number,
  ): number;
  scanout_flush(tag: number, scanout: number, x: number, y: number, width: number, height: number): number;
  log(tag: number, length: number): number;
  work_copy(
    tag: number,
    engine: number,
    cookie: bigint,
    dst: number,
    dstOffset: bigint,
    dstStride: number,
    src: number,
    srcOffset: bigint,
    srcStride: number,
    rowBytes: number,
    rows: number,
  ): number;
  work_fence(tag: number, engine: number, cookie: bigint): number;
  transfer_buffer(): number;
  scanout_set_buffer(
    tag: number,
    scanout: number,
    buffer: number,
    offset: bigint,
    width: number,
    height: number,
    stride: number,
    format: number,
  ): number;
  cursor_set(
    tag: number,
    scanout: number,
    buffer: number,
    offset: bigint,
    width: number,
    height: number,
    stride: number,
    format: number,
  ): number;
  cursor_move(tag: number, scanout: number, x: number, y: number): number;
  guest_read(tag: number, gpa: bigint, length: number): number;
  guest_write(tag: number, gpa: bigint, length: number): number;
  buffer_create(tag: number, count: number): number;
  buffer_append(tag: number, buffer: number, count: number): number;
  buffer_bar(tag: number, bar: number, offset: bigint, bytes: bigint): number;
  buffer_destroy(tag: number, buffer: number): number;
  buffer_read(tag: number, buffer: number, offset: bigint, length: number): number;
  buffer_write(tag: number, buffer: number, offset: bigint, length: number): number;
  buffer_copy(
    tag: number,
    dst: number,
    dstOffset: bigint,
    dstStride: number,
    src: number,
    srcOffset: bigint,
    srcStride: number,
    rowBytes: number,
    rows: number,
  ): number;
  poll(tag: number, ns: bigint): number;
  param(tag: number, key: number): bigint;
}

export interface World {
  timeNs: bigint;
  domains: Map<number, Domain>;
  store: Xenstore;
  faults: Faults;
  /** By slot. */
  modules: (SimModule | undefined)[];
  /** What the loader said about files of the ramdisk that it refused. */
  refusals: string[];
  /** Files that Dom0 granted, by the directory's reference: a module, or the words that refuse it. */
  offers: Map<number, SimModule | string>;
  commandLine: string;
  /** Lines of the driver domain's console. */
  console: string[];
  shim: ShimState;
  core: Core;
  /** Requests of vCPUs so far: each has a number. */
  asks: number;
  /** Somebody wants to know what happens. */
  journal: Journal | undefined;
}

export interface WorldOptions {
  core: CoreCode;
  modules: SimModule[];
  commandLine?: string;
}

/** A machine whose driver domain has not started yet: call startDriver(). */
export function createWorld(options: WorldOptions): World {
  const world: World = {
    timeNs: 1_000_000_000n,
    domains: new Map(),
    store: createXenstore(`/local/domain/${DRIVER_DOMID}`),
    faults: createFaults(),
    modules: [...options.modules],
    refusals: [],
    offers: new Map(),
    commandLine: options.commandLine ?? "",
    console: [],
    asks: 0,
    journal: undefined,
    ...createShim(() => world, options.core),
  };
  return world;
}

export function addDomain(world: World, domid: number, options: Parameters<typeof createDomain>[1] = {}): Domain {
  const domain = createDomain(domid, options);
  world.domains.set(domid, domain);
  return domain;
}

/**
 * The guest dies: its vCPUs stop, its servers and its memory go. What is left of it stays, dying, as long as somebody
 * refers to it (set_target does).
 */
export function killDomain(world: World, domid: number): void {
  const domain = world.domains.get(domid);
  if (domain === undefined || domain.dying) return;
  domain.dying = true;
  for (const vcpu of domain.vcpuStates) vcpu.waits = undefined;
  for (const server of [...domain.servers]) removeServer(world, domain, server);
  domain.frames.clear();
  domain.given.clear();
  world.journal?.entries.push({ kind: "died", domid });
}

/** Nobody refers to it any more: the number is free. */
export function forgetDomain(world: World, domid: number): void {
  killDomain(world, domid);
  world.domains.delete(domid);
}

/** The core panicked, with these words: it starts anew, in place. `mode`: RESTART_* of unikernel/abi/shim.ts. */
export function restartDriver(world: World, code: CoreCode, mode: number, words: string): void {
  const { count, inWindow } = world.shim.restart;
  world.shim.restart = { mode, count: count + 1, words, ns: world.timeNs, inWindow };
  world.journal?.entries.push({ kind: "restarted", mode });
  world.core = createCore(() => world, world.shim, code);
  beginRestart(world);
  world.core.on_start();
  endRestart(world);
  settle(world);
}

export function startDriver(world: World): void {
  world.core.on_start();
  settle(world);
}

/** Moves the clock; the timer fires when it is due. */
export function advanceTime(world: World, ns: bigint): void {
  world.timeNs += ns;
  world.journal?.entries.push({ kind: "time", ns });
  const { deadlineNs } = world.shim;
  if (deadlineNs === 0n || deadlineNs > world.timeNs) return;
  world.shim.deadlineNs = 0n;
  world.core.on_timer();
}

/** What one look of a polling module takes; nothing else here takes time by itself, but polling ends by time. */
const POLL_STEP_NS = 10_000n;

/** One step of the driver domain's loop and of xenstored; false when both have nothing to do. */
export function step(world: World): boolean {
  const events = dispatch(world.shim.events);
  const daemon = storeStep(world.store, (path, value) => world.journal?.entries.push({ kind: "node", path, value }));
  const message = world.store.outgoing.shift();
  if (message !== undefined) {
    new Uint8Array(world.core.memory.buffer).set(message.payload, world.core.xenstore_buffer());
    world.core.on_xenstore(message.type, message.reqId, message.payload.length);
  }
  const idle = world.core.on_idle();
  const work = events || daemon || message !== undefined || world.store.incoming.length > 0;
  if (idle === shim("IDLE_POLLS") && !work) advanceTime(world, POLL_STEP_NS);
  return work || idle !== shim("IDLE_DONE");
}

const STEPS_MAX = 100_000;

/** Steps until nothing is left to do. */
export function settle(world: World): void {
  for (let i = 0; step(world); i++) if (i > STEPS_MAX) throw new Error("the driver domain does not come to rest");
}
