// SPDX-License-Identifier: MIT
//
// QEMU's extended registers (docs/specs/standard-vga.rst): 0x0 their size in bytes, 0x4 the framebuffer's byte
// order. Revision 2 of the PCI device says that they exist. A byte order other than the two known is ignored.

import { registersRead } from "../../sdk/registers";

export const EXTENDED_BYTES: u32 = 8;

const BYTE_ORDER: u32 = 4;
const BIG_ENDIAN: u32 = 0xbebebebe;
const LITTLE_ENDIAN: u32 = 0x1e1e1e1e;

const image: usize = memory.data(8);

export function extendedReset(): void {
  store<u32>(image, EXTENDED_BYTES);
  store<u32>(image, LITTLE_ENDIAN, BYTE_ORDER);
}

export function isBigEndian(): bool {
  return load<u32>(image, BYTE_ORDER) == BIG_ENDIAN;
}

export function extendedRead(offset: u32, size: u32): u64 {
  return registersRead(image, EXTENDED_BYTES, offset, size);
}

export function extendedWrite(offset: u32, size: u32, value: u64): void {
  if (offset != BYTE_ORDER || size != 4) return;
  if (value == BIG_ENDIAN || value == LITTLE_ENDIAN) store<u32>(image, <u32>value, BYTE_ORDER);
}
