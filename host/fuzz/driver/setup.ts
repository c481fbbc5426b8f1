// SPDX-License-Identifier: MIT
//
// The driver's memory: what the host puts there before a run, what it reads after it. Addresses are exported, as
// functions, because a constant of AssemblyScript is no export that JavaScript sees.

import { BAR_KIND_TRAP, MANIFEST_BAR_COUNT, MANIFEST_BYTES, MANIFEST_PARAM_COUNT, MANIFEST_WORKLOADS }
  from "../../../unikernel/abi/manifest";

export const ENTRIES: u32 = 9; // as many as any version of the ABI has
export const PARAMS_MAX: u32 = MANIFEST_PARAM_COUNT;
/** Comparisons that are noted down in one run; more are only counted. */
export const PAIRS_MAX: u32 = 4096;
export const PAIR_BYTES: u32 = 24;

/** Places in the table of functions: the instrumented module's. */
export namespace TABLE {
  export const ATTACH: u32 = 1;
  export const RESET: u32 = 2;
  export const BAR_READ: u32 = 3;
  export const BAR_WRITE: u32 = 4;
  export const EVENT: u32 = 5;
  export const WORK_DONE: u32 = 6;
  export const FUEL_LEFT: u32 = 7;
  export const PAY: u32 = 8;
  export const PEEK: u32 = 9;
  export const POKE: u32 = 10;
  export const PEEK_BYTE: u32 = 11;
  export const POKE_BYTE: u32 = 12;
  export const MARK: u32 = 13;
}

//    0 ┌ op u32 ┬ entry u32 ┬ fault u32 ┬ news u32 ┐
//   16 ├ fuel u64 ┬ answers u64 ┤ 32 ├ calls u32 ┬ pairs u32 ┬ most fuel of each entry point: 9 x u32 ┤
@unmanaged
export class Status {
  /** The record that runs; how many there were when all have run. */
  op: u32;
  entry: u32;
  /** Why the driver itself ended a call: FAULT_* of unikernel/abi/shim.ts. */
  fault: u32;
  /** Sites that had an outcome not seen before. */
  news: u32;
  fuel: u64;
  /** A hash of all answers, of fuel and of what the module asked for. */
  answers: u64;
  /** Records that were not passed over. */
  calls: u32;
  pairs: u32;
}
export const STATUS_MOST: usize = 40; // and ENTRIES * 4 bytes from there

const STATUS_AT: usize = memory.data(76, 8);
const PARAMS_AT: usize = memory.data(PARAMS_MAX * 8, 8);
const FUEL_AT: usize = memory.data(ENTRIES * 4, 8);
const PAIRS_AT: usize = memory.data(PAIRS_MAX * PAIR_BYTES, 8);
/** For each BAR: kind u32, 0 u32, bytes u64. */
export const BARS: u32 = MANIFEST_BAR_COUNT;
const BARS_AT: usize = memory.data(MANIFEST_BAR_COUNT * 16, 8);
/** scanouts u32, interrupt vectors u32, bytes of the module's memory u32, of the guest's RAM u32. */
const LIMITS_AT: usize = memory.data(16, 8);
/** The packer's binary manifest. */
export const MANIFEST_AT: usize = memory.data(MANIFEST_BYTES, 8);

export function statusAt(): usize { return STATUS_AT; }
export function paramsAt(): usize { return PARAMS_AT; }
export function fuelAt(): usize { return FUEL_AT; }
export function pairsAt(): usize { return PAIRS_AT; }
export function barsAt(): usize { return BARS_AT; }
export function limitsAt(): usize { return LIMITS_AT; }
export function manifestAt(): usize { return MANIFEST_AT; }

@inline
export function status(): Status {
  return changetype<Status>(STATUS_AT);
}

@inline
export function fuelOf(entry: u32): u32 {
  return load<u32>(FUEL_AT + entry * 4);
}

/** A call that took an eighth more fuel than any before it is worth remembering. */
@inline
export function noteMost(entry: u32, used: u32): void {
  const most = STATUS_AT + STATUS_MOST + entry * 4;
  if (used > load<u32>(most)) more(most, used);
}

function more(most: usize, used: u32): void {
  const old = load<u32>(most);
  if (used - old > old >> 3) {
    store<u32>(most, used);
    status().news++;
  }
}

@inline
export function isTrapBar(bar: u32): bool {
  return load<u32>(BARS_AT + bar * 16) == BAR_KIND_TRAP;
}

@inline
export function barKind(bar: u32): u32 {
  return load<u32>(BARS_AT + bar * 16);
}

@inline
export function barBytes(bar: u32): u64 {
  return load<u64>(BARS_AT + bar * 16, 8);
}

export function paramOf(key: u32): u64 {
  return key < PARAMS_MAX ? load<u64>(PARAMS_AT + key * 8) : 0;
}

@inline
export function scanoutCount(): u32 {
  return load<u32>(LIMITS_AT);
}

@inline
export function vectorCount(): u32 {
  return load<u32>(LIMITS_AT, 4);
}

@inline
export function moduleBytes(): u32 {
  return load<u32>(LIMITS_AT, 8);
}

/** From address 0, and as many from 4 GiB. */
@inline
export function guestRamBytes(): u64 {
  return load<u32>(LIMITS_AT, 12);
}

@inline
export function workloadsPromised(): u32 {
  return load<u32>(MANIFEST_AT, MANIFEST_WORKLOADS);
}

export function notePair(site: u32, a: u64, b: u64): void {
  const pairs = status().pairs;
  if (pairs == PAIRS_MAX) return;
  const at = PAIRS_AT + pairs * PAIR_BYTES;
  store<u32>(at, site);
  store<u64>(at, a, 8);
  store<u64>(at, b, 16);
  status().pairs = pairs + 1;
}
