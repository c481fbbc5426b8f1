// SPDX-License-Identifier: MIT
//
// The table of vGPUs and their life:
//
//            create            attach() = 0            fault
//   FREE ─────────────> ATTACHING ─────────> READY ─────────────> LOST
//     ^                     │  ^               │ │                 │ │
//     │                     │  └── reset ──────┘ │   reset to      │ │
//     │                     │  └─────────────────┼── ATTACHING ────┘ │
//     │            refused  │                    │ detach            │ detach
//     └──────────────── DETACHING <──────────────┴───────────────────┘
//
// ATTACHING and READY run module code; LOST answers all ones and drops writes; nobody else notices.

import { SLOTS, VGPUS_MAX, VGPUS_PER_GUEST_MAX } from "../limits";
import { PANIC_VGPU_INDEX, PANIC_VGPU_STATE, check } from "../panic";
import { Text } from "../text";
import { touch } from "../restart/dirty";
import { VGPU_REFUSED, VGPU_TRAPS, countVgpu } from "../trace/counters";
import { TRACE_NO_VGPU } from "../trace/ring";
import { pollForget } from "./poll";
import { Guest, NO_VGPU, guestAt, numberEntry, slotEntry } from "./guest";
import { quarantineCount } from "./quarantine";
import { THRESHOLD_REFUSED } from "./threshold";

export const VGPU_FREE: u32 = 0;
export const VGPU_ATTACHING: u32 = 1;
export const VGPU_READY: u32 = 2;
export const VGPU_LOST: u32 = 3;
export const VGPU_DETACHING: u32 = 4;

@unmanaged
export class Vgpu {
  index: u32;
  state: u32;
  guest: u32; // index of the Guest
  domid: u32; // the guest's, for words and shim calls
  number: u32; // 0 to 7 within the guest
  slot: u32; // PCI device number on bus 0
  module: u32;
  instance: i32; // the shim's handle; -1: none
  claimed_slot: u32;
  msix_vectors: u32;
  msi_vectors: u32;
  trap: u64; // serial of the last trap counted for this vGPU
  msix_pending: u64; // PBA, a bit a vector
  log_second: u64; // second in which log_lines were written
  log_lines: u32;
  calls: u32; // module calls on the stack now
  irq_second: u64; // second in which irq_count interrupts were raised
  irq_count: u32;
  // live replacement (replace.ts)
  trial: u32; // TRIAL_*: the old one is frozen beside the new one
  trial_end: u64; // ns
  old_buffers: u64; // places in the table of buffers that the old one used, a bit each
  old_instance: i32;
  old_module: u32;
  note: u32; // the reason's text says what became of a replacement, though the vGPU is not lost
}
const VGPU_BYTES: u32 = 136;

const TABLE: usize = memory.data(VGPUS_MAX * VGPU_BYTES, 8);

/** Serial number of the trap that is being served. */
let trapSerial: u64 = 0;
/** Number of the vGPU that it turned out to be for; TRACE_NO_VGPU until then. (No initialiser: no start function.) */
let trapNumber: u32 = 0;

export function vgpuAt(index: u32): Vgpu {
  if (offsetof<Vgpu>() > VGPU_BYTES) ERROR("VGPU_BYTES");
  check(index < VGPUS_MAX, PANIC_VGPU_INDEX, index);
  return changetype<Vgpu>(TABLE + index * VGPU_BYTES);
}

export function vgpuInSlot(guest: Guest, slot: u32): Vgpu | null {
  if (slot >= SLOTS) return null;
  const index: u32 = load<u8>(slotEntry(guest, slot));
  return index == NO_VGPU ? null : vgpuAt(index);
}

export function vgpuNumbered(guest: Guest, number: u32): Vgpu | null {
  if (number >= VGPUS_PER_GUEST_MAX) return null;
  const index: u32 = load<u8>(numberEntry(guest, number));
  return index == NO_VGPU ? null : vgpuAt(index);
}

export function vgpuCount(): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < VGPUS_MAX; i++) if (vgpuAt(i).state != VGPU_FREE) count++;
  return count;
}

