// SPDX-License-Identifier: MIT
//
// Restart in place: records that outlive a panic of the core, and who takes servers and instances on.

import { XEN_EINVAL, XEN_EIO, XEN_ENOENT } from "../../../unikernel/abi/xen/errno.js";
import { shim } from "../contract.js";
import type { Server } from "../domain.js";
import type { World } from "../world.js";
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

export function rangeName(type: number, start: bigint, end: bigint): string {
  return `${type} ${start} ${end}`;
}

function namesOf(server: Server): Set<string> {
  return new Set(server.ranges.flatMap((list, type) => list.map(({ start, end }) => rangeName(type, start, end))));
}
