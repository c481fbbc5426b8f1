// SPDX-License-Identifier: MIT
//
// The smallest device that can be measured and tortured: a file of 32-bit registers, little-endian, reachable at any
// alignment and size. BAR 0 (4 KiB of memory) shows all of it, BAR 1 (16 I/O ports) its first 16 bytes, BAR 2 (256
// bytes of memory, so that several fit into a page) those from 0x100, BAR 3 (32 I/O ports) those from 0x40, BAR 4 is
// the MSI-X table. Not a product: it is linked only into test images.
//
//   0x00 IDENTITY  0x47425246 ("FRBG" in memory), read only
//   0x04 SCRATCH   keeps what is written
//   0x08 DOORBELL  a write raises the interrupt vector written; reads as the mediator's answer (0 done, 1 masked)
//   0x0c WRITES    writes that reached the device since the reset, this one's predecessors; read only
//   0x10 READS     reads that reached the device since the reset, without this one; read only
//   0x14 MISDEED   a write makes the module do wrong: see misdeed.ts; reads 0
//   0x18 SEED      the parameter "seed"; read only
//   0x1c COMMAND   the PCI command register as last told by the mediator; read only
//   0x20 ...       1016 registers that keep what is written

import { EVENT_PCI_COMMAND } from "../../../unikernel/abi/module";
import { irq_raise, param } from "../../../unikernel/sdk/capability";
import { registersRead, registersReset, registersWrite, touches } from "../../../unikernel/sdk/registers";
import { misdeed } from "./misdeed";

const BAR_MEMORY: u32 = 0;
const MEMORY_BYTES: u32 = 4096;

//  BAR            where it begins and how many bytes it shows; BAR 0 is not looked up, it is what the bench measures
const windows: usize = memory.data<u32>([
/* 0 */            0x000, MEMORY_BYTES,
/* 1, I/O ports */ 0x000, 16,
/* 2 */            0x100, 256,
/* 3, I/O ports */ 0x040, 32,
]);
const WINDOWS: u32 = 4;

const DOORBELL: u32 = 0x08;
const WRITES: u32 = 0x0c;
const READS: u32 = 0x10;
const MISDEED: u32 = 0x14;
const SEED: u32 = 0x18;
const COMMAND: u32 = 0x1c;
const PLAIN: u32 = 0x20;

const PARAM_SEED: u32 = 0;

const table: usize = memory.data<u32>([
  // offset  reset       writable
     0x00,   0x47425246, 0,
     0x04,   0,          0xffffffff,
     0x08,   0,          0xffffffff,
     0x0c,   0,          0,
     0x10,   0,          0,
     0x14,   0,          0xffffffff,
     0x18,   0,          0,
     0x1c,   0,          0,
]);
const ROWS: u32 = 8;
const WIDTH_BYTES: u32 = 4;

const image: usize = memory.data(4096);
const writable: usize = memory.data(4096);

export function attach(): i32 {
  reset();
  return 0;
}

export function reset(): void {
  registersReset(image, writable, MEMORY_BYTES, table, ROWS, WIDTH_BYTES);
  memory.fill(writable + PLAIN, 0xff, MEMORY_BYTES - PLAIN);
  store<u32>(image + SEED, <u32>param(PARAM_SEED));
}

export function bar_read(bar: u32, offset: u32, size: u32): u64 {
  const value = registersRead(image + startOf(bar), bytesOf(bar), offset, size);
  count(READS);
  return value;
}

export function bar_write(bar: u32, offset: u32, size: u32, value: u64): void {
  const start = startOf(bar);
  if (!registersWrite(image + start, writable + start, bytesOf(bar), offset, size, value)) return;
  count(WRITES);
  if (touches(start + offset, size, DOORBELL, WIDTH_BYTES)) ring();
  if (touches(start + offset, size, MISDEED, WIDTH_BYTES)) sin();
}

export function event(kind: u32, argument: u64): void {
  if (kind == EVENT_PCI_COMMAND) store<u32>(image + COMMAND, <u32>argument);
}

function startOf(bar: u32): u32 {
  return bar == BAR_MEMORY || bar >= WINDOWS ? 0 : load<u32>(windows + bar * 8);
}

function bytesOf(bar: u32): u32 {
  if (bar == BAR_MEMORY) return MEMORY_BYTES;
  return bar < WINDOWS ? load<u32>(windows + bar * 8, 4) : 0;
}

function count(register: u32): void {
  store<u32>(image + register, load<u32>(image + register) + 1);
}

function ring(): void {
  const vector = load<u32>(image + DOORBELL);
  store<u32>(image + DOORBELL, <u32>irq_raise(vector));
}

function sin(): void {
  const kind = load<u32>(image + MISDEED);
  store<u32>(image + MISDEED, 0);
  misdeed(kind);
}
