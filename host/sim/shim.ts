// SPDX-License-Identifier: MIT
//
// native/include/shim.h over the simulated world: every import of core.wasm. What the contract promises is kept (an
// errno, nothing half done), what it calls the core's bug is an exception: CorePanic.

import {
  XEN_EAGAIN,
  XEN_EBUSY,
  XEN_EFAULT,
  XEN_EINVAL,
  XEN_EIO,
  XEN_ENOENT,
  XEN_ENOMEM,
  XEN_ENOSPC,
  XEN_EPERM,
  XEN_ESRCH,
} from "../../unikernel/abi/xen/errno.js";
import { XENSTORE_PAYLOAD_MAX, XENSTORE_RING_SIZE, XSD_SOCKMSG_BYTES } from "../../unikernel/abi/xen/xs_wire.js";
import { shim } from "./contract.js";
import { crc32 } from "./crc32.js";
import { type Domain, readMemory, type Server, visitMemory, writeMemory } from "./domain.js";
import { nextCall } from "./faults.js";
import { createServer, mapRange, unmapRange } from "./ioreq.js";
import { type Capabilities, type Instance, ModuleFault } from "./module.js";
import { PAGE_BYTES } from "./page.js";
import type { Core, World } from "./world.js";

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

const MISUSE = 0xdead;
const FIRST_GREF = 8; // below: reserved entries (GNTTAB_NR_RESERVED_ENTRIES, xen/grant_table.h)

type Imports = Record<string, (...args: never[]) => unknown>;

