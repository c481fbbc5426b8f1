// SPDX-License-Identifier: MIT
//
// PCI configuration accesses: the address of a PCI_CONFIG ioreq (xen/hvm/ioreq.h) names a function and an offset.
//
//   63 ┌ segment 16 ┬ bus 8 ┬ device 5 ┬ function 3 ┬ offset 32 ┐ 0

import { VGPU_CONFIG_READS, VGPU_CONFIG_WRITES } from "../trace/counters";
import { configRead, configWrite } from "../vgpu/config_space";
import { Guest, MODE_PVH } from "../vgpu/guest";
import { hostBridgeRead } from "../vgpu/host_bridge";
import { VGPU_READY, Vgpu, countAccess, vgpuInSlot } from "../vgpu/vgpu";
import { onesOf } from "./access";
import { unclaimedRead, unclaimedWrite } from "./unclaimed";

export function configAccessRead(guest: Guest, addr: u64, size: u32): u64 {
  if (isHostBridge(guest, addr)) return hostBridgeRead(<u32>addr, size);
  const vgpu = addressed(guest, addr);
  if (vgpu == null) return unclaimedRead(guest, size);
  countAccess(vgpu, VGPU_CONFIG_READS);
  return vgpu.state == VGPU_READY ? configRead(vgpu, <u32>addr, size) : onesOf(size);
}

export function configAccessWrite(guest: Guest, addr: u64, size: u32, value: u64): void {
  if (isHostBridge(guest, addr)) return; // nothing in it can be written
  const vgpu = addressed(guest, addr);
  if (vgpu == null) return unclaimedWrite(guest);
  countAccess(vgpu, VGPU_CONFIG_WRITES);
  if (vgpu.state == VGPU_READY) configWrite(vgpu, <u32>addr, size, value);
}

@inline
function isHostBridge(guest: Guest, addr: u64): bool {
  return addr >> 32 == 0 && guest.mode == MODE_PVH;
}

/** Ours are all in segment 0, on bus 0, function 0. */
function addressed(guest: Guest, addr: u64): Vgpu | null {
  const function_of = addr >> 32;
  if (function_of >> 8 != 0 || (function_of & 7) != 0) return null;
  return vgpuInSlot(guest, <u32>(function_of >> 3) & 31);
}
