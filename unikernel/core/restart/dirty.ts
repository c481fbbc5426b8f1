// SPDX-License-Identifier: MIT
//
// Which vGPUs changed since they were saved: a bit each. Saved at the end of each event, so that a panic in the middle
// of one brings back what was before it; a plain access to a BAR changes nothing and costs one look.

let dirty: u64 = 0;

@inline
export function touch(index: u32): void {
  dirty |= (<u64>1) << index;
}

@inline
export function isDirty(): bool {
  return dirty != 0;
}

/** The lowest one, which is clean then. */
export function takeDirty(): u32 {
  const index = <u32>ctz(dirty);
  dirty &= dirty - 1;
  return index;
}
