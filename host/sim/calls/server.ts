// SPDX-License-Identifier: MIT
//
// Ioreq servers of ours and their ranges: what native/xen/server.c does, over Xen's side in ioreq.ts and ranges.ts.

import {
  XEN_EINVAL,
  XEN_ENOENT,
  XEN_ENOMEM,
  XEN_ENOSPC,
  XEN_EPERM,
  XEN_ESRCH,
} from "../../../unikernel/abi/xen/errno.js";
import { shim } from "../contract.js";
import { type Domain, isDomid } from "../domain.js";
import { bindInterdomain, closePort } from "../event.js";
import { createServer, enableServer, removeServer, takeAnswers } from "../ioreq.js";
import { addRange, removeRange } from "../ranges.js";
import { completePending, serviceSlot } from "../service.js";
import { DRIVER_DOMID, type World } from "../world.js";
import { CorePanic, type Imports, MISUSE, newHandle, type OwnServer, type ShimState, unsigned } from "./state.js";

/** native/include/shim_limits.h, SERVER_RANGES_MAX. */
export const SERVER_RANGES_MAX = 64;

export function serverImports(world: () => World, state: ShimState): Imports {
  return {
    ioreq_server_create(domid: number, tag: number) {
      const known = [...state.unclaimed.servers].find((handle) => ownServer(state, handle).domain.domid === domid);
      if (known !== undefined) return takeOn(state, known, tag);
      if (!isDomid(domid)) return -XEN_EINVAL;
      if (state.servers.size >= shim("SHIM_SERVERS_MAX")) return -XEN_ENOSPC;
      return create(world(), state, domid, tag);
    },
    ioreq_server_enable(handle: number) {
      const own = ownServer(state, handle);
      if (own.state === "enabled" && state.unclaimed.takenOn.delete(handle)) return own.domain.vcpus;
      if (own.state !== "created") throw new CorePanic(MISUSE, BigInt(handle));
      return enable(world(), state, own);
    },
    ioreq_server_destroy(handle: number) {
      const own = ownServer(state, handle);
      drain(world(), state, handle);
      const rc = xenRefuses(world(), own);
      if (rc === 0) removeServer(world(), own.domain, own.server);
      if (rc !== 0 && rc !== -XEN_ESRCH && rc !== -XEN_ENOENT) return rc;
      state.servers.delete(handle);
      return 0;
    },
    ioreq_range_map(handle: number, type: number, start: bigint, end: bigint) {
      return mapRange(world(), state, handle, type, unsigned(start), unsigned(end));
    },
    ioreq_range_unmap(handle: number, type: number, start: bigint, end: bigint) {
      return unmapRange(world(), ownServer(state, handle), type, unsigned(start), unsigned(end));
    },
  };
}

function ownServer(state: ShimState, handle: number): OwnServer {
  const own = state.servers.get(handle);
  if (own === undefined) throw new CorePanic(MISUSE, BigInt(handle >>> 0));
  return own;
}

function takeOn(state: ShimState, handle: number, tag: number): number {
  state.unclaimed.servers.delete(handle);
  state.unclaimed.takenOn.add(handle);
  ownServer(state, handle).tag = tag;
  return handle;
}

/** What every dm_op on an existing server answers before it does anything. */
function xenRefuses(world: World, own: OwnServer): number {
  if (world.domains.get(own.domain.domid) !== own.domain) return -XEN_ESRCH;
  if (!own.domain.ours) return -XEN_EPERM;
  return own.domain.servers.includes(own.server) ? 0 : -XEN_ENOENT;
}

function create(world: World, state: ShimState, domid: number, tag: number): number {
  const domain = world.domains.get(domid);
  if (domain === undefined) return -XEN_ESRCH;
  if (!domain.ours) return -XEN_EPERM;
  const server = createServer(domain, DRIVER_DOMID);
  if (server === undefined) return -XEN_ENOSPC;
  if (domain.dying) {
    removeServer(world, domain, server); // no page for its slots: alloc_domheap_page of a dying domain
    return -XEN_ENOMEM;
  }
  const handle = newHandle(state, "servers", shim("SHIM_SERVERS_MAX")) as number;
  state.servers.set(handle, { domain, server, state: "created", tag, ports: [], ranges: new Set() });
  return handle;
}

