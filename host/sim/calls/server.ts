// SPDX-License-Identifier: MIT
//
// Ioreq servers of ours and their ranges.

import { XEN_EINVAL, XEN_ENOMEM, XEN_ENOSPC, XEN_EPERM, XEN_ESRCH } from "../../../unikernel/abi/xen/errno.js";
import { shim } from "../contract.js";
import type { Server } from "../domain.js";
import { createServer, mapRange, unmapRange } from "../ioreq.js";
import type { World } from "../world.js";
import { rangeName } from "./restart.js";
import { type Imports, type ShimState, unsigned } from "./state.js";

export function serverImports(world: () => World, state: ShimState): Imports {
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
  };
}
