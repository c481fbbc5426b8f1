// SPDX-License-Identifier: MIT
//
// Which request was worked on, and whether its answer is out: the one thing of the control plane that a restart must
// know, because the request node still holds it and it may be what broke us.

import { shim_save, shim_saved } from "../../abi/shim";
import { RECORD_REQUEST } from "../restart/record";

//  seq u64, answered u64
const BYTES: u32 = 16;
const RECORD: usize = memory.data(BYTES, 8);

let known: bool = false; // a request from before the restart, in RECORD

export function requestBegun(seq: u64): void {
  known = false;
  keep(seq, 0);
}

/** The answer is in xenstore's hands. */
export function requestDone(): void {
  keep(load<u64>(RECORD), 1);
}

function keep(seq: u64, answered: u64): void {
  store<u64>(RECORD, seq);
  store<u64>(RECORD, answered, 8);
  shim_save(RECORD_REQUEST, <u32>RECORD, BYTES);
}

/** After a restart. */
export function requestRecover(): void {
  known = shim_saved(RECORD_REQUEST, <u32>RECORD, BYTES) == <i32>BYTES;
}

/**
 * Answered before the restart: not to be done again. Only the first look at the node after a restart asks that: what
 * comes later was written later, whatever its number.
 */
export function requestOld(seq: u64): bool {
  if (!known || load<u64>(RECORD) != seq || load<u64>(RECORD, 8) == 0) return false;
  known = false;
  return true;
}

/** Begun before the restart and not answered. */
export function requestInterrupted(seq: u64): bool {
  return known && load<u64>(RECORD) == seq;
}
