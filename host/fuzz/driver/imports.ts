// SPDX-License-Identifier: MIT
//
// The module's imports as the driver serves them: what only a broken module can ask for ends the call, then fuel, then
// the rules (irq, scanout, memory, work). Bytes go by way of the core's transfer buffer (carry.ts).

import { BUFFER_COPY_BYTES_MAX, LIST_ENTRIES_MAX, LIST_ENTRY_BYTES } from "../../../unikernel/abi/module";
import { bufferRead } from "../../../unikernel/core/vgpu/buffer_access";
import { guestRead } from "../../../unikernel/core/vgpu/guest_memory";
import { capabilityFault } from "./answers";
import { chargeOf, chargeOfRows, fromModule, judged, pay, take, toModule } from "./carry";
import { irqRaise } from "./irq";
import { listAppend, listCopy, listCreate, listDestroy, listOfBar, listWrite, memoryWrite } from "./memory";
import { cursorMove, cursorSet, scanoutFlush, scanoutSet, scanoutSetBuffer } from "./scanout";
import { workCopy, workFence } from "./work";

export function irq_raise(vector: u32): i32 {
  return judged(irqRaise(vector));
}

export function scanout_set(
  scanout: u32, bar: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  return judged(scanoutSet(scanout, bar, offset, width, height, stride, format));
}

export function scanout_set_buffer(
  scanout: u32, buffer: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  return judged(scanoutSetBuffer(scanout, buffer, offset, width, height, stride, format));
}

export function scanout_flush(scanout: u32, x: u32, y: u32, width: u32, height: u32): i32 {
  return judged(scanoutFlush(scanout, x, y, width, height));
}

export function cursor_set(
  scanout: u32, buffer: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  return judged(cursorSet(scanout, buffer, offset, width, height, stride, format));
}

export function cursor_move(scanout: u32, x: u32, y: u32): i32 {
  return judged(cursorMove(scanout, x, y));
}

export function guest_read(gpa: u64, at: u32, bytes: u32): i32 {
  take(at, bytes);
  return toModule(guestRead(0, gpa, bytes), at, bytes);
}

export function guest_write(gpa: u64, at: u32, bytes: u32): i32 {
  take(at, bytes);
  fromModule(at, bytes);
  return judged(memoryWrite(gpa, bytes));
}

function takeList(at: u32, count: u32): void {
  if (count > <u32>LIST_ENTRIES_MAX) capabilityFault();
  take(at, count * LIST_ENTRY_BYTES);
  fromModule(at, count * LIST_ENTRY_BYTES);
}

export function buffer_create(list: u32, count: u32): u32 {
  takeList(list, count);
  return judged(listCreate(count));
}

export function buffer_append(buffer: u32, list: u32, count: u32): i32 {
  takeList(list, count);
  return judged(listAppend(buffer, count));
}

export function buffer_bar(bar: u32, offset: u64, bytes: u64): u32 {
  pay(chargeOf(0));
  return judged(listOfBar(bar, offset, bytes));
}

export function buffer_destroy(buffer: u32): i32 {
  pay(chargeOf(0));
  return judged(listDestroy(buffer));
}

export function buffer_read(buffer: u32, offset: u64, at: u32, bytes: u32): i32 {
  take(at, bytes);
  return toModule(bufferRead(0, buffer, offset, bytes), at, bytes);
}

export function buffer_write(buffer: u32, offset: u64, at: u32, bytes: u32): i32 {
  take(at, bytes);
  fromModule(at, bytes);
  return judged(listWrite(buffer, offset, bytes));
}

export function buffer_copy(
  dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64, src_stride: u32, row_bytes: u32, rows: u32,
): i32 {
  if (<u64>row_bytes * rows > <u64>BUFFER_COPY_BYTES_MAX || rows > <u32>BUFFER_COPY_BYTES_MAX) capabilityFault();
  pay(chargeOfRows(row_bytes, rows));
  return judged(listCopy(dst, dst_offset, dst_stride, src, src_offset, src_stride, row_bytes, rows));
}

export function work_copy(
  engine: u32, cookie: u64, dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64, src_stride: u32,
  row_bytes: u32, rows: u32,
): i32 {
  pay(chargeOf(0));
  return judged(
    workCopy(engine, cookie, dst, dst_offset, dst_stride, src, src_offset, src_stride, row_bytes, rows),
  );
}

export function work_fence(engine: u32, cookie: u64): i32 {
  pay(chargeOf(0));
  return judged(workFence(engine, cookie));
}
