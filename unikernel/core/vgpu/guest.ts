// SPDX-License-Identifier: MIT
//
// The guests that we serve: one ioreq server each. A guest is opened with its first vGPU and closed with its last.
// Trusts: the shim. Promises: close undoes open, step by step, also after a failure half-way.

import {
  shim_ioreq_range_map,
  shim_ioreq_range_unmap,
  shim_ioreq_server_create,
  shim_ioreq_server_destroy,
  shim_ioreq_server_enable,
} from "../../abi/shim";
import { XEN_DMOP_IO_RANGE_PCI, XEN_DMOP_IO_RANGE_PORT } from "../../abi/xen/dm_op";
import { XEN_EPERM } from "../../abi/xen/errno";
import { GUESTS_MAX, SLOTS, VGPUS_PER_GUEST_MAX } from "../limits";
import { PANIC_GUEST_INDEX, PANIC_STRUCT_SIZE, check } from "../panic";
import { Text } from "../text";
import { clearGuestCounters } from "../trace/counters";
import { CF8_BYTES, CF8_PORT } from "../trap/cf8";
import { REGION_BAR_NONE, REGION_CF8, regionInsert, regionsClear } from "../trap/region";
import { doorbellsClear } from "./doorbell";

export const MODE_PVH: u32 = 1;
export const MODE_HVM: u32 = 2;

/** What stands in a table of vGPU indices for "none". */
export const NO_VGPU: u32 = 0xff;

@unmanaged
export class Guest {
  index: u32;
  used: u32;
  domid: u32;
  mode: u32;
  server: i32; // the shim's handle; -1: none
  vcpus: i32; // 0: not enabled yet
  vgpus: u32; // how many
  cf8: u32; // PVH: the guest's last write to port 0xCF8
  claimed_cf8: u32;
  claimed_bridge: u32;
}
const GUEST_BYTES: u32 = 40;

const TABLE: usize = memory.data(GUESTS_MAX * GUEST_BYTES, 8);
// vGPU index by PCI slot and by number, one byte each, NO_VGPU where there is none
const BY_SLOT: usize = memory.data(GUESTS_MAX * SLOTS);
const BY_NUMBER: usize = memory.data(GUESTS_MAX * VGPUS_PER_GUEST_MAX);

export function guestAt(index: u32): Guest {
  if (offsetof<Guest>() > GUEST_BYTES) ERROR("GUEST_BYTES");
  check(index < GUESTS_MAX, PANIC_GUEST_INDEX, index);
  return changetype<Guest>(TABLE + index * GUEST_BYTES);
}

export function guestFind(domid: u32): Guest | null {
  for (let i: u32 = 0; i < GUESTS_MAX; i++) {
    const guest = guestAt(i);
    if (guest.used && guest.domid == domid) return guest;
  }
  return null;
}

export function guestCount(): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < GUESTS_MAX; i++) count += guestAt(i).used;
  return count;
}

export function slotEntry(guest: Guest, slot: u32): usize {
  check(slot < SLOTS, PANIC_STRUCT_SIZE, slot);
  return BY_SLOT + guest.index * SLOTS + slot;
}

export function numberEntry(guest: Guest, number: u32): usize {
  check(number < VGPUS_PER_GUEST_MAX, PANIC_STRUCT_SIZE, number);
  return BY_NUMBER + guest.index * VGPUS_PER_GUEST_MAX + number;
}

/** The PCI range of a slot on bus 0, function 0 (XEN_DMOP_IO_RANGE_PCI: bus << 8 | dev << 3 | fn). */
@inline
export function slotRange(slot: u32): u64 {
  return slot << 3;
}

