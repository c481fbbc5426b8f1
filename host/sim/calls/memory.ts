// SPDX-License-Identifier: MIT
//
// Guest memory: copies, RAM given, taken and moved, checksums. A page that is not there is an error of the map
// (-EINVAL, xen/arch/x86/mm.c, mod_l1_entry), never a fault; Xen shows a refused reservation as fewer extents.

import { XEN_EINVAL, XEN_EPERM, XEN_ESRCH } from "../../../unikernel/abi/xen/errno.js";
import { shim } from "../contract.js";
import { crc32 } from "../crc32.js";
import { type Domain, dropPage, isDomid, readMemory, writeMemory } from "../domain.js";
import { fillLeftover } from "../leftover.js";
import { PAGE_BYTES } from "../page.js";
import type { World } from "../world.js";
import { coreBytes, type Imports, unsigned } from "./state.js";

/** Highest frame that a page table entry can name: native/xen/abi.h, FRAME_NUMBER_MAX. */
const FRAME_NUMBER_MAX = (1n << 40n) - 1n;
const PAGE = BigInt(PAGE_BYTES);
/** Pages that one map covers: native/include/shim_limits.h, COPY_WINDOW_PAGES. */
const WINDOW_PAGES = 16;
/** The core asks for RAM_BATCH_PAGES (512) at most; more than that is refused rather than made up. */
const FRESH_PAGES_MAX = 4096;

/** The guest whose memory may be reached, or a negated errno. */
export function reachable(world: World, domid: number): Domain | number {
  if (!isDomid(domid)) return -XEN_EINVAL;
  const domain = world.domains.get(domid);
  if (domain === undefined) return -XEN_ESRCH;
  return domain.ours ? domain : -XEN_EPERM;
}

/** The last byte counts: [gpa, gpa + length) must end below the highest frame. */
export function isRange(gpa: bigint, length: bigint): boolean {
  const end = gpa + length;
  return end < 1n << 64n && end / PAGE <= FRAME_NUMBER_MAX;
}

/** What was to come from the guest and did not is anything: whoever looks at it all the same is found out. */
export function copyGuest(world: World, domid: number, gpa: bigint, ours: Uint8Array, from: boolean): number {
  const rc = copyWindows(world, domid, gpa, ours, from);
  if (rc !== 0 && from) fillLeftover(ours);
  return rc;
}

/** Copies from or to the guest in windows; what came before a page that is not there stays done. */
function copyWindows(world: World, domid: number, gpa: bigint, ours: Uint8Array, from: boolean): number {
  if (!isDomid(domid) || !isRange(gpa, BigInt(ours.length))) return -XEN_EINVAL;
  for (let done = 0; done < ours.length; ) {
    const at = gpa + BigInt(done);
    const room = WINDOW_PAGES * PAGE_BYTES - Number(at % PAGE);
    const piece = ours.subarray(done, done + room);
    const rc = copyPiece(world, domid, at, piece, from);
    if (rc !== 0) return rc;
    done += piece.length;
  }
  return 0;
}

function copyPiece(world: World, domid: number, gpa: bigint, ours: Uint8Array, from: boolean): number {
  const domain = reachable(world, domid);
  if (typeof domain === "number") return domain;
  const theirs = readMemory(domain, gpa, ours.length); // all pages are mapped, or none
  if (theirs === undefined) return -XEN_EINVAL;
  if (from) ours.set(theirs);
  else {
    writeMemory(domain, gpa, ours);
    world.journal?.entries.push({ kind: "wrote", domid, gpa, bytes: ours.slice() });
  }
  return 0;
}

/** Within one guest: all or nothing, and where both overlap as memmove does. */
function copyWithin(world: World, domid: number, to: bigint, from: bigint, length: number): number {
  if (length > shim("SHIM_GUEST_COPY_BYTES_MAX")) return -XEN_EINVAL;
  if (!isDomid(domid) || !isRange(to, BigInt(length)) || !isRange(from, BigInt(length))) return -XEN_EINVAL;
  const domain = reachable(world, domid);
  if (typeof domain === "number") return domain;
  const bytes = readMemory(domain, from, length);
  return bytes === undefined ? -XEN_EINVAL : copyPiece(world, domid, to, bytes, false);
}

