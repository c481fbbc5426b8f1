// SPDX-License-Identifier: MIT
//
// irq_raise. Whether the guest let the interrupt through is its own affair, so the input says it: a record
// of kind "answers" (docs/TRACE.md).

import { CAPABILITY_OK } from "../../../unikernel/abi/module";
import { CAPABILITY_FATAL } from "../../../unikernel/abi/shim";
import { note } from "./answers";
import { vectorCount } from "./setup";

const ASKED_IRQ: u64 = 0x1 << 56;

let answer: u32 = CAPABILITY_OK;

@inline
export function irqReset(): void {
  answer = CAPABILITY_OK;
}

export function irqAnswer(value: u32): void {
  if (value <= 2) answer = value; // CAPABILITY_OK, _MASKED, _REFUSED
}

export function irqRaise(vector: u32): i32 {
  if (vector >= vectorCount()) return CAPABILITY_FATAL;
  note(ASKED_IRQ | vector);
  return answer;
}