function enable(world: World, state: ShimState, own: OwnServer): number {
  const refused = xenRefuses(world, own);
  if (refused !== 0) return refused;
  enableServer(own.server, true);
  const rc = bindAll(world, state, own);
  if (rc === 0) {
    own.state = "enabled";
    return own.domain.vcpus;
  }
  enableServer(own.server, false);
  completePending(world, own);
  unbindAll(state, own);
  return rc;
}

/** Xen publishes the ports when the server is enabled; a request that came in between is seen, as binding raises. */
function bindAll(world: World, state: ShimState, own: OwnServer): number {
  for (let vcpu = 0; vcpu < own.domain.vcpus; vcpu++) {
    const eport = own.server.slots[vcpu]?.eport;
    const remote = own.server.ports.find((one) => one.port === eport);
    const port = bindInterdomain(state.events, remote, () => serviceSlot(world, own, vcpu));
    if (port < 0) return port;
    own.ports.push(port);
  }
  return 0;
}

function unbindAll(state: ShimState, own: OwnServer): void {
  for (const port of own.ports.reverse()) closePort(state.events, port);
  own.ports = [];
}

/** Everything of ours but the server's number is given back; also of a dead guest. */
export function drain(world: World, state: ShimState, handle: number): void {
  const own = ownServer(state, handle);
  state.unclaimed.takenOn.delete(handle);
  if (own.state === "enabled") {
    if (xenRefuses(world, own) === 0) enableServer(own.server, false);
    completePending(world, own);
    takeAnswers(world, own.domain); // the vCPUs get some turns (DRAIN_YIELDS) to take their answers
    unbindAll(state, own);
  }
  own.state = "drained";
}

export function rangeName(type: number, start: bigint, end: bigint): string {
  return `${type} ${start} ${end}`;
}

function mapRange(world: World, state: ShimState, handle: number, type: number, start: bigint, end: bigint): number {
  const own = ownServer(state, handle);
  const name = rangeName(type, start, end);
  if (start > end) return -XEN_EINVAL;
  if (state.unclaimed.ranges.get(handle)?.delete(name)) return 0;
  if (own.ranges.size >= SERVER_RANGES_MAX) return -XEN_ENOSPC;
  const rc = xenRefuses(world, own) || addRange(own.server.ranges[type as 0 | 1 | 2], start, end);
  if (rc === 0) own.ranges.add(name);
  return rc;
}

function unmapRange(world: World, own: OwnServer, type: number, start: bigint, end: bigint): number {
  const name = rangeName(type, start, end);
  if (start > end) return -XEN_EINVAL;
  if (!own.ranges.has(name)) return -XEN_ENOENT;
  const rc = xenRefuses(world, own) || removeRange(own.server.ranges[type as 0 | 1 | 2], start, end);
  if (rc === 0 || rc === -XEN_ENOENT || rc === -XEN_ESRCH) own.ranges.delete(name);
  return rc;
}

/** A guest's server that we found dead goes from our books; for a restart. */
export function forgetServer(world: World, state: ShimState, handle: number): void {
  const own = ownServer(state, handle);
  drain(world, state, handle);
  if (xenRefuses(world, own) === 0) removeServer(world, own.domain, own.server);
  state.servers.delete(handle);
}

/** Ranges that the core did not take on after a restart. */
export function dropRanges(world: World, state: ShimState, handle: number, names: Iterable<string>): void {
  for (const name of names) {
    const [type = 0, start = 0n, end = 0n] = name.split(" ").map((word, i) => (i === 0 ? Number(word) : BigInt(word)));
    unmapRange(world, ownServer(state, handle), type as number, start as bigint, end as bigint);
  }
}

/** Is that guest the one of a server of ours? */
export function serverOf(state: ShimState, domain: Domain): OwnServer | undefined {
  return [...state.servers.values()].find((one) => one.domain === domain);
}
