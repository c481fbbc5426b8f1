// SPDX-License-Identifier: MIT
//
// The capabilities memory and buffer: the core's own code decides; here is what stands around it. Bytes that are
// carried stand in the core's transfer buffer. What is compared between two runs is what was asked and what was
// written, never a handle: those go on counting.

import {
  bufferAppend,
  bufferBar,
  bufferCreate,
  bufferDestroy,
} from "../../../unikernel/core/vgpu/buffer";
import { bufferCopy, bufferWrite } from "../../../unikernel/core/vgpu/buffer_access";
import { TRANSFER, guestWrite } from "../../../unikernel/core/vgpu/guest_memory";
import { note, noted } from "./answers";
import { buffersTouched } from "./rest";
import { copyOf } from "./work";

/** What the guest can find in its memory afterwards. */
function noteBytes(bytes: u32): void {
  let i: u32 = 0;
  for (; i + 8 <= bytes; i += 8) note(load<u64>(TRANSFER + i));
  for (; i < bytes; i++) note(load<u8>(TRANSFER + i));
}

export function memoryWrite(gpa: u64, bytes: u32): i32 {
  noteBytes(bytes);
  return noted(guestWrite(0, gpa, bytes), gpa);
}

export function listCreate(count: u32): i32 {
  buffersTouched();
  return bufferCreate(0, count);
}

export function listAppend(buffer: u32, count: u32): i32 {
  buffersTouched();
  return bufferAppend(0, buffer, count);
}

export function listOfBar(bar: u32, offset: u64, bytes: u64): i32 {
  buffersTouched();
  return bufferBar(0, bar, offset, bytes);
}

export function listDestroy(buffer: u32): i32 {
  buffersTouched();
  return bufferDestroy(0, buffer);
}

export function listWrite(buffer: u32, offset: u64, bytes: u32): i32 {
  noteBytes(bytes);
  return noted(bufferWrite(0, buffer, offset, bytes), offset);
}

export function listCopy(
  dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64, src_stride: u32, row_bytes: u32, rows: u32,
): i32 {
  const answer = bufferCopy(0, dst, dst_offset, dst_stride, src, src_offset, src_stride, row_bytes, rows);
  return noted(answer, copyOf(dst_offset, src_offset, row_bytes, rows));
}
