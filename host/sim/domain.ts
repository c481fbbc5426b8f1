// SPDX-License-Identifier: MIT
//
// A guest of the simulated machine: sparse memory by frame, an allowance of pages, vCPUs, ioreq servers.

import type { GuestPort } from "./event.js";
import type { Ioreq } from "./guest.js";
import { PAGE_BYTES } from "./page.js";
import type { Range } from "./ranges.js";
import type { Slot } from "./slot.js";

export type { Range } from "./ranges.js";

export interface Server {
  id: number;
  /** Who may touch it. */
  emulator: number;
  enabled: boolean;
  /** By XEN_DMOP_IO_RANGE_*, sorted, never overlapping. */
  ranges: [Range[], Range[], Range[]];
  /** By vCPU. */
  slots: Slot[];
  ports: GuestPort[];
}

export interface Vcpu {
  index: number;
  /** What it waits for; undefined: it runs. */
  waits: { server: Server; request: Ioreq; ask: number } | undefined;
  /** The last answer that it took. */
  answer: bigint | undefined;
}

export interface Domain {
  domid: number;
  vcpus: number;
  vcpuStates: Vcpu[];
  paused: boolean;
  /** Dead; its struct in Xen stays as long as somebody refers to it. */
  dying: boolean;
  /** gfn -> page */
  frames: Map<bigint, Uint8Array>;
  /** Pages among them that the mediator gave. */
  given: Set<Uint8Array>;
  /** Pages that it may still get (maxmem minus what it has). */
  allowancePages: number;
  /** We are its device model (set_target, or policy). */
  ours: boolean;
  servers: Server[];
  messages: { address: bigint; data: number }[];
  /** INTx level changes: [device, intx, level] */
  lines: [number, number, number][];
  /** The highest event port that Xen gave out in it. */
  lastPort: number;
}

export function createDomain(
  domid: number,
  options: Partial<Pick<Domain, "vcpus" | "allowancePages" | "ours">>,
): Domain {
  const { vcpus = 1, allowancePages = 1 << 16, ours = true } = options;
  return {
    domid,
    vcpus,
    vcpuStates: Array.from({ length: vcpus }, (_, index) => ({ index, waits: undefined, answer: undefined })),
    paused: false,
    dying: false,
    allowancePages,
    ours,
    frames: new Map(),
    given: new Set(),
    servers: [],
    messages: [],
    lines: [],
    lastPort: 0,
  };
}

/** DOMID_FIRST_RESERVED, xen/xen.h: from here on numbers are no guests. */
const DOMID_FIRST_RESERVED = 0x7ff0;

export function isDomid(domid: number): boolean {
  return domid >>> 0 < DOMID_FIRST_RESERVED;
}

/** alloc_unbound_xen_event_channel. */
export function newPort(domain: Domain): GuestPort {
  return { port: ++domain.lastPort, bound: 0 };
}

/** Gives the domain zeroed pages, outside its allowance: what the toolstack built it with. */
export function addMemory(domain: Domain, gfn: bigint, pages: number): void {
  putMemory(domain, gfn, new Uint8Array(pages * PAGE_BYTES));
}

/** The same with contents: whole pages, which are the guest's from now on. */
export function putMemory(domain: Domain, gfn: bigint, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    domain.frames.set(gfn + BigInt(at / PAGE_BYTES), bytes.subarray(at, at + PAGE_BYTES));
  }
}

/** The guest gives a page up (its balloon); false: there is none. */
export function balloonOut(domain: Domain, gfn: bigint): boolean {
  if (!dropPage(domain, gfn)) return false;
  domain.allowancePages++;
  return true;
}

/** The guest takes one, zeroed, from its allowance. */
export function balloonIn(domain: Domain, gfn: bigint): boolean {
  if (domain.allowancePages === 0 || domain.dying) return false;
  dropPage(domain, gfn);
  domain.allowancePages--;
  domain.frames.set(gfn, new Uint8Array(PAGE_BYTES));
  return true;
}

/** Takes a page out of the guest, whosever it was. */
export function dropPage(domain: Domain, gfn: bigint): boolean {
  const page = domain.frames.get(gfn);
  if (page === undefined) return false;
  domain.given.delete(page);
  return domain.frames.delete(gfn);
}

/** Calls `visit` with each piece of [gpa, gpa + length) that lies in one page; false when a page is missing. */
export function visitMemory(
  domain: Domain,
  gpa: bigint,
  length: number,
  visit: (piece: Uint8Array, offset: number) => void,
): boolean {
  for (let offset = 0; offset < length; ) {
    const at = gpa + BigInt(offset);
    const frame = domain.frames.get(at / BigInt(PAGE_BYTES));
    if (frame === undefined) return false;
    const within = Number(at % BigInt(PAGE_BYTES));
    const count = Math.min(length - offset, PAGE_BYTES - within);
    visit(frame.subarray(within, within + count), offset);
    offset += count;
  }
  return true;
}

export function readMemory(domain: Domain, gpa: bigint, length: number): Uint8Array | undefined {
  const bytes = new Uint8Array(length);
  return visitMemory(domain, gpa, length, (piece, offset) => bytes.set(piece, offset)) ? bytes : undefined;
}

/** All or nothing, as a map of several frames is. */
export function writeMemory(domain: Domain, gpa: bigint, bytes: Uint8Array): boolean {
  if (!visitMemory(domain, gpa, bytes.length, () => undefined)) return false;
  return visitMemory(domain, gpa, bytes.length, (piece, offset) =>
    piece.set(bytes.subarray(offset, offset + piece.length)),
  );
}
