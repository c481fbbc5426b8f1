// SPDX-License-Identifier: MIT
//
// Port 0xCF8, the PCI address register (configuration mechanism 1, PCI 3.0 section 3.2.2.3.2). Xen itself keeps what
// the guest writes and turns accesses to 0xCFC into PCI_CONFIG ioreqs; it forwards 0xCF8 so that somebody can read
// it back, and Linux believes in mechanism 1 only when that works. Narrower accesses are not the register's.

import { Guest, MODE_PVH } from "../vgpu/guest";
import { onesOf } from "./access";

export const CF8_PORT: u64 = 0xcf8;
export const CF8_BYTES: u64 = 4;
/** Enable, extended register (bits 24 to 27, as Xen decodes them), bus, device, function, register. */
const CF8_BITS: u32 = 0x8ffffffc;

/** Each configuration access of a guest begins with one of these: they would fill the trace with nothing. */
@inline
export function isCf8(guest: Guest, port: u64): bool {
  return guest.mode == MODE_PVH && port - CF8_PORT < CF8_BYTES;
}

export function cf8Read(guest: Guest, offset: u64, size: u32): u64 {
  return offset == 0 && size == 4 ? guest.cf8 : onesOf(size);
}

export function cf8Write(guest: Guest, offset: u64, size: u32, value: u64): void {
  if (offset == 0 && size == 4) guest.cf8 = <u32>value & CF8_BITS;
}
