// SPDX-License-Identifier: MIT
//
// One item of 1, 2, 4 or 8 bytes at one address: who is meant, and the way there.
// An item that lies in one region goes there as it is: a module sees the guest's own size. An item across the end of
// a region (Xen delivers that when two of our ranges touch) goes byte by byte; bytes of nobody read as ones.
// Reads are defined before anybody runs.

import { BAR_KIND_MSIX } from "../../abi/manifest";
import { XEN_DMOP_IO_RANGE_MEMORY, XEN_DMOP_IO_RANGE_PCI } from "../../abi/xen/dm_op";
import { VGPU_MMIO_READS, VGPU_MMIO_WRITES, VGPU_PIO_READS, VGPU_PIO_WRITES } from "../trace/counters";
import { barAt } from "../vgpu/bar";
import { deviceRead, deviceWrite } from "../vgpu/device";
import { Guest } from "../vgpu/guest";
import { msixRead, msixWrite } from "../vgpu/msix";
import { VGPU_READY, Vgpu, countAccess, vgpuAt } from "../vgpu/vgpu";
import { cf8Read, cf8Write } from "./cf8";
import { configAccessRead, configAccessWrite } from "./config";
import { REGION_CF8, Region, regionFind } from "./region";
import { unclaimedRead, unclaimedWrite } from "./unclaimed";

/** All ones in `size` bytes. */
@inline
export function onesOf(size: u32): u64 {
  return u64.MAX_VALUE >> (64 - 8 * size);
}

export function readItem(guest: Guest, space: u32, addr: u64, size: u32): u64 {
  if (space == XEN_DMOP_IO_RANGE_PCI) return configAccessRead(guest, addr, size);
  const region = regionFind(guest.index, space, addr);
  if (region == null) return size == 1 ? unclaimedRead(guest, size) : readBytes(guest, space, addr, size);
  const inside = region.end - addr >= size - 1;
  return inside ? readRegion(guest, region, space, addr, size) : readBytes(guest, space, addr, size);
}

export function writeItem(guest: Guest, space: u32, addr: u64, size: u32, value: u64): void {
  if (space == XEN_DMOP_IO_RANGE_PCI) return configAccessWrite(guest, addr, size, value);
  const region = regionFind(guest.index, space, addr);
  if (region != null && region.end - addr >= size - 1) writeRegion(guest, region, space, addr, size, value);
  else if (region == null && size == 1) unclaimedWrite(guest);
  else writeBytes(guest, space, addr, size, value);
}

function readBytes(guest: Guest, space: u32, addr: u64, size: u32): u64 {
  let value: u64 = 0;
  for (let i: u32 = 0; i < size; i++) value |= readItem(guest, space, addr + i, 1) << (8 * i);
  return value;
}

function writeBytes(guest: Guest, space: u32, addr: u64, size: u32, value: u64): void {
  for (let i: u32 = 0; i < size; i++) writeItem(guest, space, addr + i, 1, (value >> (8 * i)) & 0xff);
}

function readRegion(guest: Guest, region: Region, space: u32, addr: u64, size: u32): u64 {
  const offset = addr - region.start;
  if (region.owner == REGION_CF8) return cf8Read(guest, offset, size);
  const vgpu = vgpuAt(region.owner);
  countAccess(vgpu, space == XEN_DMOP_IO_RANGE_MEMORY ? VGPU_MMIO_READS : VGPU_PIO_READS);
  if (vgpu.state != VGPU_READY) return onesOf(size);
  return readBar(vgpu, region.bar, <u32>offset, size) & onesOf(size);
}

function writeRegion(guest: Guest, region: Region, space: u32, addr: u64, size: u32, value: u64): void {
  const offset = addr - region.start;
  if (region.owner == REGION_CF8) return cf8Write(guest, offset, size, value);
  const vgpu = vgpuAt(region.owner);
  countAccess(vgpu, space == XEN_DMOP_IO_RANGE_MEMORY ? VGPU_MMIO_WRITES : VGPU_PIO_WRITES);
  if (vgpu.state == VGPU_READY) writeBar(vgpu, region.bar, <u32>offset, size, value & onesOf(size));
}

function readBar(vgpu: Vgpu, bar: u32, offset: u32, size: u32): u64 {
  if (barAt(vgpu.index, bar).kind == BAR_KIND_MSIX) return msixRead(vgpu, offset, size);
  return deviceRead(vgpu, bar, offset, size);
}

function writeBar(vgpu: Vgpu, bar: u32, offset: u32, size: u32, value: u64): void {
  if (barAt(vgpu.index, bar).kind == BAR_KIND_MSIX) msixWrite(vgpu, offset, size, value);
  else deviceWrite(vgpu, bar, offset, size, value);
}
