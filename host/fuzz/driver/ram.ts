// SPDX-License-Identifier: MIT
//
// The guest's memory as the driver has it: the shim's calls that reach into it, for the core's own code. RAM is
// [0, low), as much from 4 GiB on, and the `ram` BARs, each where `barBase` says. It begins as zeros before each input.
//
//   address ──hash of its page of 256 bytes──> slot ──> bytes        no slot: zeros, and nothing to set back
//
// A page gets a slot when something else than zeros is written there. SLOTS of them (1 MiB) are more than an input of
// the mutator can fill; a write that finds none is refused like one to no RAM.

import { BAR_KIND_RAM } from "../../../unikernel/abi/manifest";
import { BARS, barBytes, barKind, guestRamBytes } from "./setup";

const PAGE_SHIFT: u32 = 8;
const PAGE: u32 = 1 << PAGE_SHIFT;
const SLOTS: u32 = 4096;
const BUCKETS: u32 = 4 * SLOTS;
const BUCKET_SHIFT: u64 = 64 - 14;
const FACTOR: u64 = 0x9e3779b97f4a7c15; // 2^64 / golden ratio
const HIGH: u64 = 1 << 32;
const LATER_MAX: u32 = 16;
const LATER_BYTES: u32 = 24;

const BYTES: usize = memory.data(SLOTS * PAGE, 16);
/** Of each slot: its page's number, and its bucket. */
const NUMBERS: usize = memory.data(SLOTS * 8, 8);
const PLACES: usize = memory.data(SLOTS * 4, 4);
/** Slot + 1; 0: none. */
const TABLE: usize = memory.data(BUCKETS * 4, 4);
/** Writes to come: addr u64, data u64, bytes u32, reads until then u32. */
const LATER: usize = memory.data(LATER_MAX * LATER_BYTES, 8);

let used: u32 = 0;
let later: u32 = 0;

export function barBase(bar: u32): u64 {
  return (<u64>1 << 40) + (<u64>bar << 36);
}

/** All of it is zeros, and no write is to come. */
export function ramReset(): void {
  for (let slot: u32 = 0; slot < used; slot++) store<u32>(TABLE + (load<u32>(PLACES + slot * 4) << 2), 0);
  used = 0;
  later = 0;
}

function isRam(gpa: u64, bytes: u64): bool {
  const low = guestRamBytes();
  if (within(gpa, bytes, 0, low) || within(gpa, bytes, HIGH, low)) return true;
  for (let bar: u32 = 0; bar < BARS; bar++) {
    if (barKind(bar) == BAR_KIND_RAM && within(gpa, bytes, barBase(bar), barBytes(bar))) return true;
  }
  return false;
}

@inline
function within(gpa: u64, bytes: u64, base: u64, size: u64): bool {
  return gpa - base < size && bytes <= size - (gpa - base);
}

/** The page's slot, or where it would stand: bucket | 1 << 31. */
function slotOf(page: u64): u32 {
  let bucket = <u32>((page * FACTOR) >> BUCKET_SHIFT);
  let slot = load<u32>(TABLE + (bucket << 2));
  while (slot != 0 && load<u64>(NUMBERS + ((slot - 1) << 3)) != page) {
    bucket = (bucket + 1) & (BUCKETS - 1);
    slot = load<u32>(TABLE + (bucket << 2));
  }
  return slot != 0 ? slot - 1 : bucket | (1 << 31);
}

@inline
function isNone(slot: u32): bool {
  return slot >> 31 != 0;
}

/** A slot of zeros for the page that belongs into this bucket; there is one left. */
function newSlot(page: u64, place: u32): u32 {
  const bucket = place & (BUCKETS - 1);
  const slot = used++;
  store<u64>(NUMBERS + (slot << 3), page);
  store<u32>(PLACES + (slot << 2), bucket);
  store<u32>(TABLE + (bucket << 2), slot + 1);
  memory.fill(BYTES + slot * PAGE, 0, PAGE);
  return slot;
}

