// SPDX-License-Identifier: MIT
//
// The imports of the capabilities memory and buffer: the core's own code decides; here is what stands around
// it. What is compared between two runs is what was asked and what was written, never a handle: those go on counting.

import { BUFFER_COPY_BYTES_MAX, LIST_ENTRIES_MAX, LIST_ENTRY_BYTES } from "../../../unikernel/abi/module";
import {
  bufferAppend,
  bufferBar,
  bufferCreate,
  bufferDestroy,
} from "../../../unikernel/core/vgpu/buffer";
import { bufferCopy, bufferRead, bufferWrite } from "../../../unikernel/core/vgpu/buffer_access";
import { TRANSFER, guestRead, guestWrite } from "../../../unikernel/core/vgpu/guest_memory";
import { capabilityFault, note } from "./answers";
import { chargeOf, chargeOfRows, fromModule, judged, pay, take, toModule, told } from "./carry";
import { buffersTouched } from "./rest";

export function guest_read(gpa: u64, at: u32, bytes: u32): i32 {
  take(at, bytes);
  return toModule(guestRead(0, gpa, bytes), at, bytes);
}

export function guest_write(gpa: u64, at: u32, bytes: u32): i32 {
  take(at, bytes);
  fromModule(at, bytes);
  noteBytes(bytes);
  return told(guestWrite(0, gpa, bytes), gpa);
}

/** What the guest can find in its memory afterwards. */
function noteBytes(bytes: u32): void {
  let i: u32 = 0;
  for (; i + 8 <= bytes; i += 8) note(load<u64>(TRANSFER + i));
  for (; i < bytes; i++) note(load<u8>(TRANSFER + i));
}

function takeList(at: u32, count: u32): void {
  if (count > <u32>LIST_ENTRIES_MAX) capabilityFault();
  take(at, count * LIST_ENTRY_BYTES);
  fromModule(at, count * LIST_ENTRY_BYTES);
}

export function buffer_create(list: u32, count: u32): u32 {
  takeList(list, count);
  buffersTouched();
  return judged(bufferCreate(0, count));
}

export function buffer_append(buffer: u32, list: u32, count: u32): i32 {
  takeList(list, count);
  buffersTouched();
  return judged(bufferAppend(0, buffer, count));
}

export function buffer_bar(bar: u32, offset: u64, bytes: u64): u32 {
  pay(chargeOf(0));
  buffersTouched();
  return judged(bufferBar(0, bar, offset, bytes));
}

export function buffer_destroy(buffer: u32): i32 {
  pay(chargeOf(0));
  buffersTouched();
  return judged(bufferDestroy(0, buffer));
}

export function buffer_read(buffer: u32, offset: u64, at: u32, bytes: u32): i32 {
  take(at, bytes);
  return toModule(bufferRead(0, buffer, offset, bytes), at, bytes);
}

export function buffer_write(buffer: u32, offset: u64, at: u32, bytes: u32): i32 {
  take(at, bytes);
  fromModule(at, bytes);
  noteBytes(bytes);
  return told(bufferWrite(0, buffer, offset, bytes), offset);
}

export function buffer_copy(
  dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64, src_stride: u32, row_bytes: u32, rows: u32,
): i32 {
  if (<u64>row_bytes * rows > <u64>BUFFER_COPY_BYTES_MAX || rows > <u32>BUFFER_COPY_BYTES_MAX) capabilityFault();
  pay(chargeOfRows(row_bytes, rows));
  const answer = bufferCopy(0, dst, dst_offset, dst_stride, src, src_offset, src_stride, row_bytes, rows);
  return told(answer, dst_offset ^ rotl<u64>(src_offset, 21) ^ rotl<u64>(row_bytes, 42) ^ rotl<u64>(rows, 11));
}