export function createShim(world: () => World, code: WebAssembly.Module): { shim: ShimState; core: Core } {
  const state: ShimState = {
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
  return { shim: state, core: createCore(world, state, code) };
}

/** A core that knows nothing yet, over what the shim holds. */
export function createCore(world: () => World, state: ShimState, code: WebAssembly.Module): Core {
  const imports = {
    ...talkImports(world, state),
    ...restartImports(world, state),
    ...serverImports(world, state),
    ...memoryImports(world),
    ...shareImports(world, state),
    ...moduleImports(world, state),
  };
  const instance = new WebAssembly.Instance(code, { shim: withFaults(world, imports) as WebAssembly.ModuleImports });
  return instance.exports as unknown as Core;
}

/** Calls that can fail can be made to. */
function withFaults(world: () => World, imports: Imports): Imports {
  const wrap = ([name, body]: [string, (...args: never[]) => unknown]) => [
    name,
    (...args: never[]) => {
      const errno = nextCall(world().faults, name);
      if (errno === 0) return body(...args);
      return name === "guest_crc32" ? BigInt(-errno) : -errno;
    },
  ];
  return Object.fromEntries(Object.entries(imports).map(wrap));
}

/** [at, at + length) of the core's memory; outside is the core's bug. */
function coreBytes(world: World, at: number, length: number): Uint8Array {
  const memory = new Uint8Array(world.core.memory.buffer);
  if ((at >>> 0) + (length >>> 0) > memory.length) throw new CorePanic(MISUSE, BigInt(at >>> 0));
  return memory.subarray(at >>> 0, (at >>> 0) + (length >>> 0));
}

function talkImports(world: () => World, state: ShimState): Imports {
  return {
    panic(code: number, detail: bigint) {
      throw new CorePanic(code, BigInt.asUintN(64, detail));
    },
    log(at: number, length: number) {
      if (length > shim("SHIM_LOG_BYTES_MAX")) throw new CorePanic(MISUSE, BigInt(length));
      world().console.push(Buffer.from(coreBytes(world(), at, length)).toString("latin1"));
    },
    command_line(at: number, max: number) {
      const text = Buffer.from(world().commandLine).subarray(0, max);
      coreBytes(world(), at, max).set(text);
      return text.length;
    },
    time_ns: () => world().timeNs,
    wall_ns: () => world().timeNs,
    set_timer(deadline: bigint) {
      state.deadlineNs = deadline;
    },
    set_busy_wait(ns: bigint) {
      state.busyNs = ns;
    },
    stat(which: number) {
      if (which === shim("STAT_RESTARTS")) return BigInt(state.restart.count);
      return which === shim("STAT_PANIC_NS") ? state.restart.ns : BigInt(which + 1);
    },
    xenstore_send(type: number, reqId: number, at: number, length: number) {
      if (length > XENSTORE_PAYLOAD_MAX) return -XEN_EINVAL;
      const waiting = world().store.incoming.reduce((sum, one) => sum + XSD_SOCKMSG_BYTES + one.payload.length, 0);
      if (waiting > XENSTORE_RING_SIZE) return -XEN_EAGAIN;
      world().store.incoming.push({ type, reqId, payload: coreBytes(world(), at, length).slice() });
      return 0;
    },
  };
}

function restartImports(world: () => World, state: ShimState): Imports {
  return {
    restart: () => state.restart.mode,
    panic_words(at: number, max: number) {
      const text = Buffer.from(state.restart.words).subarray(0, max);
      coreBytes(world(), at, text.length).set(text);
      return text.length;
    },
    save(record: number, at: number, length: number) {
      if (record >= shim("SHIM_RECORDS_MAX") || length > shim("SHIM_RECORD_BYTES_MAX")) return -XEN_EINVAL;
      state.records.set(record, coreBytes(world(), at, length).slice());
      return 0;
    },
    saved(record: number, at: number, max: number) {
      if (state.damaged.has(record)) return -XEN_EIO;
      const bytes = state.records.get(record) ?? new Uint8Array();
      if (record >= shim("SHIM_RECORDS_MAX") || bytes.length > max) return -XEN_EINVAL;
      coreBytes(world(), at, bytes.length).set(bytes);
      return bytes.length;
    },
    instance_adopt(handle: number, module: number, tag: number) {
      const entry = state.instances.get(handle);
      if (entry?.module !== module || entry.tag !== tag || !state.unclaimed.instances.has(handle)) return -XEN_ENOENT;
      if (state.running.has(handle)) return -XEN_EIO;
      state.unclaimed.instances.delete(handle);
      return 0;
    },
  };
}

/** What the shim does before core_on_start after a panic ... */
export function beginRestart(state: ShimState): void {
  state.unclaimed = {
    servers: new Set(state.servers.keys()),
    ranges: new Map([...state.servers].map(([handle, { server }]) => [handle, namesOf(server)])),
    instances: new Set(state.instances.keys()),
  };
}

/** ... and after it. */
export function endRestart(state: ShimState): void {
  const { servers, ranges, instances } = state.unclaimed;
  for (const handle of servers) {
    const entry = state.servers.get(handle);
    entry?.domain.servers.splice(entry.domain.servers.indexOf(entry.server), 1);
    state.servers.delete(handle);
  }
  for (const [handle, { server }] of state.servers) {
    server.ranges.forEach((list, type) => {
      const kept = list.filter((one) => !ranges.get(handle)?.has(rangeName(type, one.start, one.end)));
      list.splice(0, list.length, ...kept);
    });
  }
  for (const handle of instances) state.instances.delete(handle);
  state.unclaimed = { servers: new Set(), ranges: new Map(), instances: new Set() };
  state.running.clear();
}

function rangeName(type: number, start: bigint, end: bigint): string {
  return `${type} ${start} ${end}`;
}

function namesOf(server: Server): Set<string> {
  return new Set(server.ranges.flatMap((list, type) => list.map(({ start, end }) => rangeName(type, start, end))));
}

function serverImports(world: () => World, state: ShimState): Imports {
  const serverAt = (handle: number) => state.servers.get(handle);
  return {
    ioreq_server_create(domid: number, tag: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      if (!domain.ours) return -XEN_EPERM;
      const known = [...state.unclaimed.servers].find((handle) => serverAt(handle)?.domain === domain);
      if (known !== undefined) {
        state.unclaimed.servers.delete(known);
        (serverAt(known) as { server: Server }).server.tag = tag;
        return known;
      }
      if (state.servers.size === shim("SHIM_SERVERS_MAX")) return -XEN_ENOMEM;
      const server = createServer(domain, tag);
      if (server === undefined) return -XEN_ENOSPC;
      state.servers.set(state.nextHandle, { domain, server });
      return state.nextHandle++;
    },
    ioreq_server_enable(handle: number) {
      const entry = serverAt(handle);
      if (entry === undefined) return -XEN_EINVAL;
      entry.server.enabled = true;
      return entry.domain.vcpus;
    },
    ioreq_server_destroy(handle: number) {
      const entry = serverAt(handle);
      if (entry === undefined) return -XEN_EINVAL;
      entry.domain.servers.splice(entry.domain.servers.indexOf(entry.server), 1);
      state.servers.delete(handle);
      return 0;
    },
    ioreq_range_map(handle: number, type: number, start: bigint, end: bigint) {
      const entry = serverAt(handle);
      if (state.unclaimed.ranges.get(handle)?.delete(rangeName(type, unsigned(start), unsigned(end)))) return 0;
      return entry === undefined ? -XEN_EINVAL : mapRange(entry.server, type, unsigned(start), unsigned(end));
    },
    ioreq_range_unmap(handle: number, type: number, start: bigint, end: bigint) {
      const entry = serverAt(handle);
      return entry === undefined ? -XEN_EINVAL : unmapRange(entry.server, type, unsigned(start), unsigned(end));
    },
    inject_msi(domid: number, address: bigint, data: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      domain.messages.push({ address: unsigned(address), data: data >>> 0 });
      return 0;
    },
    set_pci_intx_level(domid: number, device: number, intx: number, level: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      domain.lines.push([device, intx, level]);
      return 0;
    },
  };
}

function unsigned(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

function memoryImports(world: () => World): Imports {
  const copy = (name: "read" | "write") => (domid: number, gpa: bigint, at: number, length: number) => {
    if (length > shim("SHIM_COPY_BYTES_MAX")) return -XEN_EINVAL;
    const domain = world().domains.get(domid);
    const ours = coreBytes(world(), at, length);
    if (domain === undefined) return -XEN_ESRCH;
    if (name === "write") return writeMemory(domain, unsigned(gpa), ours) ? 0 : -XEN_EFAULT;
    const bytes = readMemory(domain, unsigned(gpa), length);
    if (bytes !== undefined) ours.set(bytes);
    return bytes === undefined ? -XEN_EFAULT : 0;
  };
  return {
    guest_read: copy("read"),
    guest_write: copy("write"),
    guest_populate(domid: number, gfn: bigint, pages: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      const count = Math.min(pages, domain.allowancePages);
      for (let i = 0; i < count; i++) domain.frames.set(unsigned(gfn) + BigInt(i), new Uint8Array(PAGE_BYTES));
      domain.allowancePages -= count;
      return count;
    },
    guest_depopulate(domid: number, gfn: bigint, pages: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      let count = 0;
      for (let i = 0; i < pages; i++) if (domain.frames.delete(unsigned(gfn) + BigInt(i))) count++;
      domain.allowancePages += count;
      return count;
    },
    guest_relocate(domid: number, from: bigint, to: bigint, pages: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      return relocate(domain, unsigned(from), unsigned(to), pages);
    },
    guest_crc32(domid: number, gpa: bigint, rowBytes: number, stride: number, rows: number, crc: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return BigInt(-XEN_ESRCH);
      let value = crc >>> 0;
      for (let row = 0; row < rows; row++) {
        const bytes = readMemory(domain, unsigned(gpa) + BigInt(row) * BigInt(stride >>> 0), rowBytes);
        if (bytes === undefined) return BigInt(-XEN_EFAULT);
        value = crc32(bytes, value);
      }
      return BigInt(value);
    },
  };
}

function relocate(domain: Domain, from: bigint, to: bigint, pages: number): number {
  for (let i = 0n; i < BigInt(pages); i++) if (!domain.frames.has(from + i)) return -XEN_EINVAL;
  const moved = Array.from({ length: pages }, (_, i) => domain.frames.get(from + BigInt(i)) as Uint8Array);
  for (let i = 0n; i < BigInt(pages); i++) domain.frames.delete(from + i);
  for (const [i, page] of moved.entries()) domain.frames.set(to + BigInt(i), page);
  return 0;
}

function shareImports(world: () => World, state: ShimState): Imports {
  const inside = (offset: number, length: number) => (offset >>> 0) + (length >>> 0) <= state.share.length;
  return {
    share_grant(domid: number, pages: number) {
      if (state.granted !== undefined) return -XEN_EBUSY;
      if (pages === 0 || pages > shim("SHIM_SHARE_PAGES")) return -XEN_EINVAL;
      state.granted = { domid, pages, mapped: false };
      return FIRST_GREF;
    },
    share_revoke() {
      if (state.granted?.mapped) return -XEN_EBUSY;
      state.granted = undefined;
      return 0;
    },
    share_copy_guest(domid: number, gpa: bigint, offset: number, length: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      if (!inside(offset, length)) return -XEN_EINVAL;
      const copied = visitMemory(domain, unsigned(gpa), length, (piece, at) => state.share.set(piece, offset + at));
      return copied ? 0 : -XEN_EFAULT;
    },
    share_write(offset: number, at: number, length: number) {
      if (!inside(offset, length)) return -XEN_EINVAL;
      state.share.set(coreBytes(world(), at, length), offset);
      return 0;
    },
  };
}

function moduleImports(world: () => World, state: ShimState): Imports {
  const create = (module: number, tag: number) => ({
    module,
    tag,
    code: world().modules[module]?.instantiate(capabilitiesOf(world, tag)) as Instance,
  });
  return {
    module_count: () => world().modules.length,
    module_manifest(module: number, at: number, max: number) {
      const manifest = world().modules[module]?.manifest;
      if (manifest === undefined) return -XEN_EINVAL;
      coreBytes(world(), at, max).set(manifest.subarray(0, max));
      return Math.min(manifest.length, max);
    },
    instance_create(module: number, tag: number) {
      if (state.instances.size === shim("SHIM_INSTANCES_MAX")) return -XEN_ENOMEM;
      if (world().modules[module] === undefined) return -XEN_EINVAL;
      state.instances.set(state.nextHandle, create(module, tag));
      return state.nextHandle++;
    },
    instance_reset(handle: number) {
      const entry = state.instances.get(handle);
      if (entry === undefined) return -XEN_EINVAL;
      state.instances.set(handle, create(entry.module, entry.tag));
      return 0;
    },
    instance_destroy(handle: number) {
      return state.instances.delete(handle) ? 0 : -XEN_EINVAL;
    },
    instance_call(handle: number, entry: number, fuel: number, a: bigint, b: bigint, c: bigint, d: bigint) {
      const instance = state.instances.get(handle);
      if (instance === undefined) throw new CorePanic(MISUSE, BigInt(handle));
      state.running.add(handle);
      try {
        const answer = instance.code.call(entry, fuel, [unsigned(a), unsigned(b), unsigned(c), unsigned(d)]);
        state.fault = shim("FAULT_NONE");
        state.fuel = answer.fuel;
        state.running.delete(handle);
        return answer.value;
      } catch (error) {
        if (!(error instanceof ModuleFault)) throw error;
        state.running.delete(handle);
        state.fault = error.fault;
        state.fuel = error.fuel;
        return 0n;
      }
    },
    call_fault: () => state.fault,
    call_fuel: () => state.fuel,
  };
}

/** A module's imports go through the core; its FATAL ends the call. */
function capabilitiesOf(world: () => World, tag: number): Capabilities {
  const check = (answer: number): number => {
    if (answer === shim("CAPABILITY_FATAL")) throw new ModuleFault(shim("FAULT_CAPABILITY"));
    return answer;
  };
  return {
    param: (key) => unsigned(world().core.param(tag, key)),
    irqRaise: (vector) => check(world().core.irq_raise(tag, vector)),
    scanoutSet: (...args) => check(world().core.scanout_set(tag, ...args)),
    scanoutFlush: (...args) => check(world().core.scanout_flush(tag, ...args)),
    log(text) {
      new Uint8Array(world().core.memory.buffer).set(text, world().core.log_buffer());
      return check(world().core.log(tag, text.length));
    },
  };
}
