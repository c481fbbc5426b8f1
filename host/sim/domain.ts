// SPDX-License-Identifier: MIT
//
// A guest of the simulated machine: sparse memory by frame, an allowance of pages, ioreq servers.

import { PAGE_BYTES } from "./page.js";

export interface Range {
  start: bigint;
  end: bigint; // inclusive
}

export interface Server {
  id: number;
  tag: number;
  enabled: boolean;
  /** By XEN_DMOP_IO_RANGE_*, sorted, never overlapping. */
  ranges: [Range[], Range[], Range[]];
}

export interface Domain {
  domid: number;
  vcpus: number;
  /** gfn -> page */
  frames: Map<bigint, Uint8Array>;
  /** Pages that it may still get (maxmem minus what it has). */
  allowancePages: number;
  /** We are its device model (set_target, or policy). */
  ours: boolean;
  servers: Server[];
  messages: { address: bigint; data: number }[];
  /** INTx level changes: [device, intx, level] */
  lines: [number, number, number][];
}

export function createDomain(
  domid: number,
  options: Partial<Pick<Domain, "vcpus" | "allowancePages" | "ours">>,
): Domain {
  const { vcpus = 1, allowancePages = 1 << 16, ours = true } = options;
  return { domid, vcpus, allowancePages, ours, frames: new Map(), servers: [], messages: [], lines: [] };
}

/** Gives the domain zeroed pages, outside its allowance: what the toolstack built it with. */
export function addMemory(domain: Domain, gfn: bigint, pages: number): void {
  for (let i = 0n; i < BigInt(pages); i++) domain.frames.set(gfn + i, new Uint8Array(PAGE_BYTES));
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

export function writeMemory(domain: Domain, gpa: bigint, bytes: Uint8Array): boolean {
  return visitMemory(domain, gpa, bytes.length, (piece, offset) =>
    piece.set(bytes.subarray(offset, offset + piece.length)),
  );
}
