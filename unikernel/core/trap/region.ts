// SPDX-License-Identifier: MIT
//
// Who answers an address: per guest one sorted table of memory and one of ports, no two entries overlapping.
// Xen knows the same ranges; the tables change only together with the shim's range calls.

import { XEN_DMOP_IO_RANGE_MEMORY } from "../../abi/xen/dm_op";
import { GUESTS_MAX, REGIONS_MAX } from "../limits";
import { PANIC_REGION_TABLE, check } from "../panic";

/** Owner of a region that is no vGPU's: the CF8 address register of a PVH guest. */
export const REGION_CF8: u32 = 0xffff;
export const REGION_BAR_NONE: u32 = 0xff;

@unmanaged
export class Region {
  start: u64;
  end: u64; // inclusive
  owner: u32; // vGPU index or REGION_CF8
  bar: u32;
}
const REGION_BYTES: u32 = 24;

//  per guest: ┌ ports: count u32, 0 u32, REGIONS_MAX x Region ┬ memory: the same ┐
const TABLE_BYTES: u32 = 8 + REGIONS_MAX * REGION_BYTES;
const TABLES: usize = memory.data(GUESTS_MAX * 2 * TABLE_BYTES, 8);

@inline
function tableOf(guest: u32, space: u32): usize {
  return TABLES + (guest * 2 + (space == XEN_DMOP_IO_RANGE_MEMORY ? 1 : 0)) * TABLE_BYTES;
}

@inline
function entry(table: usize, i: u32): Region {
  return changetype<Region>(table + 8 + i * REGION_BYTES);
}

/** The first entry that ends at or behind addr; the count when there is none. */
function lowerBound(table: usize, addr: u64): u32 {
  let low: u32 = 0;
  let high = load<u32>(table);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entry(table, middle).end < addr) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function regionFind(guest: u32, space: u32, addr: u64): Region | null {
  const table = tableOf(guest, space);
  const i = lowerBound(table, addr);
  if (i == load<u32>(table)) return null;
  const region = entry(table, i);
  return region.start <= addr ? region : null;
}

/** Does any region share a byte with [start, end]? */
export function regionOverlaps(guest: u32, space: u32, start: u64, end: u64): bool {
  const table = tableOf(guest, space);
  const i = lowerBound(table, start);
  return i < load<u32>(table) && entry(table, i).start <= end;
}

export function regionInsert(guest: u32, space: u32, start: u64, end: u64, owner: u32, bar: u32): void {
  const table = tableOf(guest, space);
  const count = load<u32>(table);
  check(start <= end && !regionOverlaps(guest, space, start, end), PANIC_REGION_TABLE, start);
  check(count < REGIONS_MAX, PANIC_REGION_TABLE, count);
  const i = lowerBound(table, start);
  const at = changetype<usize>(entry(table, i));
  memory.copy(at + REGION_BYTES, at, (count - i) * REGION_BYTES);
  const region = entry(table, i);
  region.start = start;
  region.end = end;
  region.owner = owner;
  region.bar = bar;
  store<u32>(table, count + 1);
}

export function regionRemove(guest: u32, space: u32, start: u64): void {
  const table = tableOf(guest, space);
  const count = load<u32>(table);
  const i = lowerBound(table, start);
  check(i < count && entry(table, i).start == start, PANIC_REGION_TABLE, start);
  const at = changetype<usize>(entry(table, i));
  memory.copy(at, at + REGION_BYTES, (count - i - 1) * REGION_BYTES);
  store<u32>(table, count - 1);
}

export function regionsClear(guest: u32): void {
  store<u32>(tableOf(guest, 0), 0);
  store<u32>(tableOf(guest, XEN_DMOP_IO_RANGE_MEMORY), 0);
}
