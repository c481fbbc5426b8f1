// SPDX-License-Identifier: MIT
//
// Small reads and writes of guest memory, each a copy taken once: what is judged afterwards is ours and cannot change.
// False: that is not this guest's RAM. Callers bound every length by 4096.

import { CAPABILITY_OK } from "../../abi/module";
import { guest_read, guest_write } from "../capability";

const word: usize = memory.data(8, 8);

/** The word that readWord16 has read. */
// @ts-ignore: decorator
@inline
export function wordRead(): u32 {
  return load<u16>(word);
}

export function readWord16(gpa: u64): bool {
  return guest_read(gpa, <u32>word, 2) == CAPABILITY_OK;
}

export function writeWord16(gpa: u64, value: u32): bool {
  store<u16>(word, <u16>value);
  return guest_write(gpa, <u32>word, 2) == CAPABILITY_OK;
}

export function readGuest(gpa: u64, to: usize, bytes: u32): bool {
  return guest_read(gpa, <u32>to, bytes) == CAPABILITY_OK;
}

export function writeGuest(gpa: u64, from: usize, bytes: u32): bool {
  return guest_write(gpa, <u32>from, bytes) == CAPABILITY_OK;
}

/** Whether [gpa, gpa + bytes) does not wrap at 2^64. */
// @ts-ignore: decorator
@inline
export function isRange(gpa: u64, bytes: u64): bool {
  return bytes <= u64.MAX_VALUE - gpa;
}