export function memoryImports(world: () => World): Imports {
  const copy = (from: boolean) => (domid: number, gpa: bigint, at: number, length: number) => {
    if (length >>> 0 > shim("SHIM_COPY_BYTES_MAX")) return -XEN_EINVAL;
    return copyGuest(world(), domid, unsigned(gpa), coreBytes(world(), at, length), from);
  };
  return {
    guest_read: copy(true),
    guest_write: copy(false),
    guest_copy: (domid: number, to: bigint, from: bigint, length: number) =>
      copyWithin(world(), domid, unsigned(to), unsigned(from), length >>> 0),
    guest_populate(domid: number, gfn: bigint, pages: number) {
      const fresh = new Uint8Array(Math.min(Math.max(pages, 0), FRESH_PAGES_MAX) * PAGE_BYTES); // one for all is quick
      return reserve(world(), domid, unsigned(gfn), pages, (domain, one) => {
        const i = Number(one - unsigned(gfn)) % FRESH_PAGES_MAX;
        return populateOne(world(), domain, one, fresh.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES));
      });
    },
    guest_depopulate: (domid: number, gfn: bigint, pages: number) =>
      reserve(world(), domid, unsigned(gfn), pages, (domain, one) => {
        if (!dropPage(domain, one)) return false;
        domain.allowancePages++;
        return true;
      }),
    guest_relocate: (domid: number, from: bigint, to: bigint, pages: number) =>
      relocate(world(), domid, unsigned(from), unsigned(to), pages),
    guest_crc32: (domid: number, gpa: bigint, rowBytes: number, stride: number, rows: number, crc: number) =>
      BigInt(checksum(world(), domid, unsigned(gpa), rowBytes >>> 0, stride >>> 0, rows >>> 0, crc >>> 0)),
  };
}

/** XENMEM_populate_physmap and _decrease_reservation: page after page up to the first that Xen will not do. */
function reserve(
  world: World,
  domid: number,
  gfn: bigint,
  pages: number,
  one: (domain: Domain, gfn: bigint) => boolean,
): number {
  if (!isDomid(domid) || pages < 0 || gfn > FRAME_NUMBER_MAX - BigInt(pages)) return -XEN_EINVAL;
  const domain = reachable(world, domid);
  if (typeof domain === "number") return pages === 0 ? 0 : domain;
  let done = 0;
  while (done < Math.min(pages, FRESH_PAGES_MAX) && one(domain, gfn + BigInt(done))) done++;
  return done;
}

/** A fresh page, zeroed; what stood there before is the guest's loss, and stays on its account. */
function populateOne(world: World, domain: Domain, gfn: bigint, page: Uint8Array): boolean {
  if (domain.dying || domain.allowancePages === 0) return false;
  dropPage(domain, gfn);
  domain.allowancePages--;
  domain.frames.set(gfn, page);
  domain.given.add(page);
  world.journal?.entries.push({ kind: "gave", domid: domain.domid, gfn, page });
  return true;
}

function relocate(world: World, domid: number, from: bigint, to: bigint, pages: number): number {
  const count = BigInt(pages >>> 0);
  if (!isDomid(domid) || from > FRAME_NUMBER_MAX - count || to > FRAME_NUMBER_MAX - count) return -XEN_EINVAL;
  if (from < to + count && to < from + count) return -XEN_EINVAL;
  const domain = reachable(world, domid);
  if (typeof domain === "number") return domain;
  const rc = movePages(domain, from, to, pages);
  if (rc !== 0) movePages(domain, to, from, pages); // stops at the page where the first one stopped
  return rc;
}

/** XENMAPSPACE_gmfn_range: upwards, up to the first that is not there. What stood at `to` is freed. */
function movePages(domain: Domain, from: bigint, to: bigint, pages: number): number {
  for (let i = 0n; i < BigInt(pages); i++) {
    const page = domain.frames.get(from + i);
    if (page === undefined || domain.dying) return -XEN_EINVAL;
    if (dropPage(domain, to + i)) domain.allowancePages++;
    domain.frames.delete(from + i);
    domain.frames.set(to + i, page);
  }
  return 0;
}

function checksum(
  world: World,
  domid: number,
  gpa: bigint,
  rowBytes: number,
  stride: number,
  rows: number,
  crc: number,
): number {
  const length = BigInt(stride) * BigInt(Math.max(rows - 1, 0)) + BigInt(rowBytes);
  if (!isDomid(domid) || rowBytes === 0 || rows === 0 || stride < rowBytes || !isRange(gpa, length)) return -XEN_EINVAL;
  const domain = reachable(world, domid);
  if (typeof domain === "number") return domain;
  let value = crc;
  for (let row = 0; row < rows; row++) {
    const bytes = readMemory(domain, gpa + BigInt(row) * BigInt(stride), rowBytes);
    if (bytes === undefined) return -XEN_EINVAL;
    value = crc32(bytes, value);
  }
  return value;
}
