// SPDX-License-Identifier: MIT
//
// @NAME@: a PCI device for Glovebox, in Rust without its standard library. docs/MODULE_ABI.md says what each function
// is promised; manifest.json says what the device looks like from outside (ids, BARs, interrupts, fuel).
//
//   BAR 0, 4 KiB of memory: each access of a guest comes here
//   0x00 IDENTITY   "GLOV"; read only
//   0x04 SCRATCH    keeps what is written
//   0x08 INTERRUPT  a write raises an interrupt; reads as the answer: 0 done, 1 masked or not enabled by the guest
//   0x0c WRITES     how many writes came since the reset; read only
//
// There is no heap: everything that lives is a static variable. A module is never entered twice at a time, so a Cell
// that says Sync is enough.
#![no_std]

mod glovebox;

use core::cell::Cell;
use core::panic::PanicInfo;

const IDENTITY: usize = 0;
const SCRATCH: usize = 1;
const INTERRUPT: usize = 2;
const WRITES: usize = 3;
const WIDTH_BYTES: u32 = 4;
const WINDOW_BYTES: u32 = 16; // what lies behind reads all ones
const VECTOR: u32 = 0;

struct Registers([Cell<u32>; 4]);
unsafe impl Sync for Registers {}
static REGISTERS: Registers = Registers([Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0)]);

/// Once, before the guest can reach the device. 0 = it stands; any other number refuses it.
#[no_mangle]
pub extern "C" fn attach() -> i32 {
    reset();
    0
}

/// The device as it was after attach.
#[no_mangle]
pub extern "C" fn reset() {
    for one in &REGISTERS.0 {
        one.set(0);
    }
    REGISTERS.0[IDENTITY].set(0x564f_4c47);
}

/// A guest reads. Its size is 1, 2, 4 or 8; any offset and alignment within the BAR may come: so, byte by byte.
#[no_mangle]
pub extern "C" fn bar_read(bar: u32, offset: u32, size: u32) -> u64 {
    (0..size).fold(0, |value, i| value | u64::from(byte_at(bar, offset.wrapping_add(i))) << (8 * i))
}

fn byte_at(bar: u32, at: u32) -> u8 {
    match REGISTERS.0.get((at / WIDTH_BYTES) as usize) {
        Some(one) if bar == 0 && at < WINDOW_BYTES => (one.get() >> (8 * (at % WIDTH_BYTES))) as u8,
        _ => 0xff,
    }
}

/// A guest writes. Bits of the value above its size mean nothing.
#[no_mangle]
pub extern "C" fn bar_write(bar: u32, offset: u32, size: u32, value: u64) {
    let mut touched = 0; // a bit for each register
    for i in 0..size {
        touched |= put_byte(bar, offset.wrapping_add(i), (value >> (8 * i)) as u8);
    }
    if touched != 0 {
        REGISTERS.0[WRITES].set(REGISTERS.0[WRITES].get().wrapping_add(1));
    }
    if touched & 1 << INTERRUPT != 0 {
        REGISTERS.0[INTERRUPT].set(unsafe { glovebox::irq_raise(VECTOR) } as u32);
    }
}

fn put_byte(bar: u32, at: u32, byte: u8) -> u32 {
    let which = (at / WIDTH_BYTES) as usize;
    if bar != 0 || (which != SCRATCH && which != INTERRUPT) {
        return 0;
    }
    let shift = 8 * (at % WIDTH_BYTES);
    let one = &REGISTERS.0[which];
    one.set(one.get() & !(0xff << shift) | u32::from(byte) << shift);
    1 << which
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    core::arch::wasm32::unreachable() // the fault "unreachable": this device is lost, nothing else
}
