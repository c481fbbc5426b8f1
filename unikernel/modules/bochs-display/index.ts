// SPDX-License-Identifier: MIT
//
// The Bochs display: a linear framebuffer with a handful of mode registers, which Linux (bochs-drm), Windows, OVMF
// and the BSDs drive as they stand. Interface: QEMU's docs/specs/standard-vga.rst and Bochs' VBE "DISPI" registers.
//
//   BAR 0  ram   the picture; never trapped
//   BAR 2  trap  0x000 EDID | 0x400 VGA ports 0x3c0..0x3df | 0x500 DISPI | 0x600 QEMU's extended registers
//
// Trusts nothing that a guest writes: registers only keep numbers, and mode.ts judges them before anything is shown.
// Promises: every access is answered, in bounded time; an unassigned address reads all ones and ignores writes.

import { param } from "../../sdk/capability";
import { edidBuild } from "../../sdk/edid";
import { OPEN_BUS, registersRead } from "../../sdk/registers";
import { DISPI_BYTES, dispiRead, dispiReset, dispiWrite } from "./dispi";
import { EXTENDED_BYTES, extendedRead, extendedReset, extendedWrite } from "./extended";
import { isVramSize, modeApply, modeReset } from "./mode";
import { PARAM_HEIGHT, PARAM_VRAM_BYTES, PARAM_WIDTH } from "./params";
import { VGA_BYTES, vgaRead, vgaReset, vgaWrite } from "./vga";

const BAR_REGISTERS: u32 = 2;

// Where each window begins in BAR 2 (standard-vga.rst, "MMIO area spec").
const EDID_AT: u32 = 0x000;
const VGA_AT: u32 = 0x400;
const DISPI_AT: u32 = 0x500;
const EXTENDED_AT: u32 = 0x600;

/** The whole window for EDID blocks; what lies behind the only block reads 0. */
const EDID_BYTES: u32 = 0x400;
const edid: usize = memory.data(0x400);

/** Why attach refuses: its answer. */
const REFUSED_VRAM_SIZE: i32 = 1;

export function attach(): i32 {
  const vram = param(PARAM_VRAM_BYTES);
  if (!isVramSize(vram)) return REFUSED_VRAM_SIZE;
  edidBuild(edid, <u32>param(PARAM_WIDTH), <u32>param(PARAM_HEIGHT));
  setUp(<u32>vram);
  return 0;
}

export function reset(): void {
  setUp(<u32>param(PARAM_VRAM_BYTES));
}

function setUp(vramBytes: u32): void {
  dispiReset(vramBytes);
  vgaReset();
  extendedReset();
  modeReset();
}

export function bar_read(bar: u32, offset: u32, size: u32): u64 {
  if (bar != BAR_REGISTERS) return OPEN_BUS;
  if (offset - DISPI_AT < DISPI_BYTES) return dispiRead(offset - DISPI_AT, size);
  if (offset - EDID_AT < EDID_BYTES) return registersRead(edid, EDID_BYTES, offset - EDID_AT, size);
  if (offset - VGA_AT < VGA_BYTES) return vgaRead(offset - VGA_AT, size);
  if (offset - EXTENDED_AT < EXTENDED_BYTES) return extendedRead(offset - EXTENDED_AT, size);
  return OPEN_BUS;
}

export function bar_write(bar: u32, offset: u32, size: u32, value: u64): void {
  if (bar != BAR_REGISTERS) return;
  if (offset - DISPI_AT < DISPI_BYTES) dispiWrite(offset - DISPI_AT, size, value);
  else if (offset - VGA_AT < VGA_BYTES) vgaWrite(offset - VGA_AT, size, value);
  else if (offset - EXTENDED_AT < EXTENDED_BYTES) extendedWrite(offset - EXTENDED_AT, size, value);
  else return;
  modeApply();
}
