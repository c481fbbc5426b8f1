// SPDX-License-Identifier: MIT
//
// A guest's accesses as Xen turns them into ioreqs: the right server, or nobody (reads all ones, writes dropped).

import {
  XEN_DMOP_IO_RANGE_MEMORY,
  XEN_DMOP_IO_RANGE_PCI,
  XEN_DMOP_IO_RANGE_PORT,
} from "../../unikernel/abi/xen/dm_op.js";
import {
  IOREQ_TYPE_COPY,
  IOREQ_TYPE_INVALIDATE,
  IOREQ_TYPE_PCI_CONFIG,
  IOREQ_TYPE_PIO,
} from "../../unikernel/abi/xen/ioreq.js";
import { shim } from "./contract.js";
import type { Domain } from "./domain.js";
import { selectServer } from "./ioreq.js";
import type { World } from "./world.js";

/** struct ioreq without what only the transport needs. */
export interface Ioreq {
  type: number;
  addr: bigint;
  data?: bigint;
  count?: number;
  size: number;
  read?: boolean;
  df?: boolean;
  dataIsPtr?: boolean;
}

const RANGE_OF = new Map([
  [IOREQ_TYPE_PIO, XEN_DMOP_IO_RANGE_PORT],
  [IOREQ_TYPE_COPY, XEN_DMOP_IO_RANGE_MEMORY],
]);

/** Sends the request to the core, whoever Xen would choose; the data that the core answers. */
export function sendIoreq(world: World, tag: number, ioreq: Ioreq): bigint {
  const flags =
    (ioreq.read ? shim("IOREQ_FLAG_READ") : 0) |
    (ioreq.df ? shim("IOREQ_FLAG_DF") : 0) |
    (ioreq.dataIsPtr ? shim("IOREQ_FLAG_DATA_IS_PTR") : 0);
  const { type, addr, data = 0n, count = 1, size } = ioreq;
  return BigInt.asUintN(64, world.core.on_ioreq(tag, 0, type, flags, addr, data, count, size));
}

function access(world: World, domain: Domain, type: number, addr: bigint, size: number, value?: bigint): bigint {
  const ones = (1n << BigInt(8 * size)) - 1n;
  const server = selectServer(domain, RANGE_OF.get(type) as number, addr, addr + BigInt(size - 1));
  if (server === undefined) return ones;
  return sendIoreq(world, server.tag, { type, addr, size, read: value === undefined, data: value ?? ones }) & ones;
}

export function memoryRead(world: World, domain: Domain, gpa: bigint, size: number): bigint {
  return access(world, domain, IOREQ_TYPE_COPY, gpa, size);
}

export function memoryWrite(world: World, domain: Domain, gpa: bigint, size: number, value: bigint): void {
  access(world, domain, IOREQ_TYPE_COPY, gpa, size, value);
}

export function portRead(world: World, domain: Domain, port: number, size: number): bigint {
  return access(world, domain, IOREQ_TYPE_PIO, BigInt(port), size);
}

export function portWrite(world: World, domain: Domain, port: number, size: number, value: bigint): void {
  access(world, domain, IOREQ_TYPE_PIO, BigInt(port), size, value);
}

function config(world: World, domain: Domain, slot: number, offset: number, size: number, value?: bigint): bigint {
  const ones = (1n << BigInt(8 * size)) - 1n;
  const sbdf = BigInt(slot << 3);
  const server = selectServer(domain, XEN_DMOP_IO_RANGE_PCI, sbdf, sbdf);
  if (server === undefined) return ones;
  const addr = (sbdf << 32n) | BigInt(offset);
  const read = value === undefined;
  const ioreq: Ioreq = { type: IOREQ_TYPE_PCI_CONFIG, addr, size, read, data: value ?? ones };
  return sendIoreq(world, server.tag, ioreq) & ones;
}

export function configRead(world: World, domain: Domain, slot: number, offset: number, size: number): number {
  return Number(config(world, domain, slot, offset, size));
}

export function configWrite(
  world: World,
  domain: Domain,
  slot: number,
  offset: number,
  size: number,
  value: number,
): void {
  config(world, domain, slot, offset, size, BigInt(value >>> 0));
}

/** Xen tells every enabled server that guest memory changed. */
export function invalidate(world: World, domain: Domain): void {
  for (const server of domain.servers) {
    if (server.enabled) sendIoreq(world, server.tag, { type: IOREQ_TYPE_INVALIDATE, addr: 0n, size: 4 });
  }
}
