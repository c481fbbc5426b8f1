// SPDX-License-Identifier: MIT
//
// Event channels as Xen keeps them (xen/common/event_channel.c), 2-level ABI: the driver domain's ports with their
// pending and mask bits, and what native/xen/event.c makes of them. Binding raises a port once, a raise of a pending
// port is one event, and a port whose other side has gone is bound to nobody: sending on it is silent.

import { XEN_EINVAL, XEN_ENOSPC } from "../../unikernel/abi/xen/errno.js";

/** native/include/shim_limits.h, EVENT_PORTS_MAX. */
export const EVENT_PORTS_MAX = 4096;
/** Ports 1 to 3 are there from the start: xenstore's, the console's, the timer's. */
const FIRST_FREE_PORT = 4;
const PORTS_PER_WORD = 64;

/** The guest's end of a channel: unbound until the emulator binds it, 0 when it is closed. */
export interface GuestPort {
  port: number;
  /** Our end; 0: nobody has bound it. */
  bound: number;
}

interface Port {
  remote: GuestPort | undefined;
  pending: boolean;
  masked: boolean;
  handler: (() => void) | undefined;
}

export interface Events {
  ports: Map<number, Port>;
}

export function createEvents(): Events {
  return { ports: new Map() };
}

/** EVTCHNOP_bind_interdomain; our port or a negated errno. */
export function bindInterdomain(events: Events, remote: GuestPort | undefined, handler: () => void): number {
  if (remote === undefined || remote.bound !== 0) return -XEN_EINVAL;
  let port = FIRST_FREE_PORT;
  while (events.ports.has(port)) port++;
  if (port >= EVENT_PORTS_MAX) return -XEN_ENOSPC;
  remote.bound = port;
  events.ports.set(port, { remote, pending: true, masked: false, handler });
  return port;
}

/** EVTCHNOP_close of ours. False: it is not bound, which is a bug of whoever closes it. */
export function closePort(events: Events, port: number): boolean {
  const entry = events.ports.get(port);
  if (entry === undefined) return false;
  if (entry.remote !== undefined) entry.remote.bound = 0;
  return events.ports.delete(port);
}

/** The guest's side closes (server destroyed, guest dead): our port stays, bound to nobody. */
export function closeRemote(events: Events, remote: GuestPort): void {
  const entry = events.ports.get(remote.bound);
  if (entry !== undefined) entry.remote = undefined;
  remote.bound = 0;
}

/** Xen raises our end. */
export function notify(events: Events, remote: GuestPort): void {
  const entry = events.ports.get(remote.bound);
  if (entry !== undefined) entry.pending = true;
}

export function setMasked(events: Events, port: number, masked: boolean): void {
  const entry = events.ports.get(port);
  if (entry !== undefined) entry.masked = masked;
}

/** A restart: bits that were taken and not served are lost, so everything is looked at once. */
export function raiseAll(events: Events): void {
  for (const entry of events.ports.values()) entry.pending = true;
}

export function anyPending(events: Events): boolean {
  for (const entry of events.ports.values()) if (entry.pending && !entry.masked) return true;
  return false;
}

/** One pass over the pending ports, word after word; what a handler raises in its own word waits for the next pass. */
export function dispatch(events: Events): boolean {
  const due = [...events.ports.keys()].filter((port) => isDue(events, port)).sort((a, b) => a - b);
  for (let word = 0; due.length > 0; word++) {
    const end = (word + 1) * PORTS_PER_WORD;
    const now: number[] = [];
    while (due[0] !== undefined && due[0] < end) now.push(due.shift() as number);
    for (const port of now) (events.ports.get(port) as Port).pending = false;
    for (const port of now) events.ports.get(port)?.handler?.();
    if (word > EVENT_PORTS_MAX / PORTS_PER_WORD) break;
  }
  return anyPending(events);
}

function isDue(events: Events, port: number): boolean {
  const entry = events.ports.get(port) as Port;
  return entry.pending && !entry.masked;
}
