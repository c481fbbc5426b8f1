// SPDX-License-Identifier: MIT
//
// A device whose whole state is one number and one register, for live replacement: a version of it that took another
// one's place must go on with both. BAR 0 is 4 KiB of 32-bit registers:
//
//   0x00 COUNT     one more with each read of it, the first one gives 1
//   0x04 SCRATCH   keeps what is written
//   0x08 VERSION   major << 16 | minor << 8 | patch, of the version that answers
//
// State, format 1: COUNT u64, SCRATCH u32, in this order.

import { FAULTS_AT, REFUSES, VERSION } from "./version";

const COUNT: u32 = 0x00;
const SCRATCH: u32 = 0x04;
const AT_VERSION: u32 = 0x08;

const FORMAT: u32 = 1;
const STATE_BYTES: u32 = 12;
const state: usize = memory.data(12);

let count: u64 = 0;
let scratch: u32 = 0;
/** Reads that this version answered: no part of the device's state. */
let answered: u32 = 0;

export function attach(): i32 {
  return 0;
}

export function reset(): void {
  count = 0;
  scratch = 0;
}

export function bar_read(bar: u32, offset: u32, size: u32): u64 {
  if (++answered == FAULTS_AT) unreachable();
  switch (offset) {
    case COUNT: return ++count;
    case SCRATCH: return scratch;
    case AT_VERSION: return VERSION;
    default: return u64.MAX_VALUE;
  }
}

export function bar_write(bar: u32, offset: u32, size: u32, value: u64): void {
  if (offset == SCRATCH) scratch = <u32>value;
}

export function state_buffer(): u32 {
  return <u32>state;
}

export function state_save(): i32 {
  store<u64>(state, count);
  store<u32>(state, scratch, 8);
  return STATE_BYTES;
}

export function state_restore(format: u32, length: u32): i32 {
  if (REFUSES != 0) return REFUSES;
  if (format != FORMAT || length != STATE_BYTES) return 1;
  count = load<u64>(state);
  scratch = load<u32>(state, 8);
  return 0;
}