/** The guest with that domid, opened when it is new; null with words in `error`. */
export function guestOpen(domid: u32, mode: u32, error: Text): Guest | null {
  const known = guestFind(domid);
  if (known != null) return sameMode(known, mode, error) ? known : null;
  const guest = freeGuest();
  if (guest == null) {
    error.put("guest ").number(domid).put(": already serving ").number(GUESTS_MAX).put(" guests, the limit");
    return null;
  }
  guest.domid = domid;
  guest.mode = mode;
  guest.used = 1;
  if (createServer(guest, error) && claimBridge(guest, error)) return guest;
  guestClose(guest);
  return null;
}

function sameMode(guest: Guest, mode: u32, error: Text): bool {
  if (guest.mode == mode) return true;
  error.put("guest ").number(guest.domid).put(": guest=").put(modeName(mode)).put(", but it is attached as ");
  error.put(modeName(guest.mode));
  return false;
}

export function modeName(mode: u32): string {
  return mode == MODE_PVH ? "pvh" : "hvm";
}

function freeGuest(): Guest | null {
  for (let i: u32 = 0; i < GUESTS_MAX; i++) {
    const guest = guestAt(i);
    if (guest.used) continue;
    memory.fill(changetype<usize>(guest), 0, GUEST_BYTES);
    guest.index = i;
    guest.server = -1;
    memory.fill(BY_SLOT + i * SLOTS, <u8>NO_VGPU, SLOTS);
    memory.fill(BY_NUMBER + i * VGPUS_PER_GUEST_MAX, <u8>NO_VGPU, VGPUS_PER_GUEST_MAX);
    regionsClear(i);
    clearGuestCounters(i);
    doorbellsClear(i);
    return guest;
  }
  return null;
}

function createServer(guest: Guest, error: Text): bool {
  guest.server = shim_ioreq_server_create(guest.domid, guest.index);
  if (guest.server >= 0) return true;
  error.put("guest ").number(guest.domid).put(": no ioreq server, error ").signed(guest.server);
  if (guest.server == -XEN_EPERM) error.put(": this domain is not its device model (set_target or policy missing)");
  return false;
}

/** A PVH guest has no other device model: the CF8 address register and a host bridge at 00:00.0 are ours. */
function claimBridge(guest: Guest, error: Text): bool {
  if (guest.mode != MODE_PVH) return true;
  let result = shim_ioreq_range_map(guest.server, XEN_DMOP_IO_RANGE_PORT, CF8_PORT, CF8_PORT + CF8_BYTES - 1);
  guest.claimed_cf8 = result == 0 ? 1 : 0;
  if (result == 0) {
    regionInsert(guest.index, XEN_DMOP_IO_RANGE_PORT, CF8_PORT, CF8_PORT + CF8_BYTES - 1, REGION_CF8, REGION_BAR_NONE);
    result = shim_ioreq_range_map(guest.server, XEN_DMOP_IO_RANGE_PCI, slotRange(0), slotRange(0));
    guest.claimed_bridge = result == 0 ? 1 : 0;
  }
  if (result == 0) return true;
  error.put("guest ").number(guest.domid).put(": no host bridge, error ").signed(result);
  return false;
}

/** From here on requests arrive. Done once, after the first vGPU stands. */
export function guestEnable(guest: Guest, error: Text): bool {
  if (guest.vcpus > 0) return true;
  const vcpus = shim_ioreq_server_enable(guest.server);
  if (vcpus > 0) {
    guest.vcpus = vcpus;
    return true;
  }
  error.put("guest ").number(guest.domid).put(": ioreq server not enabled, error ").signed(vcpus);
  return false;
}

/** Mirror of guestOpen. What is left half open is closed half. */
export function guestClose(guest: Guest): void {
  if (guest.claimed_bridge) shim_ioreq_range_unmap(guest.server, XEN_DMOP_IO_RANGE_PCI, slotRange(0), slotRange(0));
  if (guest.claimed_cf8) {
    shim_ioreq_range_unmap(guest.server, XEN_DMOP_IO_RANGE_PORT, CF8_PORT, CF8_PORT + CF8_BYTES - 1);
  }
  if (guest.server >= 0) shim_ioreq_server_destroy(guest.server);
  guest.used = 0;
}
