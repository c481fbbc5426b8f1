// SPDX-License-Identifier: MIT
//
// Between the module and the core's rules: bytes of the module's memory to and from the core's transfer buffer, and the
// fuel that an import takes by length. In the order of host/sim/imports.ts and native/wasm/transfer.c: what only a
// broken module can ask for, fuel, then who decides. The instrumented module lends the functions that reach its memory.

import {
  CAPABILITY_OK,
  CHARGE_BYTES_PER_UNIT,
  CHARGE_REACH,
  TRANSFER_BYTES_MAX,
} from "../../../unikernel/abi/module";
import { CAPABILITY_FATAL, FAULT_FUEL } from "../../../unikernel/abi/shim";
import { TRANSFER } from "../../../unikernel/core/vgpu/guest_memory";
import { capabilityFault } from "./answers";
import { TABLE, moduleBytes, status } from "./setup";

const PAGE_BYTES: u32 = 4096;

/** Who cannot pay is out of fuel, before anything is done. */
export function pay(units: u32): void {
  if (call_indirect<i32>(TABLE.PAY, units) >= 0) return;
  status().fault = FAULT_FUEL;
  unreachable();
}

@inline
export function chargeOf(bytes: u32): u32 {
  return CHARGE_REACH + bytes / CHARGE_BYTES_PER_UNIT + 1;
}

export function chargeOfRows(row_bytes: u32, rows: u32): u32 {
  const pages = (row_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
  return CHARGE_REACH + rows * pages * CHARGE_REACH + (rows * row_bytes) / CHARGE_BYTES_PER_UNIT + 1;
}

/** [at, at + bytes) is the module's to give or to fill, and is paid for. */
export function take(at: u32, bytes: u32): void {
  if (bytes > <u32>TRANSFER_BYTES_MAX || <u64>at + bytes > <u64>moduleBytes()) capabilityFault();
  pay(chargeOf(bytes));
}

/** Bytes of the module into the transfer buffer. */
export function fromModule(at: u32, bytes: u32): void {
  let i: u32 = 0;
  for (; i + 8 <= bytes; i += 8) store<u64>(TRANSFER + i, call_indirect<u64>(TABLE.PEEK, at + i));
  for (; i < bytes; i++) store<u8>(TRANSFER + i, call_indirect<u32>(TABLE.PEEK_BYTE, at + i));
}

/** And back, when the answer says that they are there. */
export function toModule(answer: i32, at: u32, bytes: u32): i32 {
  if (judged(answer) != CAPABILITY_OK || bytes == 0) return answer;
  call_indirect<void>(TABLE.MARK, at, bytes);
  let i: u32 = 0;
  for (; i + 8 <= bytes; i += 8) call_indirect<void>(TABLE.POKE, at + i, load<u64>(TRANSFER + i));
  for (; i < bytes; i++) call_indirect<void>(TABLE.POKE_BYTE, at + i, <u32>load<u8>(TRANSFER + i));
  return answer;
}

/** The core's answer to the module; FATAL ends the call. */
export function judged(answer: i32): i32 {
  if (answer == CAPABILITY_FATAL) capabilityFault();
  return answer;
}
