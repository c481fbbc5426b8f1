// SPDX-License-Identifier: MIT
//
// @NAME@: a PCI device for Glovebox, in AssemblyScript. docs/MODULE_ABI.md says what each function is promised;
// manifest.json says what the device looks like from outside (ids, BARs, interrupts, fuel).
//
//   BAR 0, 4 KiB of memory: each access of a guest comes here
//   0x00 IDENTITY   "GLOV"; read only
//   0x04 SCRATCH    keeps what is written
//   0x08 INTERRUPT  a write raises an interrupt; reads as the answer: 0 done, 1 masked or not enabled by the guest
//   0x0c WRITES     how many writes came since the reset; read only
//
// There is no heap: everything that lives is a static area (memory.data) or a global variable.

import { irq_raise } from "./glovebox/sdk/capability";
import { OPEN_BUS, registersRead, registersReset, registersWrite, touches } from "./glovebox/sdk/registers";

const WINDOW_BYTES: u32 = 16; // what lies behind reads all ones
const INTERRUPT: u32 = 0x08;
const WRITES: u32 = 0x0c;
const WIDTH_BYTES: u32 = 4;
const VECTOR: u32 = 0;

const table: usize = memory.data<u32>([
  // offset  reset       writable bits
     0x00,   0x564f4c47, 0,
     0x04,   0,          0xffffffff,
     0x08,   0,          0xffffffff,
     0x0c,   0,          0,
]);
const ROWS: u32 = 4;

const image: usize = memory.data(16); // what a guest reads
const writable: usize = memory.data(16); // which bits it may write

/** Once, before the guest can reach the device. 0 = it stands; any other number refuses it. */
export function attach(): i32 {
  reset();
  return 0;
}

/** The device as it was after attach. */
export function reset(): void {
  registersReset(image, writable, WINDOW_BYTES, table, ROWS, WIDTH_BYTES);
}

/** A guest reads. Its size is 1, 2, 4 or 8; any offset and alignment within the BAR may come. */
export function bar_read(bar: u32, offset: u32, size: u32): u64 {
  return bar == 0 ? registersRead(image, WINDOW_BYTES, offset, size) : OPEN_BUS;
}

/** A guest writes. Bits of the value above its size mean nothing. */
export function bar_write(bar: u32, offset: u32, size: u32, value: u64): void {
  if (bar != 0 || !registersWrite(image, writable, WINDOW_BYTES, offset, size, value)) return;
  store<u32>(image + WRITES, load<u32>(image + WRITES) + 1);
  if (touches(offset, size, INTERRUPT, WIDTH_BYTES)) store<u32>(image + INTERRUPT, <u32>irq_raise(VECTOR));
}
