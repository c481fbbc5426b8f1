// SPDX-License-Identifier: MIT
//
// Figures: one row of u64 per guest and one per vGPU, the names beside the numbers. `stat` prints them in this order.

import { GUESTS_MAX, VGPUS_MAX } from "../limits";
import { PANIC_COUNTER, check } from "../panic";

// --- of a vGPU; mmio_* to config_* count items, so a rep of 8 counts 8 ---
export const VGPU_TRAPS: u32 = 0;
export const VGPU_MMIO_READS: u32 = 1;
export const VGPU_MMIO_WRITES: u32 = 2;
export const VGPU_PIO_READS: u32 = 3;
export const VGPU_PIO_WRITES: u32 = 4;
export const VGPU_CONFIG_READS: u32 = 5;
export const VGPU_CONFIG_WRITES: u32 = 6;
export const VGPU_FUEL_USED: u32 = 7;
export const VGPU_FUEL_MAX: u32 = 8;
export const VGPU_IRQS: u32 = 9;
export const VGPU_REFUSED: u32 = 10;
export const VGPU_LOG_DROPPED: u32 = 11;
export const VGPU_COUNTERS: u32 = 12;

// --- of a guest as a whole ---
export const GUEST_TRAPS: u32 = 0;
export const GUEST_INVALIDATES: u32 = 1;
export const GUEST_TIMEOFFSETS: u32 = 2;
export const GUEST_REPS: u32 = 3;
export const GUEST_UNCLAIMED: u32 = 4;
export const GUEST_REFUSED: u32 = 5;
export const GUEST_COUNTERS: u32 = 6;

const VGPU_TABLE: usize = memory.data(VGPUS_MAX * VGPU_COUNTERS * 8, 8);
const GUEST_TABLE: usize = memory.data(GUESTS_MAX * GUEST_COUNTERS * 8, 8);

export function vgpuCounterName(which: u32): string {
  switch (which) {
    case VGPU_TRAPS: return "traps";
    case VGPU_MMIO_READS: return "mmio_reads";
    case VGPU_MMIO_WRITES: return "mmio_writes";
    case VGPU_PIO_READS: return "pio_reads";
    case VGPU_PIO_WRITES: return "pio_writes";
    case VGPU_CONFIG_READS: return "config_reads";
    case VGPU_CONFIG_WRITES: return "config_writes";
    case VGPU_FUEL_USED: return "fuel_used";
    case VGPU_FUEL_MAX: return "fuel_max";
    case VGPU_IRQS: return "irqs";
    case VGPU_REFUSED: return "refused";
    default: return "log_dropped";
  }
}

export function guestCounterName(which: u32): string {
  switch (which) {
    case GUEST_TRAPS: return "guest_traps";
    case GUEST_INVALIDATES: return "invalidates";
    case GUEST_TIMEOFFSETS: return "timeoffsets";
    case GUEST_REPS: return "reps";
    case GUEST_UNCLAIMED: return "unclaimed";
    default: return "guest_refused";
  }
}

export function vgpuCounter(vgpu: u32, which: u32): usize {
  check(vgpu < VGPUS_MAX && which < VGPU_COUNTERS, PANIC_COUNTER, which);
  return VGPU_TABLE + (vgpu * VGPU_COUNTERS + which) * 8;
}

export function guestCounter(guest: u32, which: u32): usize {
  check(guest < GUESTS_MAX && which < GUEST_COUNTERS, PANIC_COUNTER, which);
  return GUEST_TABLE + (guest * GUEST_COUNTERS + which) * 8;
}

export function countVgpu(vgpu: u32, which: u32, amount: u64): void {
  const at = vgpuCounter(vgpu, which);
  store<u64>(at, load<u64>(at) + amount);
}

export function countGuest(guest: u32, which: u32, amount: u64): void {
  const at = guestCounter(guest, which);
  store<u64>(at, load<u64>(at) + amount);
}

/** One trap of the guest; how many it is now. */
export function countTrap(guest: u32): u64 {
  const at = guestCounter(guest, GUEST_TRAPS);
  const traps = load<u64>(at) + 1;
  store<u64>(at, traps);
  return traps;
}

export function clearVgpuCounters(vgpu: u32): void {
  memory.fill(vgpuCounter(vgpu, 0), 0, VGPU_COUNTERS * 8);
}

export function clearGuestCounters(guest: u32): void {
  memory.fill(guestCounter(guest, 0), 0, GUEST_COUNTERS * 8);
}
