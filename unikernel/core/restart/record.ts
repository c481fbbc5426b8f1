// SPDX-License-Identifier: MIT
//
// What of a vGPU outlives a panic of ours (docs/decisions/0008): one record each, kept by the shim outside the memory
// that a restart clears. Tables that follow from it (regions, ranges, slots) are made again instead.
//
//      0 ┌ Saved ┐
//     64 ├ parameters, 8 bytes each ┤
//    160 ├ per BAR: ram_gfn u64, ram_pages u32, mapped u32 ┤
//    256 ├ scanouts, as in display/scanout.ts; cursors lie in buffers, which do not come back ┤
//    480 ├ configuration space, values ┤
//    736 ├ MSI-X table ┤
//   1760 ├ specification ┤ 2272 ├ reason ┤ 2512 ├ scheduling ┤ 2560

import { SHIM_RECORDS_MAX, SHIM_RECORD_BYTES_MAX } from "../../abi/shim";
import { PCI_CFG_SPACE_SIZE, PCI_MSIX_ENTRY_SIZE } from "../../abi/pci";
import {
  BARS, ERROR_BYTES_MAX, MSIX_VECTORS_MAX, PARAMS, SCANOUTS_PER_VGPU_MAX, SCANOUT_BYTES, SPECIFICATION_BYTES_MAX,
  VGPUS_MAX,
} from "../limits";
import { PARAMETERS_BYTES } from "../sched/entity";
import { BOOKS_BYTES } from "../vgpu/quarantine";

@unmanaged
export class Saved {
  format: u32; // SAVED_FORMAT: a record of another build is not ours
  state: u32; // VGPU_*
  domid: u32;
  number: u32;
  mode: u32; // MODE_*
  slot: u32;
  module: u32;
  instance: i32; // -1: none
  cf8: u32; // of the guest
  moving: u32; // a bit for each BAR whose RAM was on its way
  specification: u32; // bytes of it
  reason: u32;
  msix_pending: u64;
  buffers: u32; // how many it had: they do not come back
}
export const SAVED_FORMAT: u32 = 0x47425634; // "GBV4"

export const AT_PARAMS: u32 = 64;
export const AT_RAM: u32 = AT_PARAMS + PARAMS * 8;
export const RAM_BYTES: u32 = 16;
export const AT_SCANOUTS: u32 = AT_RAM + BARS * RAM_BYTES;
export const AT_CONFIG: u32 = AT_SCANOUTS + SCANOUTS_PER_VGPU_MAX * SCANOUT_BYTES;
export const AT_MSIX: u32 = AT_CONFIG + PCI_CFG_SPACE_SIZE;
export const AT_SPECIFICATION: u32 = AT_MSIX + MSIX_VECTORS_MAX * PCI_MSIX_ENTRY_SIZE;
export const AT_REASON: u32 = AT_SPECIFICATION + SPECIFICATION_BYTES_MAX;
export const AT_SCHEDULING: u32 = AT_REASON + ERROR_BYTES_MAX;
export const RECORD_BYTES: u32 = AT_SCHEDULING + PARAMETERS_BYTES;

/** The record of the request that is being worked on, behind those of the vGPUs. */
export const RECORD_REQUEST: u32 = VGPUS_MAX;
/** The books of vgpu/quarantine.ts, behind that. */
export const RECORD_QUARANTINE: u32 = VGPUS_MAX + 1;

const RECORD: usize = memory.data(RECORD_BYTES, 8);

/** Where a record is put together, or taken apart: one at a time. */
export function record(): Saved {
  if (RECORD_BYTES > <u32>SHIM_RECORD_BYTES_MAX) ERROR("a record must fit into the shim's");
  if (VGPUS_MAX + 2 > <u32>SHIM_RECORDS_MAX) ERROR("each vGPU needs a record, the request, and the quarantine");
  if (BOOKS_BYTES > <u32>SHIM_RECORD_BYTES_MAX) ERROR("the books must fit into a record");
  if (offsetof<Saved>() > AT_PARAMS) ERROR("AT_PARAMS");
  return changetype<Saved>(RECORD);
}

@inline
export function recordPart(at: u32): usize {
  return RECORD + at;
}
