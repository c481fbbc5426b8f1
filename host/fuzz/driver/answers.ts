// SPDX-License-Identifier: MIT
//
// One hash of everything that can be seen from outside: what reads were answered with, and what was asked of the
// mediator. Two runs with the same hash are taken for the same.

import { CAPABILITY_FATAL, FAULT_CAPABILITY } from "../../../unikernel/abi/shim";
import { status } from "./setup";

const FACTOR: u64 = 0x9e3779b97f4a7c15; // 2^64 / golden ratio
let hash: u64 = 0;

@inline
export function answersReset(): void {
  hash = 0;
}

@inline
export function answersHash(): u64 {
  return hash;
}

@inline
export function note(value: u64): void {
  hash = rotl<u64>((hash ^ value) * FACTOR, 29);
}

const ASKED: u64 = 0x5 << 56;

/** What was asked, and the core's answer to it: part of what two runs are compared by. A fault is no answer. */
export function noted(answer: i32, what: u64): i32 {
  if (answer == CAPABILITY_FATAL) return answer;
  note(ASKED ^ what);
  note(answer);
  return answer;
}

/** An import's argument that only a broken module can give: the call ends here. */
export function capabilityFault(): void {
  status().fault = FAULT_CAPABILITY;
  unreachable();
}
