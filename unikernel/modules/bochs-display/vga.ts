// SPDX-License-Identifier: MIT
//
// The VGA ports 0x3c0 to 0x3df, as far as drivers of a linear framebuffer touch them: they blank and unblank by the
// attribute controller's index register (bit 5, "palette address source": 0 = the screen is dark).
//
//   0x3c0  write: index or data, in turn      0x3c1  read: attribute data
//   0x3c2  write: miscellaneous output        0x3cc  read: the same
//   0x3da  read: input status 1; the next write of 0x3c0 is an index again
//
// Other ports read 0 and ignore writes, like a VGA without the part that they belong to. Wider accesses are bytes in
// ascending order, so that one 16-bit write sets an index and its data.

import { OPEN_BUS, inWindow } from "../../sdk/registers";

export const VGA_BYTES: u32 = 32;

// Offsets from port 0x3c0.
const ATTRIBUTE_WRITE: u32 = 0x00;
const ATTRIBUTE_READ: u32 = 0x01;
const MISC_WRITE: u32 = 0x02;
const MISC_READ: u32 = 0x0c;
const STATUS_1: u32 = 0x1a;

const INDEX_MASK: u32 = 0x1f;
const INDEX_SCREEN_ON: u32 = 0x20;
const ATTRIBUTES: u32 = 0x15;
const STATUS_RETRACE: u32 = 0x09; // display disabled + vertical retrace

const attributes: usize = memory.data(24);
let attributeIndex: u32 = 0;
let dataNext: bool = false;
let miscOutput: u32 = 0;
let status: u32 = 0;

/** The screen is lit from the start: a driver that never touches these ports must have a picture too. */
export function vgaReset(): void {
  memory.fill(attributes, 0, ATTRIBUTES);
  attributeIndex = INDEX_SCREEN_ON;
  dataNext = false;
  miscOutput = 0;
  status = 0;
}

export function vgaScreenIsOn(): bool {
  return (attributeIndex & INDEX_SCREEN_ON) != 0;
}

export function vgaRead(offset: u32, size: u32): u64 {
  if (!inWindow(VGA_BYTES, offset, size)) return OPEN_BUS;
  let value: u64 = 0;
  for (let i: u32 = 0; i < size; i++) value |= (<u64>readPort(offset + i)) << (i << 3);
  return value;
}

export function vgaWrite(offset: u32, size: u32, value: u64): void {
  if (!inWindow(VGA_BYTES, offset, size)) return;
  for (let i: u32 = 0; i < size; i++) writePort(offset + i, <u32>(value >> (i << 3)) & 0xff);
}

function readPort(port: u32): u32 {
  switch (port) {
    case ATTRIBUTE_WRITE: return dataNext ? 0 : attributeIndex;
    case ATTRIBUTE_READ: return readAttribute(attributeIndex & INDEX_MASK);
    case MISC_READ: return miscOutput;
    case STATUS_1: return readStatus();
    default: return 0;
  }
}

function writePort(port: u32, value: u32): void {
  if (port == MISC_WRITE) miscOutput = value;
  if (port == ATTRIBUTE_WRITE) writeAttribute(value);
}

function readAttribute(index: u32): u32 {
  return index < ATTRIBUTES ? load<u8>(attributes + index) : 0;
}

/** There is no beam, but polling loops wait for one: retrace begins and ends with every look. */
function readStatus(): u32 {
  dataNext = false;
  status ^= STATUS_RETRACE;
  return status;
}

function writeAttribute(value: u32): void {
  if (!dataNext) attributeIndex = value & (INDEX_MASK | INDEX_SCREEN_ON);
  else if ((attributeIndex & INDEX_MASK) < ATTRIBUTES) store<u8>(attributes + (attributeIndex & INDEX_MASK), <u8>value);
  dataNext = !dataNext;
}
