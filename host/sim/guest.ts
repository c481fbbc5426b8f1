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
import type { Domain, Server } from "./domain.js";
import { dispatch } from "./event.js";
import { selectServer, sendRequest, takeAnswer } from "./ioreq.js";
import { askCore } from "./service.js";
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

/** Sends the request to the core past Xen, whoever Xen would choose; the data that the core answers. */
export function sendIoreq(world: World, tag: number, ioreq: Ioreq): bigint {
  return askCore(world, tag, 0, ioreq);
}

/** A vCPU's request on its way: Xen chooses the server. False: nobody claims it, or the vCPU waits already. */
export function post(world: World, domain: Domain, vcpu: number, request: Ioreq): boolean {
  const server = serverFor(domain, request);
  return server !== undefined && !domain.dying && sendRequest(world, domain, vcpu, server, request);
}

/** The same past Xen: the guest's server gets it whatever its ranges are, as a Xen with a bug would have it. */
export function postPast(world: World, domain: Domain, vcpu: number, request: Ioreq): boolean {
  const server = domain.servers.find((one) => one.enabled);
  return server !== undefined && !domain.dying && sendRequest(world, domain, vcpu, server, request);
}

/** hvm_select_ioreq_server: the first and the last byte of all its items lie with one server. */
function serverFor(domain: Domain, { type, addr, size, count = 1, df }: Ioreq): Server | undefined {
  if (type === IOREQ_TYPE_PCI_CONFIG) return selectServer(domain, XEN_DMOP_IO_RANGE_PCI, addr >> 32n, addr >> 32n);
  const more = type === IOREQ_TYPE_COPY ? BigInt(count - 1) * BigInt(size) : 0n;
  const first = df ? addr - more : addr;
  const last = addr + BigInt(size - 1) + (df ? 0n : more);
  const range = RANGE_OF.get(type);
  return range === undefined ? undefined : selectServer(domain, range, first, last);
}

/** One pass of the driver domain over its events, then whatever vCPU 0 was answered; undefined: it waits still. */
function answerOf(world: World, domain: Domain, vcpu: number): bigint | undefined {
  for (let turn = 0; domain.vcpuStates[vcpu]?.waits !== undefined && turn < TURNS_MAX; turn++) {
    dispatch(world.shim.events);
    takeAnswer(world, domain, vcpu);
  }
  return domain.vcpuStates[vcpu]?.waits === undefined ? domain.vcpuStates[vcpu]?.answer : undefined;
}

/** A request is served in the first pass, unless events before it brought new ones: a few are plenty. */
const TURNS_MAX = 4;

/** A vCPU's access from its trap to its answer. Nobody's: all ones. */
export function ask(world: World, domain: Domain, vcpu: number, request: Ioreq, send = post): bigint {
  if (!send(world, domain, vcpu, request)) return ALL_ONES;
  const answer = answerOf(world, domain, vcpu);
  if (answer === undefined) throw new Error(`guest ${domain.domid}: vCPU ${vcpu} waits and nobody answers`);
  return answer;
}

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

function access(world: World, domain: Domain, type: number, addr: bigint, size: number, value?: bigint): bigint {
  const ones = (1n << BigInt(8 * size)) - 1n;
  return ask(world, domain, 0, { type, addr, size, read: value === undefined, data: value ?? ones }) & ones;
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
  return access(world, domain, IOREQ_TYPE_PCI_CONFIG, (BigInt(slot << 3) << 32n) | BigInt(offset), size, value);
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

/** Xen tells every enabled server that guest memory, or the guest's clock, changed (hvm_broadcast_ioreq). */
export function invalidate(world: World, domain: Domain, type = IOREQ_TYPE_INVALIDATE): void {
  for (const server of [...domain.servers]) {
    if (!server.enabled) continue;
    sendRequest(world, domain, 0, server, { type, addr: 0n, size: 4 });
    answerOf(world, domain, 0);
  }
}
