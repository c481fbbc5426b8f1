// SPDX-License-Identifier: MIT
//
// Restart in place: records that outlive a panic of the core, and who takes servers and instances on.

import { XEN_EINVAL, XEN_EIO, XEN_ENOENT } from "../../../unikernel/abi/xen/errno.js";
import { shim } from "../contract.js";
import { raiseAll } from "../event.js";
import { answerInterrupted } from "../service.js";
import type { World } from "../world.js";
import { dropRanges, forgetServer } from "./server.js";
import { coreBytes, type Imports, type ShimState } from "./state.js";

export function restartImports(world: () => World, state: ShimState): Imports {
  return {
    restart: () => state.restart.mode,
    panic_words(at: number, max: number) {
      const text = Buffer.from(state.restart.words).subarray(0, max);
      coreBytes(world(), at, text.length).set(text);
      return text.length;
    },
    save(record: number, at: number, length: number) {
      if (record >>> 0 >= shim("SHIM_RECORDS_MAX") || length >>> 0 > shim("SHIM_RECORD_BYTES_MAX")) return -XEN_EINVAL;
      state.records.set(record, coreBytes(world(), at, length).slice());
      return 0;
    },
    saved(record: number, at: number, max: number) {
      if (state.damaged.has(record)) return -XEN_EIO;
      const bytes = state.records.get(record) ?? new Uint8Array();
      if (record >>> 0 >= shim("SHIM_RECORDS_MAX") || bytes.length > max) return -XEN_EINVAL;
      coreBytes(world(), at, bytes.length).set(bytes);
      return bytes.length;
    },
    instance_adopt(handle: number, module: number, tag: number) {
      const entry = state.instances.get(handle);
      if (entry?.module !== module || !state.unclaimed.instances.has(handle)) return -XEN_ENOENT;
      if (state.running.has(handle)) return -XEN_EIO;
      state.unclaimed.instances.delete(handle);
      entry.tag = tag;
      return 0;
    },
  };
}

/** What the shim does before core_on_start after a panic ... */
export function beginRestart(world: World): void {
  const state = world.shim;
  answerInterrupted(world);
  for (const [handle, own] of [...state.servers]) if (own.state !== "enabled") forgetServer(world, state, handle);
  raiseAll(state.events);
  state.unclaimed = {
    servers: new Set(state.servers.keys()),
    ranges: new Map([...state.servers].map(([handle, { ranges }]) => [handle, new Set(ranges)])),
    instances: new Set(state.instances.keys()),
    takenOn: new Set(),
  };
}

/** ... and after it. */
export function endRestart(world: World): void {
  const state = world.shim;
  const { servers, ranges, instances } = state.unclaimed;
  for (const handle of servers) forgetServer(world, state, handle);
  for (const [handle, names] of ranges) if (state.servers.has(handle)) dropRanges(world, state, handle, names);
  for (const handle of instances) state.instances.delete(handle);
  state.unclaimed = { servers: new Set(), ranges: new Map(), instances: new Set(), takenOn: state.unclaimed.takenOn };
  state.running.clear();
}

/** The third panic in a window: all ones to whoever waits, every server back to Xen; nobody is at home any more. */
export function endDriver(world: World): void {
  for (const handle of [...world.shim.servers.keys()]) forgetServer(world, world.shim, handle);
}
