// SPDX-License-Identifier: MIT
//
// Scanouts: what a vGPU would show. A picture lies in one of its `ram` BARs or in a buffer, row by row; the module says
// where and how big, and is believed only as far as the BAR or the buffer reaches. A vGPU's pictures are its planes:
// first those of its scanouts, then those of their cursors (cursor.ts), which come and go by the same rules.

import { BAR_KIND_RAM, MANIFEST_CAPABILITIES, MANIFEST_SCANOUTS } from "../../abi/manifest";
import {
  BUFFER_NONE,
  CAPABILITY_OK,
  CAPABILITY_SCANOUT,
  FORMAT_ARGB8888,
  FORMAT_NONE,
  FORMAT_RGB565,
  FORMAT_RGB888,
  FORMAT_XRGB8888,
} from "../../abi/module";
import { CAPABILITY_FATAL } from "../../abi/shim";
import {
  BARS, PAGE_SHIFT, PLANES_PER_VGPU_MAX, SCANOUTS_PER_VGPU_MAX, SCANOUT_BYTES, SCANOUT_EXTENT_MAX, VGPUS_MAX,
} from "../limits";
import { touch } from "../restart/dirty";
import { TRACE_SCANOUT, traceEvent } from "../trace/ring";
import { barAt } from "../vgpu/bar";
import { bufferFind, mayUseBuffers } from "../vgpu/buffer";
import { bufferLocate, locatedBytes, locatedGpa } from "../vgpu/buffer_access";
import { refusedBy } from "../vgpu/guest_memory";
import { manifest } from "../vgpu/module";
import { VGPU_ATTACHING, VGPU_READY, Vgpu, vgpuAt } from "../vgpu/vgpu";

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
  buffer: u32; // a handle; BUFFER_NONE: the picture lies in the BAR
  x: i32; // of a cursor: where its upper left corner stands, in the scanout's pixels
  y: i32;
}

const TABLE: usize = memory.data(VGPUS_MAX * PLANES_PER_VGPU_MAX * SCANOUT_BYTES, 8);

/** `plane`: a scanout's number, or cursorPlane() of it. */
export function scanoutAt(vgpu: u32, plane: u32): Scanout {
  if (offsetof<Scanout>() > SCANOUT_BYTES) ERROR("SCANOUT_BYTES");
  return changetype<Scanout>(TABLE + (vgpu * PLANES_PER_VGPU_MAX + plane) * SCANOUT_BYTES);
}

@inline
export function cursorPlane(scanout: u32): u32 {
  return SCANOUTS_PER_VGPU_MAX + scanout;
}

export function scanoutsOf(vgpu: Vgpu): u32 {
  return load<u32>(manifest(vgpu.module) + MANIFEST_SCANOUTS);
}

export function scanoutsOff(vgpu: Vgpu): void {
  for (let i: u32 = 0; i < PLANES_PER_VGPU_MAX; i++) {
    const scanout = scanoutAt(vgpu.index, i);
    scanout.format = FORMAT_NONE;
    scanout.buffer = BUFFER_NONE;
    scanout.serial++;
    scanout.x = 0;
    scanout.y = 0;
  }
  touch(vgpu.index);
}

/** What a vGPU showed when its module was replaced, to be put back when the replacement is taken back. */
const KEPT: usize = memory.data(VGPUS_MAX * PLANES_PER_VGPU_MAX * SCANOUT_BYTES, 8);

export function scanoutsKeep(vgpu: u32): void {
  const bytes = PLANES_PER_VGPU_MAX * SCANOUT_BYTES;
  memory.copy(KEPT + vgpu * bytes, changetype<usize>(scanoutAt(vgpu, 0)), bytes);
}

/** A buffer that is gone meanwhile is not shown again. */
export function scanoutsPutBack(index: u32): void {
  const vgpu = vgpuAt(index);
  for (let i: u32 = 0; i < PLANES_PER_VGPU_MAX; i++) {
    const scanout = scanoutAt(index, i);
    const serial = scanout.serial + 1;
    const kept = KEPT + (index * PLANES_PER_VGPU_MAX + i) * SCANOUT_BYTES;
    memory.copy(changetype<usize>(scanout), kept, SCANOUT_BYTES);
    scanout.serial = serial;
    if (scanout.buffer == BUFFER_NONE || bufferFind(vgpu, scanout.buffer) != null) continue;
    scanout.format = FORMAT_NONE;
    scanout.buffer = BUFFER_NONE;
  }
  touch(index);
}

/** Bytes of a pixel; 0: we do not know the format. */
export function bytesPerPixel(format: u32): u32 {
  switch (format) {
    case FORMAT_XRGB8888:
    case FORMAT_ARGB8888: return 4;
    case FORMAT_RGB888: return 3;
    case FORMAT_RGB565: return 2;
    default: return 0;
  }
}

