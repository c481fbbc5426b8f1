// SPDX-License-Identifier: MIT
//
// Ioreq servers as Xen keeps them (xen/common/ioreq.c): overlap is refused within a server only, the highest enabled id
// wins, ports and memory need the whole access inside one server's ranges (touching ranges count as one). A vCPU that
// asks waits until its slot is answered; if its server goes first, it goes on with what it asked with.

import { XEN_DMOP_IO_RANGE_PCI } from "../../unikernel/abi/xen/dm_op.js";
import { STATE_IOREQ_NONE, STATE_IOREQ_READY, STATE_IORESP_READY } from "../../unikernel/abi/xen/ioreq.js";
import { type Domain, newPort, type Server } from "./domain.js";
import { closeRemote, notify } from "./event.js";
import type { Ioreq } from "./guest.js";
import { covers } from "./ranges.js";
import { createSlot } from "./slot.js";
import type { World } from "./world.js";

export const SERVERS_PER_GUEST = 8; // MAX_NR_IOREQ_SERVERS, xen/include/xen/sched.h

/** XEN_DMOP_create_ioreq_server: the lowest free id; undefined when all are taken. */
export function createServer(domain: Domain, emulator: number): Server | undefined {
  const taken = new Set(domain.servers.map((one) => one.id));
  const id = Array.from({ length: SERVERS_PER_GUEST }, (_, i) => i).find((i) => !taken.has(i));
  if (id === undefined) return undefined;
  const vcpus = Array.from({ length: domain.vcpus });
  const server: Server = {
    id,
    emulator,
    enabled: false,
    ranges: [[], [], []],
    slots: vcpus.map(createSlot),
    ports: vcpus.map(() => newPort(domain)),
  };
  domain.servers.push(server);
  domain.servers.sort((a, b) => b.id - a.id);
  return server;
}

/** XEN_DMOP_set_ioreq_server_state; the ports are published here and not before. */
export function enableServer(server: Server, enabled: boolean): void {
  if (enabled && !server.enabled)
    for (const [i, slot] of server.slots.entries()) slot.eport = server.ports[i]?.port ?? 0;
  server.enabled = enabled;
}

/** XEN_DMOP_destroy_ioreq_server, or the guest's end: whoever still waits goes on unanswered. */
export function removeServer(world: World, domain: Domain, server: Server): void {
  const i = domain.servers.indexOf(server);
  if (i < 0) return;
  domain.servers.splice(i, 1);
  for (const port of server.ports) closeRemote(world.shim.events, port);
  for (const vcpu of domain.vcpuStates) {
    if (vcpu.waits?.server !== server) continue;
    const slot = server.slots[vcpu.index];
    const answered = slot?.state === STATE_IORESP_READY;
    endWait(world, domain, vcpu.index, answered ? slot.data : (vcpu.waits.request.data ?? 0n), !answered);
  }
}

/** The server that an access of that kind goes to. For PCI, `start` is the SBDF. */
export function selectServer(domain: Domain, type: number, start: bigint, end: bigint): Server | undefined {
  const last = type === XEN_DMOP_IO_RANGE_PCI ? start : end;
  return domain.servers.find((one) => one.enabled && covers(one.ranges[type as 0 | 1 | 2], start, last));
}

/** A slot goes to another state, and it is written down. */
export function moveSlot(
  world: World,
  domain: Domain,
  server: Server,
  vcpu: number,
  by: "xen" | "us",
  to: number,
): void {
  const slot = server.slots[vcpu];
  if (slot === undefined) throw new Error(`guest ${domain.domid} has no vCPU ${vcpu}`);
  const from = slot.state;
  slot.state = to;
  world.journal?.entries.push({ kind: "slot", domid: domain.domid, server: server.id, vcpu, from, to, by });
}

/** hvm_send_ioreq: false when the vCPU waits already or the slot is not as Xen left it. */
export function sendRequest(world: World, domain: Domain, vcpu: number, server: Server, request: Ioreq): boolean {
  const slot = server.slots[vcpu];
  const state = domain.vcpuStates[vcpu];
  if (slot === undefined || state === undefined || state.waits !== undefined) return false;
  if (slot.state !== STATE_IOREQ_NONE || slot.eport !== server.ports[vcpu]?.port) return false;
  slot.request = request;
  slot.data = request.data ?? 0n;
  state.waits = { server, request, ask: ++world.asks };
  world.journal?.entries.push({ kind: "asked", domid: domain.domid, vcpu, ask: world.asks });
  moveSlot(world, domain, server, vcpu, "xen", STATE_IOREQ_READY);
  notify(world.shim.events, server.ports[vcpu]);
  return true;
}

/** hvm_wait_for_io: the answer when there is one and the vCPU may run. */
export function takeAnswer(world: World, domain: Domain, vcpu: number): bigint | undefined {
  const waits = domain.vcpuStates[vcpu]?.waits;
  const slot = waits?.server.slots[vcpu];
  if (waits === undefined || slot === undefined || domain.paused) return undefined;
  if (slot.state !== STATE_IORESP_READY) return undefined;
  moveSlot(world, domain, waits.server, vcpu, "xen", STATE_IOREQ_NONE);
  return endWait(world, domain, vcpu, slot.data, false);
}

/** All vCPUs that may run take what is there. */
export function takeAnswers(world: World, domain: Domain): void {
  for (let vcpu = 0; vcpu < domain.vcpus; vcpu++) takeAnswer(world, domain, vcpu);
}

function endWait(world: World, domain: Domain, vcpu: number, data: bigint, lost: boolean): bigint {
  const state = domain.vcpuStates[vcpu];
  if (state?.waits === undefined) return data;
  const { ask, request } = state.waits;
  const read = request.read === true && request.dataIsPtr !== true;
  state.waits = undefined;
  state.answer = data;
  world.journal?.entries.push({ kind: "answered", domid: domain.domid, vcpu, ask, read, data, lost });
  return data;
}
