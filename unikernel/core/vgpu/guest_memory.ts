// SPDX-License-Identifier: MIT
//
// Capability "memory": bytes of the guest's own RAM, copied in and out. The module chooses address and length; the
// guest is the one that this vGPU serves, whatever the module says. Where there is no RAM nothing is done.

import { MANIFEST_CAPABILITIES } from "../../abi/manifest";
import { CAPABILITY_MEMORY, CAPABILITY_OK, CAPABILITY_REFUSED } from "../../abi/module";
import { CAPABILITY_FATAL, shim_guest_read, shim_guest_write } from "../../abi/shim";
import { GUEST_ADDRESS_END, TRANSFER_BYTES } from "../limits";
import { manifest } from "./module";
import { Vgpu, countRefused, vgpuAt } from "./vgpu";

/** What modules' imports carry: the shim copies between here and the module's memory. */
export const TRANSFER: usize = memory.data(TRANSFER_BYTES, 16);

/** [gpa, gpa + bytes) can be a guest's; to the last byte, whatever overflows. */
@inline
export function addressable(gpa: u64, bytes: u64): bool {
  return gpa <= GUEST_ADDRESS_END && bytes <= GUEST_ADDRESS_END - gpa;
}

export function refusedBy(vgpu: Vgpu): i32 {
  countRefused(vgpu);
  return CAPABILITY_REFUSED;
}

export function guestRead(tag: u32, gpa: u64, length: u32): i32 {
  const vgpu = vgpuAt(tag);
  if (!allowed(vgpu, length)) return CAPABILITY_FATAL;
  if (!addressable(gpa, length)) return refusedBy(vgpu);
  return shim_guest_read(vgpu.domid, gpa, <u32>TRANSFER, length) == 0 ? CAPABILITY_OK : refusedBy(vgpu);
}

export function guestWrite(tag: u32, gpa: u64, length: u32): i32 {
  const vgpu = vgpuAt(tag);
  if (!allowed(vgpu, length)) return CAPABILITY_FATAL;
  if (!addressable(gpa, length)) return refusedBy(vgpu);
  return shim_guest_write(vgpu.domid, gpa, <u32>TRANSFER, length) == 0 ? CAPABILITY_OK : refusedBy(vgpu);
}

function allowed(vgpu: Vgpu, length: u32): bool {
  return (load<u32>(manifest(vgpu.module), MANIFEST_CAPABILITIES) & CAPABILITY_MEMORY) != 0 && length <= TRANSFER_BYTES;
}
