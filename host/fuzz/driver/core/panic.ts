// SPDX-License-Identifier: MIT
//
// Stands in for unikernel/core/panic.ts: the core's own mistake ends the run, as a trap of no module.

export const PANIC_PIECE: u32 = 0;

@inline
export function check(holds: bool, _code: u32, _detail: u64): void {
  if (!holds) unreachable();
}
