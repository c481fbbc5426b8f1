// SPDX-License-Identifier: MIT
//
// Ioreq servers as Xen keeps them (xen/common/ioreq.c): overlap is refused within a server only, the highest enabled id
// wins, ports and memory need the whole access inside one server's ranges (touching ranges count as one).

import { XEN_DMOP_IO_RANGE_PCI } from "../../unikernel/abi/xen/dm_op.js";
import { XEN_EEXIST, XEN_EINVAL, XEN_ENOENT, XEN_ENOSPC } from "../../unikernel/abi/xen/errno.js";
import type { Domain, Range, Server } from "./domain.js";

const SERVERS_PER_GUEST = 8; // MAX_NR_IOREQ_SERVERS, xen/include/xen/sched.h
const RANGES_MAX = 256; // MAX_NR_IO_RANGES, xen/include/xen/ioreq.h

export function createServer(domain: Domain, tag: number): Server | undefined {
  const taken = new Set(domain.servers.map((one) => one.id));
  const id = Array.from({ length: SERVERS_PER_GUEST }, (_, i) => i).find((i) => !taken.has(i));
  if (id === undefined) return undefined;
  const server: Server = { id, tag, enabled: false, ranges: [[], [], []] };
  domain.servers.push(server);
  domain.servers.sort((a, b) => b.id - a.id);
  return server;
}

export function mapRange(server: Server, type: number, start: bigint, end: bigint): number {
  const ranges = server.ranges[type];
  if (ranges === undefined || start > end) return -XEN_EINVAL;
  if (ranges.some((one) => one.start <= end && start <= one.end)) return -XEN_EEXIST;
  if (ranges.length === RANGES_MAX) return -XEN_ENOSPC;
  ranges.push({ start, end });
  ranges.sort((a, b) => (a.start < b.start ? -1 : 1));
  return 0;
}

export function unmapRange(server: Server, type: number, start: bigint, end: bigint): number {
  const ranges = server.ranges[type];
  if (ranges === undefined || start > end) return -XEN_EINVAL;
  const i = ranges.findIndex((one) => one.start === start && one.end === end);
  if (i < 0) return -XEN_ENOENT;
  ranges.splice(i, 1);
  return 0;
}

function covers(ranges: Range[], start: bigint, end: bigint): boolean {
  let at = start;
  for (const range of ranges) {
    if (range.start <= at && at <= range.end) at = range.end + 1n;
    if (at > end) return true;
  }
  return false;
}

/** The server that an access of that kind goes to. For PCI, `start` is the SBDF. */
export function selectServer(domain: Domain, type: number, start: bigint, end: bigint): Server | undefined {
  const last = type === XEN_DMOP_IO_RANGE_PCI ? start : end;
  return domain.servers.find((one) => one.enabled && covers(one.ranges[type as 0 | 1 | 2], start, last));
}
