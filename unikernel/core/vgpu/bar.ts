// SPDX-License-Identifier: MIT
//
// The BARs of a vGPU: where the guest wants them, and making it so.
//
// barsSettle() compares, for every BAR of the guest, what configuration space asks for with what stands, unmaps what
// should not be there, then maps what should. So it does not matter in which order a guest moves its BARs, and a BAR
// that collides with another of ours simply waits until that one is gone. A lost vGPU keeps what it has.

import { BAR_KIND_NONE, BAR_KIND_RAM, BAR_SPACE_IO, BAR_SPACE_MEMORY64 } from "../../abi/manifest";
import { PCI_BASE_ADDRESS_0, PCI_COMMAND, PCI_COMMAND_IO, PCI_COMMAND_MEMORY } from "../../abi/pci";
import { shim_ioreq_range_map, shim_ioreq_range_unmap } from "../../abi/shim";
import { XEN_DMOP_IO_RANGE_MEMORY, XEN_DMOP_IO_RANGE_PORT } from "../../abi/xen/dm_op";
import { BARS, GUEST_ADDRESS_END, PORT_END, VGPUS_MAX, VGPUS_PER_GUEST_MAX } from "../limits";
import { PANIC_BAR_INDEX, check } from "../panic";
import { TRACE_BAR_MAP, TRACE_BAR_UNMAP, traceEvent } from "../trace/ring";
import { regionInsert, regionOverlaps, regionRemove } from "../trap/region";
import { config16, config32 } from "./config_space";
import { guestAt } from "./guest";
import { ramPlace } from "./ram";
import { VGPU_READY, Vgpu, countRefused, vgpuNumbered } from "./vgpu";

@unmanaged
export class Bar {
  kind: u32;
  space: u32;
  size_bytes: u64;
  mapped: u32; // a range and a region stand at `address`; for `ram`: the pages are there
  ram_pages: u32; // pages that the guest got for it, at ram_gfn, mapped or parked
  address: u64;
  ram_gfn: u64;
  ram_moving: u32; // being placed right now: after a panic nobody knows where its pages are
  was_mapped: u32; // before a restart
}
const BAR_BYTES: u32 = 48;

const TABLE: usize = memory.data(VGPUS_MAX * BARS * BAR_BYTES, 8);

export function barAt(vgpu: u32, bar: u32): Bar {
  if (offsetof<Bar>() > BAR_BYTES) ERROR("BAR_BYTES");
  check(vgpu < VGPUS_MAX && bar < BARS, PANIC_BAR_INDEX, bar);
  return changetype<Bar>(TABLE + (vgpu * BARS + bar) * BAR_BYTES);
}

export function barDefine(vgpu: u32, i: u32, kind: u32, space: u32, size_bytes: u64): void {
  const bar = barAt(vgpu, i);
  memory.fill(changetype<usize>(bar), 0, BAR_BYTES);
  bar.kind = kind;
  bar.space = space;
  bar.size_bytes = size_bytes;
}

/** What the guest has written into the register, address bits only. */
export function barRegister(vgpu: Vgpu, i: u32): u64 {
  const bar = barAt(vgpu.index, i);
  let value: u64 = config32(vgpu, PCI_BASE_ADDRESS_0 + 4 * i);
  if (bar.space == BAR_SPACE_MEMORY64) value |= <u64>config32(vgpu, PCI_BASE_ADDRESS_0 + 4 * i + 4) << 32;
  return value & ~(bar.size_bytes - 1);
}

/**
 * Is the BAR to be reached at its register's address now? Not while decode is off, nor at 0 (never assigned), nor
 * when all address bits of its low half are ones (it is being sized), nor beyond what a guest can address.
 */
function wanted(vgpu: Vgpu, i: u32): bool {
  const bar = barAt(vgpu.index, i);
  if (bar.kind == BAR_KIND_NONE || vgpu.state != VGPU_READY) return false;
  const io = bar.space == BAR_SPACE_IO;
  if (!(config16(vgpu, PCI_COMMAND) & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY))) return false;
  const address = barRegister(vgpu, i);
  if (address == 0) return false;
  if (address == 0x100000000 - bar.size_bytes) return false;
  return address <= (io ? PORT_END : GUEST_ADDRESS_END) - bar.size_bytes;
}

