// SPDX-License-Identifier: MIT
//
// How much one call of the module may do, so that its fuel always lasts and no other guest waits long. A unit is one
// reach into guest memory, which costs CHARGE_REACH (1024) of fuel and up to 10 us: one plain command in a call, which
// takes 100 us (measured under -icount; a slice of the copy engine 220). Others' traps come in between two calls.
//
// The most that is taken beyond the budget is one chain of 512 descriptors, read and written byte by byte: 1100 units.
// So a call stays below (8 + 1100) * 1024 for reaches, and as much again for everything else: 4 million.

const UNITS: i32 = 8;

let left: i32 = 0;

export function budgetOpen(): void {
  left = UNITS;
}

export function budgetLeft(): bool {
  return left > 0;
}

/** What is begun is finished: the last piece may overdraw. */
export function budgetTake(units: u32): void {
  left -= <i32>units;
}
