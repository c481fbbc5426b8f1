// SPDX-License-Identifier: MIT
//
// Instances of modules, as native/wasm/instance.c and arena.c keep them: a slot and pages of an arena each. A stale
// handle, an unknown entry point or a call into an instance that runs is the core's bug.

import { MANIFEST_MEMORY_PAGES } from "../../../unikernel/abi/manifest.js";
import { LIST_ENTRY_BYTES } from "../../../unikernel/abi/module.js";
import { XEN_EBUSY, XEN_EINVAL, XEN_ENOSPC } from "../../../unikernel/abi/xen/errno.js";
import { shim } from "../contract.js";
import { crc32 } from "../crc32.js";
import { type Capabilities, type Instance, ModuleFault, type SimModule } from "../module.js";
import type { World } from "../world.js";
import { CorePanic, coreBytes, type Imports, MISUSE, newHandle, type ShimState, unsigned } from "./state.js";
import { told } from "./told.js";

/** native/include/shim_limits.h, ARENA_PAGES: of 64 KiB, for all instances. */
export const ARENA_PAGES = 64;
const FUEL_MAX = 0x7fffffff;

export function instanceImports(world: () => World, state: ShimState): Imports {
  const instanceOf = (handle: number) => {
    const entry = state.instances.get(handle);
    if (entry === undefined) throw new CorePanic(MISUSE, BigInt(handle >>> 0));
    return entry;
  };
  return {
    instance_create: (module: number, tag: number) => create(world, state, module, tag),
    instance_reset(handle: number) {
      const entry = instanceOf(handle);
      if (state.running.has(handle)) return -XEN_EBUSY;
      entry.code = instantiate(world, state, entry.module, handle);
      return 0;
    },
    instance_destroy(handle: number) {
      instanceOf(handle);
      if (state.running.has(handle)) return -XEN_EBUSY;
      state.instances.delete(handle);
      return 0;
    },
    instance_call(handle: number, entry: number, fuel: number, a: bigint, b: bigint, c: bigint, d: bigint) {
      const known = entry >>> 0 < shim("ENTRY_COUNT") && fuel >= 0 && fuel <= FUEL_MAX;
      if (!known || state.running.has(handle)) throw new CorePanic(MISUSE, BigInt(entry));
      const { code } = instanceOf(handle);
      return call(world(), state, handle, code, entry, fuel, [a, b, c, d].map(unsigned) as Arguments);
    },
    instance_hash(handle: number) {
      const { code } = instanceOf(handle);
      return code.state?.().reduce((crc, part) => crc32(part, crc), 0) ?? 0;
    },
    instance_copy(dst: number, dstAt: number, src: number, srcAt: number, length: number) {
      const [to, from] = [dst, src].map((one) => instanceOf(one).code.state?.()[0]);
      const fits = (memory: Uint8Array | undefined, at: number): memory is Uint8Array =>
        memory !== undefined && (at >>> 0) + (length >>> 0) <= memory.length;
      if (!fits(to, dstAt) || !fits(from, srcAt)) return -XEN_EINVAL;
      if (state.running.has(dst) || state.running.has(src)) return -XEN_EBUSY;
      to.set(from.slice(srcAt >>> 0, (srcAt >>> 0) + (length >>> 0)), dstAt >>> 0);
      return 0;
    },
    call_fault: () => state.fault,
    call_fuel: () => state.fuel,
  };
}

type Arguments = [bigint, bigint, bigint, bigint];

function create(world: () => World, state: ShimState, module: number, tag: number): number {
  const manifest = world().modules[module]?.manifest;
  if (manifest === undefined) return -XEN_EINVAL;
  const handle = newHandle(state, "instances", shim("SHIM_INSTANCES_MAX"));
  const pages = new DataView(manifest.buffer, manifest.byteOffset).getUint32(MANIFEST_MEMORY_PAGES, true);
  const firstPage = takePages(state, pages);
  if (handle === undefined || firstPage < 0) return -XEN_ENOSPC;
  const code = instantiate(world, state, module, handle);
  state.instances.set(handle, { module, tag, code, firstPage, pages });
  return handle;
}

function instantiate(world: () => World, state: ShimState, module: number, handle: number): Instance {
  const tag = () => state.instances.get(handle)?.tag ?? 0;
  const code = world().modules[module] as SimModule;
  return code.instantiate(told(world, { tag, handle, manifest: code.manifest }, capabilitiesOf(world, tag)));
}