/** Rows: from; bits: to. */
@inline
function successors(state: u32): u32 {
  switch (state) {
    case VGPU_FREE: return 1 << VGPU_ATTACHING;
    case VGPU_ATTACHING: return (1 << VGPU_READY) | (1 << VGPU_LOST) | (1 << VGPU_DETACHING);
    case VGPU_READY: return (1 << VGPU_ATTACHING) | (1 << VGPU_LOST) | (1 << VGPU_DETACHING);
    case VGPU_LOST: return (1 << VGPU_ATTACHING) | (1 << VGPU_DETACHING);
    default: return 1 << VGPU_FREE;
  }
}

export function advance(vgpu: Vgpu, to: u32): void {
  check(((successors(vgpu.state) >> to) & 1) != 0, PANIC_VGPU_STATE, (vgpu.state << 8) | to);
  vgpu.state = to;
  if (to != VGPU_READY) pollForget(vgpu.index);
  touch(vgpu.index);
}

export function stateName(state: u32): string {
  switch (state) {
    case VGPU_FREE: return "free";
    case VGPU_ATTACHING: return "attaching";
    case VGPU_READY: return "ready";
    case VGPU_LOST: return "lost";
    default: return "detaching";
  }
}

/** A free record in the tables of its guest, ATTACHING; null when all are taken. */
export function vgpuAllocate(guest: Guest, number: u32, slot: u32): Vgpu | null {
  for (let i: u32 = 0; i < VGPUS_MAX; i++) {
    if (vgpuAt(i).state == VGPU_FREE) return fill(i, guest, number, slot);
  }
  return null;
}

/** The same for a certain record, after a restart; null when it, the number or the slot is taken. */
export function vgpuTake(i: u32, guest: Guest, number: u32, slot: u32): Vgpu | null {
  const taken = vgpuNumbered(guest, number) != null || vgpuInSlot(guest, slot) != null;
  return taken || vgpuAt(i).state != VGPU_FREE ? null : fill(i, guest, number, slot);
}

function fill(i: u32, guest: Guest, number: u32, slot: u32): Vgpu {
  const vgpu = vgpuAt(i);
  memory.fill(changetype<usize>(vgpu), 0, VGPU_BYTES);
  vgpu.index = i;
  vgpu.guest = guest.index;
  vgpu.domid = guest.domid;
  vgpu.number = number;
  vgpu.slot = slot;
  vgpu.instance = -1;
  vgpu.old_instance = -1;
  advance(vgpu, VGPU_ATTACHING);
  store<u8>(slotEntry(guest, slot), <u8>i);
  store<u8>(numberEntry(guest, number), <u8>i);
  guest.vgpus++;
  return vgpu;
}

/** Mirror of vgpuAllocate; the vGPU is DETACHING. */
export function vgpuFree(vgpu: Vgpu): void {
  const guest = guestAt(vgpu.guest);
  store<u8>(slotEntry(guest, vgpu.slot), <u8>NO_VGPU);
  store<u8>(numberEntry(guest, vgpu.number), <u8>NO_VGPU);
  guest.vgpus--;
  advance(vgpu, VGPU_FREE);
}

export function nextTrap(): void {
  trapSerial++;
  trapNumber = TRACE_NO_VGPU;
}

export function trapVgpu(): u32 {
  return trapNumber;
}

/** One access of a kind; the trap itself is counted once, however many items it has. */
export function countAccess(vgpu: Vgpu, which: u32): void {
  countVgpu(vgpu.index, which, 1);
  if (vgpu.trap == trapSerial) return;
  vgpu.trap = trapSerial;
  trapNumber = vgpu.number;
  countVgpu(vgpu.index, VGPU_TRAPS, 1);
}

export function countRefused(vgpu: Vgpu): void {
  countVgpu(vgpu.index, VGPU_REFUSED, 1);
  quarantineCount(vgpu.domid, THRESHOLD_REFUSED);
}

/** "guest 3 vgpu 0: ", the beginning of every sentence about one. */
export function putVgpu(text: Text, vgpu: Vgpu): Text {
  return text.put("guest ").number(vgpu.domid).put(" vgpu ").number(vgpu.number).put(": ");
}
