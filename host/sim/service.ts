// SPDX-License-Identifier: MIT
//
// The trap path's C, as native/xen/ioreq.c and slot.h do it: an event of a server's port, the slot goes forward to
// INPROCESS, the core is asked with a private copy, the answer goes back, the event is raised.

import {
  XEN_DMOP_IO_RANGE_MEMORY,
  XEN_DMOP_IO_RANGE_PCI,
  XEN_DMOP_IO_RANGE_PORT,
} from "../../unikernel/abi/xen/dm_op.js";
import {
  IOREQ_TYPE_COPY,
  IOREQ_TYPE_PCI_CONFIG,
  IOREQ_TYPE_PIO,
  STATE_IOREQ_INPROCESS,
  STATE_IOREQ_READY,
  STATE_IORESP_READY,
} from "../../unikernel/abi/xen/ioreq.js";
import type { OwnServer } from "./calls/state.js";
import { shim } from "./contract.js";
import type { Server } from "./domain.js";
import type { Ioreq } from "./guest.js";
import { moveSlot, takeAnswer } from "./ioreq.js";
import type { World } from "./world.js";

const ONES = 0xffff_ffff_ffff_ffffn;

/** IOREQ_FLAG_* of unikernel/abi/shim.ts. */
export function flagsOf(request: Ioreq): number {
  return (
    (request.read ? shim("IOREQ_FLAG_READ") : 0) |
    (request.df ? shim("IOREQ_FLAG_DF") : 0) |
    (request.dataIsPtr ? shim("IOREQ_FLAG_DATA_IS_PTR") : 0)
  );
}

/** Asks the core, whatever Xen's side says. */
export function askCore(world: World, tag: number, vcpu: number, request: Ioreq): bigint {
  const { type, addr, data = 0n, count = 1, size } = request;
  return BigInt.asUintN(64, world.core.on_ioreq(tag, vcpu, type, flagsOf(request), addr, data, count, size));
}

/** The handler of a server's port. */
export function serviceSlot(world: World, own: OwnServer, vcpu: number): void {
  const slot = own.server.slots[vcpu];
  if (slot?.state !== STATE_IOREQ_READY) return; // binding a port raises it once with nothing to do
  moveSlot(world, own.domain, own.server, vcpu, "us", STATE_IOREQ_INPROCESS);
  const data = askTold(world, own, vcpu, { ...slot.request });
  if (own.state === "enabled") complete(world, own, vcpu, data);
}

/** The same, and the journal hears whether any byte of it is ours. */
function askTold(world: World, own: OwnServer, vcpu: number, request: Ioreq): bigint {
  const { journal } = world;
  if (journal === undefined || !SPACES.has(request.type)) return askCore(world, own.tag, vcpu, request);
  const { domid } = own.domain;
  const claimed = isClaimed(own.server, request);
  journal.entries.push({ kind: "serving", domid, claimed });
  const data = askCore(world, own.tag, vcpu, request);
  const read = request.read === true && request.dataIsPtr !== true;
  journal.entries.push({ kind: "served", domid, claimed, read, size: request.size, data });
  return data;
}

const SPACES = new Map([
  [IOREQ_TYPE_PIO, XEN_DMOP_IO_RANGE_PORT],
  [IOREQ_TYPE_COPY, XEN_DMOP_IO_RANGE_MEMORY],
  [IOREQ_TYPE_PCI_CONFIG, XEN_DMOP_IO_RANGE_PCI],
]);

function isClaimed({ ranges }: Server, { type, addr, size, count = 1, df }: Ioreq): boolean {
  const more = type === IOREQ_TYPE_COPY ? BigInt(Math.max(count - 1, 0)) * BigInt(size) : 0n;
  const first = type === IOREQ_TYPE_PCI_CONFIG ? addr >> 32n : df ? addr - more : addr;
  const last = type === IOREQ_TYPE_PCI_CONFIG ? first : addr + BigInt(size - 1) + (df ? 0n : more);
  const space = ranges[SPACES.get(type) as 0 | 1 | 2];
  return space.some((one) => one.start <= last && first <= one.end);
}

/** For a slot INPROCESS. Data goes back only where Xen looks for it: a read whose data is not a pointer. */
function complete(world: World, own: OwnServer, vcpu: number, data: bigint): void {
  const slot = own.server.slots[vcpu];
  if (slot?.state !== STATE_IOREQ_INPROCESS) return;
  if (slot.request.read && !slot.request.dataIsPtr) slot.data = data;
  moveSlot(world, own.domain, own.server, vcpu, "us", STATE_IORESP_READY);
  takeAnswer(world, own.domain, vcpu);
}

/** The defined answer to whatever waits; INPROCESS is a request whose answer was being made. */
export function completePending(world: World, own: OwnServer): void {
  for (const [vcpu, slot] of own.server.slots.entries()) {
    if (slot.state === STATE_IOREQ_READY) moveSlot(world, own.domain, own.server, vcpu, "us", STATE_IOREQ_INPROCESS);
    complete(world, own, vcpu, ONES);
  }
}

/** After a panic: whoever's request was being answered has waited longest. */
export function answerInterrupted(world: World): void {
  for (const own of world.shim.servers.values()) {
    if (own.state !== "enabled") continue;
    for (const [vcpu, slot] of own.server.slots.entries()) {
      if (slot.state === STATE_IOREQ_INPROCESS) complete(world, own, vcpu, ONES);
    }
  }
}