export function barsSettle(vgpu: Vgpu): void {
  const guest = guestAt(vgpu.guest);
  for (let n: u32 = 0; n < VGPUS_PER_GUEST_MAX; n++) {
    const other = vgpuNumbered(guest, n);
    if (other != null && other.state == VGPU_READY) unmapUnwanted(other);
  }
  for (let n: u32 = 0; n < VGPUS_PER_GUEST_MAX; n++) {
    const other = vgpuNumbered(guest, n);
    if (other != null) mapWanted(other);
  }
}

/** After a restart, before anybody settles: what stood before stands again, so that those who waited still wait. */
export function barsResume(vgpu: Vgpu): void {
  for (let i: u32 = 0; i < BARS; i++) {
    const bar = barAt(vgpu.index, i);
    if (bar.was_mapped && !bar.mapped && wanted(vgpu, i)) barMap(vgpu, i);
    bar.was_mapped = 0;
  }
}

function unmapUnwanted(vgpu: Vgpu): void {
  for (let i: u32 = 0; i < BARS; i++) {
    const bar = barAt(vgpu.index, i);
    if (bar.mapped && !(wanted(vgpu, i) && barRegister(vgpu, i) == bar.address)) barUnmap(vgpu, i);
  }
}

function mapWanted(vgpu: Vgpu): void {
  for (let i: u32 = 0; i < BARS; i++) {
    if (!barAt(vgpu.index, i).mapped && wanted(vgpu, i)) barMap(vgpu, i);
  }
}

@inline
function spaceOf(bar: Bar): u32 {
  return bar.space == BAR_SPACE_IO ? XEN_DMOP_IO_RANGE_PORT : XEN_DMOP_IO_RANGE_MEMORY;
}

function barMap(vgpu: Vgpu, i: u32): void {
  const bar = barAt(vgpu.index, i);
  const address = barRegister(vgpu, i);
  const placed = bar.kind == BAR_KIND_RAM ? ramPlace(vgpu, i, address) : claim(vgpu, i, address);
  if (!placed) return;
  bar.address = address;
  bar.mapped = 1;
  traceEvent(vgpu.domid, vgpu.number, TRACE_BAR_MAP, address, i);
}

/** The range at Xen and the region here, together. A refusal is the guest's doing: the BAR stays unreachable. */
function claim(vgpu: Vgpu, i: u32, address: u64): bool {
  const bar = barAt(vgpu.index, i);
  const end = address + bar.size_bytes - 1;
  const server = guestAt(vgpu.guest).server;
  const free = !regionOverlaps(vgpu.guest, spaceOf(bar), address, end);
  if (free && shim_ioreq_range_map(server, spaceOf(bar), address, end) == 0) {
    regionInsert(vgpu.guest, spaceOf(bar), address, end, vgpu.index, i);
    return true;
  }
  countRefused(vgpu);
  return false;
}

/** Mirror of barMap. RAM stays where it is, parked, until the BAR comes back or the vGPU goes. */
export function barUnmap(vgpu: Vgpu, i: u32): void {
  const bar = barAt(vgpu.index, i);
  if (!bar.mapped) return;
  bar.mapped = 0;
  traceEvent(vgpu.domid, vgpu.number, TRACE_BAR_UNMAP, bar.address, i);
  if (bar.kind == BAR_KIND_RAM) return;
  regionRemove(vgpu.guest, spaceOf(bar), bar.address);
  shim_ioreq_range_unmap(guestAt(vgpu.guest).server, spaceOf(bar), bar.address, bar.address + bar.size_bytes - 1);
}

/** RAM pages that the guest has from this vGPU now. */
export function barsRamPages(vgpu: u32): u32 {
  let pages: u32 = 0;
  for (let i: u32 = 0; i < BARS; i++) pages += barAt(vgpu, i).ram_pages;
  return pages;
}

/** RAM that this vGPU's BARs will take when the guest maps them. */
export function barsRamBytes(vgpu: u32): u64 {
  let bytes: u64 = 0;
  for (let i: u32 = 0; i < BARS; i++) {
    const bar = barAt(vgpu, i);
    if (bar.kind == BAR_KIND_RAM) bytes += bar.size_bytes;
  }
  return bytes;
}
