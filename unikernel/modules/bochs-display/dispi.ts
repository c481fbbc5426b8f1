// SPDX-License-Identifier: MIT
//
// The DISPI registers: eleven 16-bit registers in a row, at index * 2 (Bochs' VBE display interface). They keep what
// the guest writes; what it means is mode.ts' affair.

import { registersRead, registersReset, registersWrite } from "../../sdk/registers";

export const DISPI_BYTES: u32 = 22;

export const XRES: u32 = 1;
export const YRES: u32 = 2;
export const BPP: u32 = 3;
export const ENABLE: u32 = 4;
export const VIRT_WIDTH: u32 = 6;
export const X_OFFSET: u32 = 8;
export const Y_OFFSET: u32 = 9;
const VIDEO_MEMORY_64K: u32 = 10;

export const ENABLE_ON: u32 = 0x01;
const ENABLE_GETCAPS: u32 = 0x02;

/** What XRES, YRES and BPP read as while ENABLE has GETCAPS set: the largest of each. */
export const XRES_MAX: u32 = 16000;
export const YRES_MAX: u32 = 12000;
const BPP_MAX: u32 = 32;

const VRAM_UNIT_SHIFT: u32 = 16; // VIDEO_MEMORY_64K counts 64 KiB

// prettier-ignore
const table: usize = memory.data<u32>([
  // offset  reset   writable
     0,      0xb0c5, 0,      // ID: interface version 5, the newest
     2,      0,      0xffff, // XRES
     4,      0,      0xffff, // YRES
     6,      0,      0xffff, // BPP
     8,      0,      0xffff, // ENABLE
     10,     0,      0xffff, // BANK: for the 64 KiB window of a VGA, which is not here
     12,     0,      0xffff, // VIRT_WIDTH, in pixels: the distance of two rows
     14,     0,      0xffff, // VIRT_HEIGHT
     16,     0,      0xffff, // X_OFFSET
     18,     0,      0xffff, // Y_OFFSET
     20,     0,      0,      // VIDEO_MEMORY_64K: set below
]);
const ROWS: u32 = 11;
const WIDTH_BYTES: u32 = 2;

const image: usize = memory.data(24);
const writable: usize = memory.data(24);
const capabilities: usize = memory.data(24);

export function dispiReset(vramBytes: u32): void {
  registersReset(image, writable, DISPI_BYTES, table, ROWS, WIDTH_BYTES);
  store<u16>(image + VIDEO_MEMORY_64K * 2, <u16>(vramBytes >> VRAM_UNIT_SHIFT));
}

export function dispiRead(offset: u32, size: u32): u64 {
  if (dispi(ENABLE) & ENABLE_GETCAPS) return registersRead(limits(), DISPI_BYTES, offset, size);
  return registersRead(image, DISPI_BYTES, offset, size);
}

export function dispiWrite(offset: u32, size: u32, value: u64): void {
  registersWrite(image, writable, DISPI_BYTES, offset, size, value);
}

/** Register `index` as the guest left it: any 16-bit number. */
// @ts-ignore: decorator
@inline
export function dispi(index: u32): u32 {
  return load<u16>(image + index * 2);
}

/** The registers as they read while the guest asks for capabilities. */
function limits(): usize {
  memory.copy(capabilities, image, DISPI_BYTES);
  store<u16>(capabilities + XRES * 2, <u16>XRES_MAX);
  store<u16>(capabilities + YRES * 2, <u16>YRES_MAX);
  store<u16>(capabilities + BPP * 2, <u16>BPP_MAX);
  return capabilities;
}
