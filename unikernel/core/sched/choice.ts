// SPDX-License-Identifier: MIT
//
// What a policy says beside whom it picked: one record, written by each pick and read at once.

@unmanaged
export class Choice {
  slice_ns: u64; // engine time that it may have before the policy is asked again
  until_ns: u64; // the moment at which it is asked again in any case; 0: none
  look_ns: u64; // nobody picked: when that may change by itself; 0: only when somebody submits
}

const CHOICE: usize = memory.data(24, 8);

@inline
export function choice(): Choice {
  return changetype<Choice>(CHOICE);
}

export function choose(slice_ns: u64, until_ns: u64): void {
  choice().slice_ns = slice_ns;
  choice().until_ns = until_ns;
  choice().look_ns = 0;
}

export function chooseNobody(look_ns: u64): void {
  choice().look_ns = look_ns;
}
