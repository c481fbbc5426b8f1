// SPDX-License-Identifier: MIT
//
// scanout_set, scanout_set_buffer, scanout_flush, cursor_set and cursor_move, judged as scanout.ts and cursor.ts of
// unikernel/core/display judge them.

import { BAR_KIND_RAM, MANIFEST_BAR_COUNT } from "../../../unikernel/abi/manifest";
import {
  BUFFER_NONE,
  CAPABILITY_OK,
  CAPABILITY_REFUSED,
  CURSOR_EXTENT_MAX,
  FORMAT_ARGB8888,
  FORMAT_NONE,
  FORMAT_RGB565,
  FORMAT_RGB888,
  FORMAT_XRGB8888,
} from "../../../unikernel/abi/module";
import { CAPABILITY_FATAL } from "../../../unikernel/abi/shim";
import { bufferFind } from "../../../unikernel/core/vgpu/buffer";
import { vgpuAt } from "../../../unikernel/core/vgpu/vgpu";
import { note } from "./answers";
import { barBytes, barKind, scanoutCount } from "./setup";

const SCANOUTS_MAX: u32 = 4;
const EXTENT_MAX: u32 = 16384; // SCANOUT_EXTENT_MAX of unikernel/core/limits.ts
const ASKED_SET: u64 = 0x2 << 56;
const ASKED_FLUSH: u64 = 0x3 << 56;
const ASKED_CURSOR: u64 = 0x7 << 56;
const ASKED_CURSOR_MOVE: u64 = 0x8 << 56;

/** For each scanout: format, width, height, buffer: u32 each. */
const TABLE: usize = memory.data(SCANOUTS_MAX * 16, 8);
/** What `attach` left. */
const KEPT: usize = memory.data(SCANOUTS_MAX * 16, 8);

export function scanoutReset(): void {
  memory.fill(TABLE, 0, SCANOUTS_MAX * 16);
}

export function scanoutSave(): void {
  memory.copy(KEPT, TABLE, SCANOUTS_MAX * 16);
}

@inline
export function scanoutRestore(): void {
  for (let i: u32 = 0; i < SCANOUTS_MAX * 16; i += 8) store<u64>(TABLE + i, load<u64>(KEPT + i));
}

/** The buffer goes: what shows it goes off. */
export function scanoutForgetBuffer(buffer: u32): void {
  for (let i: u32 = 0; i < SCANOUTS_MAX; i++) {
    if (load<u32>(TABLE + i * 16, 12) == buffer) memory.fill(TABLE + i * 16, 0, 16);
  }
}

export function bytesPerPixel(format: u32): u32 {
  switch (format) {
    case FORMAT_XRGB8888:
    case FORMAT_ARGB8888: return 4;
    case FORMAT_RGB888: return 3;
    case FORMAT_RGB565: return 2;
    default: return 0;
  }
}

export function scanoutSet(
  scanout: u32, bar: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  if (scanout >= scanoutCount()) return CAPABILITY_FATAL;
  if (format != FORMAT_NONE) {
    if (bar >= <u32>MANIFEST_BAR_COUNT || barKind(bar) != BAR_KIND_RAM) return CAPABILITY_FATAL;
    if (!isShowable(barBytes(bar), offset, width, height, stride, format)) return CAPABILITY_REFUSED;
  }
  show(scanout, BUFFER_NONE, offset, width, height, stride, format);
  return CAPABILITY_OK;
}

export function scanoutSetBuffer(
  scanout: u32, handle: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  if (scanout >= scanoutCount()) return CAPABILITY_FATAL;
  if (format != FORMAT_NONE) {
    const buffer = bufferFind(vgpuAt(0), handle);
    if (buffer == null) return CAPABILITY_FATAL;
    if (!isShowable(buffer.bytes, offset, width, height, stride, format)) return CAPABILITY_REFUSED;
  }
  show(scanout, format == FORMAT_NONE ? <u32>BUFFER_NONE : handle, offset, width, height, stride, format);
  return CAPABILITY_OK;
}

/** The picture is there from now on. */
function show(
  scanout: u32, buffer: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): void {
  const at = TABLE + scanout * 16;
  store<u32>(at, format);
  store<u32>(at, width, 4);
  store<u32>(at, height, 8);
  store<u32>(at, buffer, 12);
  note(ASKED_SET | offset);
  note((<u64>height << 32) | width);
  note((<u64>stride << 32) | format);
}

function isShowable(bytes: u64, offset: u64, width: u32, height: u32, stride: u32, format: u32): bool {
  return format != FORMAT_ARGB8888 && isPicture(bytes, offset, width, height, stride, format);
}

export function isPicture(bytes: u64, offset: u64, width: u32, height: u32, stride: u32, format: u32): bool {
  const pixel = bytesPerPixel(format);
  if (pixel == 0 || width == 0 || height == 0 || width > EXTENT_MAX || height > EXTENT_MAX) return false;
  if (stride < width * pixel || offset > bytes) return false;
  return <u64>(height - 1) * stride + width * pixel <= bytes - offset;
}

export function scanoutFlush(scanout: u32, x: u32, y: u32, width: u32, height: u32): i32 {
  if (scanout >= scanoutCount()) return CAPABILITY_FATAL;
  const at = TABLE + scanout * 16;
  if (load<u32>(at) == FORMAT_NONE) return CAPABILITY_REFUSED;
  if (!within(x, width, load<u32>(at, 4)) || !within(y, height, load<u32>(at, 8))) return CAPABILITY_REFUSED;
  note(ASKED_FLUSH | (<u64>scanout << 32));
  note((<u64>x << 32) | y);
  note((<u64>width << 32) | height);
  return CAPABILITY_OK;
}

export function cursorSet(
  scanout: u32, handle: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  if (scanout >= scanoutCount()) return CAPABILITY_FATAL;
  if (format != FORMAT_NONE) {
    const buffer = bufferFind(vgpuAt(0), handle);
    if (buffer == null) return CAPABILITY_FATAL;
    const small = width <= <u32>CURSOR_EXTENT_MAX && height <= <u32>CURSOR_EXTENT_MAX;
    if (format != FORMAT_ARGB8888 || !small) return CAPABILITY_REFUSED;
    if (!isPicture(buffer.bytes, offset, width, height, stride, format)) return CAPABILITY_REFUSED;
  }
  note(ASKED_CURSOR | (<u64>scanout << 32) | format);
  note((<u64>height << 32) | width);
  note((<u64>stride << 32) ^ offset);
  return CAPABILITY_OK;
}

export function cursorMove(scanout: u32, x: u32, y: u32): i32 {
  if (scanout >= scanoutCount()) return CAPABILITY_FATAL;
  note(ASKED_CURSOR_MOVE | scanout);
  note((<u64>x << 32) | y);
  return CAPABILITY_OK;
}

@inline
function within(first: u32, count: u32, end: u32): bool {
  return first <= end && count <= end - first;
}