export function formatName(format: u32): string {
  switch (format) {
    case FORMAT_XRGB8888: return "XR24";
    case FORMAT_ARGB8888: return "AR24";
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

/** Set by scanoutLocate: where the byte is in the guest, and how many of the picture's follow it without a break. */
export let scanoutAtGpa: u64 = 0;
export let scanoutRun: u64 = 0;

/** Byte `offset` of the picture, strides counted; false while the guest has no pages there. */
export function scanoutLocate(vgpu: Vgpu, scanout: Scanout, offset: u64): bool {
  if (scanout.buffer == BUFFER_NONE) {
    const bar = barAt(vgpu.index, scanout.bar);
    scanoutAtGpa = (bar.ram_gfn << PAGE_SHIFT) + scanout.offset + offset;
    scanoutRun = u64.MAX_VALUE; // the picture lies within the BAR
    return bar.ram_pages != 0;
  }
  const buffer = bufferFind(vgpu, scanout.buffer);
  if (buffer == null || !bufferLocate(vgpu, buffer, scanout.offset + offset)) return false;
  scanoutAtGpa = locatedGpa;
  scanoutRun = locatedBytes;
  return true;
}

/** The buffer goes: what shows it goes off. */
export function scanoutsForget(vgpu: Vgpu, buffer: u32): void {
  for (let i: u32 = 0; i < PLANES_PER_VGPU_MAX; i++) {
    const scanout = scanoutAt(vgpu.index, i);
    if (scanout.buffer != buffer) continue;
    scanout.format = FORMAT_NONE;
    scanout.buffer = BUFFER_NONE;
    scanout.serial++;
  }
}

// --- what modules call; a wrong scanout number or BAR is the module's bug, a wrong picture may be the guest's ---

/** May this instance use that scanout now? */
export function scanoutUsable(vgpu: Vgpu, scanout: u32): bool {
  if (!(load<u32>(manifest(vgpu.module), MANIFEST_CAPABILITIES) & CAPABILITY_SCANOUT)) return false;
  if (vgpu.state != VGPU_READY && vgpu.state != VGPU_ATTACHING) return false;
  return scanout < scanoutsOf(vgpu);
}

export function scanoutSet(
  tag: u32, number: u32, bar: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  const vgpu = vgpuAt(tag);
  if (!scanoutUsable(vgpu, number)) return CAPABILITY_FATAL;
  if (format != FORMAT_NONE) {
    if (bar >= BARS || barAt(tag, bar).kind != BAR_KIND_RAM) return CAPABILITY_FATAL;
    if (!showable(barAt(tag, bar).size_bytes, offset, width, height, stride, format)) return refusedBy(vgpu);
  }
  scanoutAt(tag, number).buffer = BUFFER_NONE;
  return scanoutShow(vgpu, number, bar, offset, width, height, stride, format);
}

export function scanoutSetBuffer(
  tag: u32, number: u32, handle: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  const vgpu = vgpuAt(tag);
  if (!scanoutUsable(vgpu, number) || !mayUseBuffers(vgpu)) return CAPABILITY_FATAL;
  if (format != FORMAT_NONE) {
    const buffer = bufferFind(vgpu, handle);
    if (buffer == null) return CAPABILITY_FATAL;
    if (!showable(buffer.bytes, offset, width, height, stride, format)) return refusedBy(vgpu);
  }
  scanoutAt(tag, number).buffer = format == FORMAT_NONE ? BUFFER_NONE : handle;
  return scanoutShow(vgpu, number, 0, offset, width, height, stride, format);
}

/** The plane's picture is another from now on, or none; it was checked. */
export function scanoutShow(
  vgpu: Vgpu, plane: u32, bar: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  const scanout = scanoutAt(vgpu.index, plane);
  scanout.format = format;
  scanout.bar = bar;
  scanout.offset = offset;
  scanout.width = width;
  scanout.height = height;
  scanout.stride = stride;
  scanout.serial++;
  touch(vgpu.index);
  traceEvent(vgpu.domid, vgpu.number, TRACE_SCANOUT, offset, (<u64>height << 32) | width);
  return CAPABILITY_OK;
}

/** Could this vGPU have set that scanout? For one that comes out of a record. */
export function scanoutAllowed(vgpu: Vgpu, scanout: Scanout): bool {
  if (scanout.format == FORMAT_NONE) return true;
  if (scanout.buffer != BUFFER_NONE) return false; // buffers do not outlive a restart
  if (scanout.bar >= BARS || barAt(vgpu.index, scanout.bar).kind != BAR_KIND_RAM) return false;
  const bytes = barAt(vgpu.index, scanout.bar).size_bytes;
  return showable(bytes, scanout.offset, scanout.width, scanout.height, scanout.stride, scanout.format);
}

/** A scanout's picture; what may shine through is for cursors. */
function showable(bytes: u64, offset: u64, width: u32, height: u32, stride: u32, format: u32): bool {
  return format != FORMAT_ARGB8888 && pictureFits(bytes, offset, width, height, stride, format);
}

/** All visible bytes lie within `bytes` of a BAR or buffer. No sum overflows: extents are bounded, stride has 32. */
export function pictureFits(bytes: u64, offset: u64, width: u32, height: u32, stride: u32, format: u32): bool {
  const pixel = bytesPerPixel(format);
  if (pixel == 0 || width == 0 || height == 0) return false;
  if (width > SCANOUT_EXTENT_MAX || height > SCANOUT_EXTENT_MAX) return false;
  if (stride < width * pixel || offset > bytes) return false;
  return <u64>(height - 1) * stride + width * pixel <= bytes - offset;
}

export function scanoutFlush(tag: u32, number: u32, x: u32, y: u32, width: u32, height: u32): i32 {
  const vgpu = vgpuAt(tag);
  if (!scanoutUsable(vgpu, number)) return CAPABILITY_FATAL;
  const scanout = scanoutAt(tag, number);
  const inside = within(x, width, scanout.width) && within(y, height, scanout.height);
  if (scanout.format == FORMAT_NONE || !inside) return refusedBy(vgpu);
  scanout.flushes++;
  return CAPABILITY_OK;
}

@inline
function within(first: u32, count: u32, end: u32): bool {
  return first <= end && count <= end - first;
}