/** arena_take: the first gap that is wide enough, or -1. */
function takePages(state: ShimState, pages: number): number {
  const used = [...state.instances.values()].filter((one) => one.pages > 0).sort((a, b) => a.firstPage - b.firstPage);
  let first = 0;
  for (const one of used) {
    if (one.firstPage - first >= pages) break;
    first = one.firstPage + one.pages;
  }
  return first + pages <= ARENA_PAGES ? first : -1;
}

function call(
  world: World,
  state: ShimState,
  handle: number,
  code: Instance,
  entry: number,
  fuel: number,
  args: Arguments,
): bigint {
  const tag = state.instances.get(handle)?.tag ?? 0;
  let value = 0n;
  state.running.add(handle);
  try {
    const answer = code.call(entry, fuel, args);
    state.fault = shim("FAULT_NONE");
    state.fuel = answer.fuel;
    value = answer.value;
  } catch (error) {
    if (!(error instanceof ModuleFault)) throw error; // a panic: the instance stays as one that runs
    state.fault = error.fault;
    state.fuel = error.fuel;
  }
  state.running.delete(handle);
  const { fault } = state;
  const data = entry === shim("ENTRY_BAR_WRITE") ? { data: unsigned(args[3]) } : {};
  world.journal?.entries.push({ kind: "called", handle, tag, entry, fault, fuel: state.fuel, budget: fuel, ...data });
  return value;
}

/** A module's imports go through the core; its FATAL ends the call. */
function capabilitiesOf(world: () => World, tag: () => number): Capabilities {
  const check = (answer: number): number => {
    if (answer === shim("CAPABILITY_FATAL")) throw new ModuleFault(shim("FAULT_CAPABILITY"));
    if (answer === shim("CAPABILITY_PROMISE")) throw new ModuleFault(shim("FAULT_PROMISE"));
    return answer;
  };
  const transfer = (length: number): Uint8Array => coreBytes(world(), world().core.transfer_buffer(), length);
  const put = (bytes: Uint8Array): number => {
    transfer(bytes.length).set(bytes);
    return bytes.length;
  };
  /** What came is the module's only when the answer says that it is there. */
  const get = (answer: number, into: Uint8Array): number => {
    if (check(answer) === 0) into.set(transfer(into.length));
    return answer;
  };
  return {
    param: (key) => unsigned(world().core.param(tag(), key)),
    irqRaise: (vector) => check(world().core.irq_raise(tag(), vector)),
    scanoutSet: (...args) => check(world().core.scanout_set(tag(), ...args)),
    scanoutFlush: (...args) => check(world().core.scanout_flush(tag(), ...args)),
    log(text) {
      new Uint8Array(world().core.memory.buffer).set(text, world().core.log_buffer());
      return check(world().core.log(tag(), text.length));
    },
    poll: (ns) => check(world().core.poll(tag(), ns)),
    scanoutSetBuffer: (...args) => check(world().core.scanout_set_buffer(tag(), ...args)),
    cursorSet: (...args) => check(world().core.cursor_set(tag(), ...args)),
    cursorMove: (...args) => check(world().core.cursor_move(tag(), ...args)),
    workCopy: (...args) => check(world().core.work_copy(tag(), ...args)),
    workFence: (...args) => check(world().core.work_fence(tag(), ...args)),
    guestRead: (gpa, into) => get(world().core.guest_read(tag(), gpa, into.length), into),
    guestWrite: (gpa, bytes) => check(world().core.guest_write(tag(), gpa, put(bytes))),
    bufferCreate: (list) => check(world().core.buffer_create(tag(), put(list) / LIST_ENTRY_BYTES)),
    bufferAppend: (buffer, list) => check(world().core.buffer_append(tag(), buffer, put(list) / LIST_ENTRY_BYTES)),
    bufferBar: (bar, offset, bytes) => check(world().core.buffer_bar(tag(), bar, offset, bytes)),
    bufferDestroy: (buffer) => check(world().core.buffer_destroy(tag(), buffer)),
    bufferRead: (buffer, offset, into) => get(world().core.buffer_read(tag(), buffer, offset, into.length), into),
    bufferWrite: (buffer, offset, bytes) => check(world().core.buffer_write(tag(), buffer, offset, put(bytes))),
    bufferCopy: (...args) => check(world().core.buffer_copy(tag(), ...args)),
  };
}
