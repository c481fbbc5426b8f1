// SPDX-License-Identifier: MIT
//
// Scanouts: what a vGPU would show. A picture lies in one of its `ram` BARs, row by row; the module says where and how
// big, and is believed only as far as the BAR reaches.

import { BAR_KIND_RAM, MANIFEST_CAPABILITIES, MANIFEST_SCANOUTS } from "../../abi/manifest";
import {
  CAPABILITY_OK,
  CAPABILITY_REFUSED,
  CAPABILITY_SCANOUT,
  FORMAT_NONE,
  FORMAT_RGB565,
  FORMAT_RGB888,
  FORMAT_XRGB8888,
} from "../../abi/module";
import { CAPABILITY_FATAL } from "../../abi/shim";
import { BARS, PAGE_SHIFT, SCANOUTS_PER_VGPU_MAX, SCANOUT_BYTES, SCANOUT_EXTENT_MAX, VGPUS_MAX } from "../limits";
import { touch } from "../restart/dirty";
import { TRACE_SCANOUT, traceEvent } from "../trace/ring";
import { Bar, barAt } from "../vgpu/bar";
import { manifest } from "../vgpu/module";
import { VGPU_ATTACHING, VGPU_READY, Vgpu, countRefused, vgpuAt } from "../vgpu/vgpu";

@unmanaged
export class Scanout {
  format: u32; // FORMAT_NONE: off
  bar: u32;
  offset: u64; // bytes from the start of the BAR
  width: u32; // pixels
  height: u32; // rows
  stride: u32; // bytes from row to row
  serial: u32; // +1 at each change: work in slices notices
  flushes: u64;
}

const TABLE: usize = memory.data(VGPUS_MAX * SCANOUTS_PER_VGPU_MAX * SCANOUT_BYTES, 8);

export function scanoutAt(vgpu: u32, scanout: u32): Scanout {
  if (offsetof<Scanout>() > SCANOUT_BYTES) ERROR("SCANOUT_BYTES");
  return changetype<Scanout>(TABLE + (vgpu * SCANOUTS_PER_VGPU_MAX + scanout) * SCANOUT_BYTES);
}

export function scanoutsOf(vgpu: Vgpu): u32 {
  return load<u32>(manifest(vgpu.module) + MANIFEST_SCANOUTS);
}

export function scanoutsOff(vgpu: Vgpu): void {
  for (let i: u32 = 0; i < SCANOUTS_PER_VGPU_MAX; i++) {
    const scanout = scanoutAt(vgpu.index, i);
    scanout.format = FORMAT_NONE;
    scanout.serial++;
  }
  touch(vgpu.index);
}

/** Bytes of a pixel; 0: we do not know the format. */
export function bytesPerPixel(format: u32): u32 {
  switch (format) {
    case FORMAT_XRGB8888: return 4;
    case FORMAT_RGB888: return 3;
    case FORMAT_RGB565: return 2;
    default: return 0;
  }
}

export function formatName(format: u32): string {
  switch (format) {
    case FORMAT_XRGB8888: return "XR24";
    case FORMAT_RGB888: return "RG24";
    case FORMAT_RGB565: return "RG16";
    default: return "none";
  }
}

/** Visible bytes of a row. */
@inline
export function rowBytes(scanout: Scanout): u32 {
  return scanout.width * bytesPerPixel(scanout.format);
}

/** Guest-physical address of the picture; 0 while the guest has no pages behind the BAR. */
export function scanoutGpa(vgpu: Vgpu, scanout: Scanout): u64 {
  const bar = barAt(vgpu.index, scanout.bar);
  return bar.ram_pages == 0 ? 0 : (bar.ram_gfn << PAGE_SHIFT) + scanout.offset;
}

// --- what modules call; a wrong scanout number or BAR is the module's bug, a wrong picture may be the guest's ---

/** May this instance use that scanout now? */
function allowed(vgpu: Vgpu, scanout: u32): bool {
  if (!(load<u32>(manifest(vgpu.module), MANIFEST_CAPABILITIES) & CAPABILITY_SCANOUT)) return false;
  if (vgpu.state != VGPU_READY && vgpu.state != VGPU_ATTACHING) return false;
  return scanout < scanoutsOf(vgpu);
}

export function scanoutSet(
  tag: u32, number: u32, bar: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  const vgpu = vgpuAt(tag);
  if (!allowed(vgpu, number)) return CAPABILITY_FATAL;
  const scanout = scanoutAt(tag, number);
  if (format != FORMAT_NONE) {
    if (bar >= BARS || barAt(tag, bar).kind != BAR_KIND_RAM) return CAPABILITY_FATAL;
    if (!fits(barAt(tag, bar), offset, width, height, stride, format)) {
      countRefused(vgpu);
      return CAPABILITY_REFUSED;
    }
  }
  scanout.format = format;
  scanout.bar = bar;
  scanout.offset = offset;
  scanout.width = width;
  scanout.height = height;
  scanout.stride = stride;
  scanout.serial++;
  touch(tag);
  traceEvent(vgpu.domid, vgpu.number, TRACE_SCANOUT, offset, (<u64>height << 32) | width);
  return CAPABILITY_OK;
}

/** Could this vGPU have set that scanout? For one that comes out of a record. */
export function scanoutAllowed(vgpu: Vgpu, scanout: Scanout): bool {
  if (scanout.format == FORMAT_NONE) return true;
  if (scanout.bar >= BARS || barAt(vgpu.index, scanout.bar).kind != BAR_KIND_RAM) return false;
  const bar = barAt(vgpu.index, scanout.bar);
  return fits(bar, scanout.offset, scanout.width, scanout.height, scanout.stride, scanout.format);
}

/** All visible bytes lie within the BAR. No sum here can overflow: extents are bounded, stride is 32 bits. */
function fits(bar: Bar, offset: u64, width: u32, height: u32, stride: u32, format: u32): bool {
  const pixel = bytesPerPixel(format);
  if (pixel == 0 || width == 0 || height == 0) return false;
  if (width > SCANOUT_EXTENT_MAX || height > SCANOUT_EXTENT_MAX) return false;
  if (stride < width * pixel || offset > bar.size_bytes) return false;
  return <u64>(height - 1) * stride + width * pixel <= bar.size_bytes - offset;
}

export function scanoutFlush(tag: u32, number: u32, x: u32, y: u32, width: u32, height: u32): i32 {
  const vgpu = vgpuAt(tag);
  if (!allowed(vgpu, number)) return CAPABILITY_FATAL;
  const scanout = scanoutAt(tag, number);
  const inside = within(x, width, scanout.width) && within(y, height, scanout.height);
  if (scanout.format == FORMAT_NONE || !inside) {
    countRefused(vgpu);
    return CAPABILITY_REFUSED;
  }
  scanout.flushes++;
  return CAPABILITY_OK;
}

@inline
function within(first: u32, count: u32, end: u32): bool {
  return first <= end && count <= end - first;
}