@inline
function leftInPage(gpa: u64): u32 {
  return PAGE - (<u32>gpa & (PAGE - 1));
}

function get(gpa: u64, to: usize, bytes: u32): void {
  for (let done: u32 = 0, count: u32 = 0; done < bytes; done += count) {
    const at = gpa + done;
    count = min(bytes - done, leftInPage(at));
    const slot = slotOf(at >> PAGE_SHIFT);
    if (isNone(slot)) memory.fill(to + done, 0, count);
    else memory.copy(to + done, BYTES + slot * PAGE + (<u32>at & (PAGE - 1)), count);
  }
}

/** False: no slot is left; what lies before it has been written. */
function put(gpa: u64, from: usize, bytes: u32): bool {
  for (let done: u32 = 0, count: u32 = 0; done < bytes; done += count) {
    const at = gpa + done;
    count = min(bytes - done, leftInPage(at));
    let slot = slotOf(at >> PAGE_SHIFT);
    if (isNone(slot)) {
      if (isZeros(from + done, count)) continue;
      if (used == SLOTS) return false;
      slot = newSlot(at >> PAGE_SHIFT, slot);
    }
    memory.copy(BYTES + slot * PAGE + (<u32>at & (PAGE - 1)), from + done, count);
  }
  return true;
}

function isZeros(at: usize, bytes: u32): bool {
  let i: u32 = 0;
  for (; i + 8 <= bytes; i += 8) if (load<u64>(at + i) != 0) return false;
  for (; i < bytes; i++) if (load<u8>(at + i) != 0) return false;
  return true;
}

// --- the shim's calls ---

export function shim_guest_read(_domid: u32, gpa: u64, to: u32, bytes: u32): i32 {
  if (!isRam(gpa, bytes)) return -1;
  if (later != 0) arrive(gpa, bytes);
  get(gpa, to, bytes);
  return 0;
}

export function shim_guest_write(_domid: u32, gpa: u64, from: u32, bytes: u32): i32 {
  return isRam(gpa, bytes) && put(gpa, from, bytes) ? 0 : -1;
}

const CARRIED: usize = memory.data(65536, 16);

export function shim_guest_copy(domid: u32, to: u64, from: u64, bytes: u32): i32 {
  if (bytes > 65536 || !isRam(to, bytes) || shim_guest_read(domid, from, <u32>CARRIED, bytes) < 0) return -1;
  return put(to, CARRIED, bytes) ? 0 : -1;
}

// --- what the guest itself does: records of kinds memory and memory-later ---

const SCRATCH: usize = memory.data(8, 8);

export function guestStores(addr: u64, data: u64, bytes: u32, count: u32): void {
  if (bytes == 0) return ramReset();
  store<u64>(SCRATCH, data);
  for (let i: u32 = 0, at = addr; i < max<u32>(count, 1) && bytes <= 8; i++, at += bytes) {
    if (!isRam(at, bytes) || !put(at, SCRATCH, bytes)) return;
  }
}

/** Before the `nth` read that touches it (0: the first). */
export function guestStoresLater(addr: u64, data: u64, bytes: u32, nth: u32): void {
  if (later == LATER_MAX || bytes - 1 > 7 || !isRam(addr, bytes)) return;
  const at = LATER + later++ * LATER_BYTES;
  store<u64>(at, addr);
  store<u64>(at, data, 8);
  store<u32>(at, bytes, 16);
  store<u32>(at, max<u32>(nth, 1), 20);
}

/** The module reads [gpa, gpa + bytes): what was to happen before this read happens. */
function arrive(gpa: u64, bytes: u32): void {
  for (let i: u32 = 0; i < later; i++) {
    const at = LATER + i * LATER_BYTES;
    const addr = load<u64>(at);
    const size = load<u32>(at, 16);
    const left = load<u32>(at, 20);
    if (left == 0 || addr >= gpa + bytes || gpa >= addr + size) continue;
    store<u32>(at, left - 1, 20);
    if (left == 1) put(addr, at + 8, size);
  }
}
