// SPDX-License-Identifier: MIT
//
// Every form of an ioreq that carries items: one or `count` of them, data in the record or in guest memory.
//
// Item i lies at addr + i * size, or at addr - i * size with the direction flag; ports and configuration registers
// stay where they are. With data_is_ptr, `data` is the guest-physical address of the first item's buffer, which steps
// the same way. Without it every item is written with the same data, and the last one read is the answer.
// Guest memory is copied once, in pieces of at most COPY_BYTES_MAX; nothing is looked at twice.

import {
  IOREQ_FLAG_DATA_IS_PTR,
  IOREQ_FLAG_DF,
  IOREQ_FLAG_READ,
  shim_guest_read,
  shim_guest_write,
} from "../../abi/shim";
import { XEN_DMOP_IO_RANGE_MEMORY } from "../../abi/xen/dm_op";
import { COPY_BYTES_MAX, REP_MAX } from "../limits";
import { GUEST_REFUSED, GUEST_REPS, countGuest } from "../trace/counters";
import { Guest } from "../vgpu/guest";
import { onesOf, readItem, writeItem } from "./access";

const PIECE: usize = memory.data(COPY_BYTES_MAX, 8);

/** Answers the data for a read. */
export function repAccess(guest: Guest, space: u32, flags: u32, addr: u64, data: u64, count: u32, size: u32): u64 {
  if (!isItemSize(size) || count == 0 || count > REP_MAX) return refuse(guest, u64.MAX_VALUE);
  if (space == XEN_DMOP_IO_RANGE_MEMORY && !isSpan(flags, addr, count, size)) return refuse(guest, u64.MAX_VALUE);
  if (count > 1) countGuest(guest.index, GUEST_REPS, 1);
  if (!(flags & IOREQ_FLAG_DATA_IS_PTR)) return sameData(guest, space, flags, addr, data, count, size);
  if (!isSpan(flags, data, count, size)) return refuse(guest, data);
  buffered(guest, space, flags, addr, data, count, size);
  return data;
}

/** 1, 2, 4 or 8: what Xen sends (xen/arch/x86/hvm/emulate.c). Nothing else is believed. */
@inline
function isItemSize(size: u32): bool {
  return size != 0 && size <= 8 && (size & (size - 1)) == 0;
}

function refuse(guest: Guest, answer: u64): u64 {
  countGuest(guest.index, GUEST_REFUSED, 1);
  return answer;
}

/** Do `count` items from `first`, in the direction of `flags`, stay within the address space? */
function isSpan(flags: u32, first: u64, count: u32, size: u32): bool {
  const way = <u64>(count - 1) * size;
  const last_byte = size - 1;
  if (flags & IOREQ_FLAG_DF) return first >= way && first <= u64.MAX_VALUE - last_byte;
  return first <= u64.MAX_VALUE - last_byte - way;
}

@inline
function oneItem(guest: Guest, space: u32, flags: u32, addr: u64, data: u64, size: u32): u64 {
  if (flags & IOREQ_FLAG_READ) return readItem(guest, space, addr, size);
  writeItem(guest, space, addr, size, data & onesOf(size));
  return data;
}

/** From one item to the next in device space. */
@inline
function stepOf(space: u32, flags: u32, size: u32): u64 {
  if (space != XEN_DMOP_IO_RANGE_MEMORY) return 0;
  return flags & IOREQ_FLAG_DF ? 0 - <u64>size : <u64>size;
}

function sameData(guest: Guest, space: u32, flags: u32, addr: u64, data: u64, count: u32, size: u32): u64 {
  const step = stepOf(space, flags, size);
  let answer = data;
  for (let i: u32 = 0; i < count; i++, addr += step) answer = oneItem(guest, space, flags, addr, data, size);
  return answer;
}

/** In pieces of items that fit into PIECE; in each, item j stands at the place that its gpa has in the piece. */
function buffered(guest: Guest, space: u32, flags: u32, addr: u64, gpa: u64, count: u32, size: u32): void {
  const step = stepOf(space, flags, size);
  const backwards = (flags & IOREQ_FLAG_DF) != 0;
  while (count != 0) {
    const items = min<u32>(count, COPY_BYTES_MAX / size);
    const bytes = items * size;
    const low = backwards ? gpa - (bytes - size) : gpa;
    if (flags & IOREQ_FLAG_READ) readPiece(guest, space, addr, step, low, items, size, backwards);
    else if (!writePiece(guest, space, addr, step, low, items, size, backwards)) return;
    addr += step * items;
    gpa = backwards ? gpa - bytes : gpa + bytes;
    count -= items;
  }
}

@inline
function placeOf(j: u32, items: u32, size: u32, backwards: bool): usize {
  return PIECE + (backwards ? items - 1 - j : j) * size;
}

function readPiece(
  guest: Guest, space: u32, addr: u64, step: u64, low: u64, items: u32, size: u32, backwards: bool,
): void {
  for (let j: u32 = 0; j < items; j++, addr += step) {
    putItem(placeOf(j, items, size, backwards), size, readItem(guest, space, addr, size));
  }
  if (shim_guest_write(guest.domid, low, <u32>PIECE, items * size) != 0) countGuest(guest.index, GUEST_REFUSED, 1);
}

function writePiece(
  guest: Guest, space: u32, addr: u64, step: u64, low: u64, items: u32, size: u32, backwards: bool,
): bool {
  if (shim_guest_read(guest.domid, low, <u32>PIECE, items * size) != 0) {
    countGuest(guest.index, GUEST_REFUSED, 1);
    return false;
  }
  for (let j: u32 = 0; j < items; j++, addr += step) {
    writeItem(guest, space, addr, size, getItem(placeOf(j, items, size, backwards), size));
  }
  return true;
}

function getItem(at: usize, size: u32): u64 {
  switch (size) {
    case 1: return load<u8>(at);
    case 2: return load<u16>(at);
    case 4: return load<u32>(at);
    default: return load<u64>(at);
  }
}

function putItem(at: usize, size: u32, value: u64): void {
  switch (size) {
    case 1: return store<u8>(at, <u8>value);
    case 2: return store<u16>(at, <u16>value);
    case 4: return store<u32>(at, <u32>value);
    default: return store<u64>(at, value);
  }
}
