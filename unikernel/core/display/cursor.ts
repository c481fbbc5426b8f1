// SPDX-License-Identifier: MIT
//
// Cursors: a small picture over a scanout, which its module moves without touching what lies below. The picture is a
// plane like a scanout's own (scanout.ts): it goes with its buffer, with a reset, with the vGPU. It is never drawn
// here: who looks at the screen reads both and lays one over the other (gbctl screenshot).

import { BUFFER_NONE, CAPABILITY_OK, CURSOR_EXTENT_MAX, FORMAT_ARGB8888, FORMAT_NONE } from "../../abi/module";
import { CAPABILITY_FATAL } from "../../abi/shim";
import { bufferFind, mayUseBuffers } from "../vgpu/buffer";
import { refusedBy } from "../vgpu/guest_memory";
import { vgpuAt } from "../vgpu/vgpu";
import { cursorPlane, pictureFits, scanoutAt, scanoutShow, scanoutUsable } from "./scanout";

export function cursorSet(
  tag: u32, number: u32, handle: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  const vgpu = vgpuAt(tag);
  if (!scanoutUsable(vgpu, number) || !mayUseBuffers(vgpu)) return CAPABILITY_FATAL;
  if (format != FORMAT_NONE) {
    const buffer = bufferFind(vgpu, handle);
    if (buffer == null) return CAPABILITY_FATAL;
    const small = width <= <u32>CURSOR_EXTENT_MAX && height <= <u32>CURSOR_EXTENT_MAX;
    if (format != FORMAT_ARGB8888 || !small) return refusedBy(vgpu);
    if (!pictureFits(buffer.bytes, offset, width, height, stride, format)) return refusedBy(vgpu);
  }
  scanoutAt(tag, cursorPlane(number)).buffer = format == FORMAT_NONE ? BUFFER_NONE : handle;
  return scanoutShow(vgpu, cursorPlane(number), 0, offset, width, height, stride, format);
}

/** Any place: a cursor may lie outside of its scanout. */
export function cursorMove(tag: u32, number: u32, x: i32, y: i32): i32 {
  if (!scanoutUsable(vgpuAt(tag), number)) return CAPABILITY_FATAL;
  const cursor = scanoutAt(tag, cursorPlane(number));
  cursor.x = x;
  cursor.y = y;
  return CAPABILITY_OK;
}
