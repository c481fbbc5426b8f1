// SPDX-License-Identifier: MIT
//
// What the core exports (native/include/shim.h, core_*). Every event comes in by one of these functions, and each does
// a bounded piece of work.

import { IDLE_DONE, IDLE_MORE, IDLE_POLLS } from "../abi/shim";
import { XENSTORE_BUFFER, controlMessage, controlPump } from "./control/control";
import { requestWork } from "./control/request";
import { start } from "./control/start";
import { cursorMove, cursorSet } from "./display/cursor";
import { scanoutFlush, scanoutSet, scanoutSetBuffer } from "./display/scanout";
import { saveChanges } from "./restart/save";
import { timerRang } from "./timer";
import { onIoreq } from "./trap/ioreq";
import { bufferAppend, bufferBar, bufferCreate, bufferDestroy } from "./vgpu/buffer";
import { bufferCopy, bufferRead, bufferWrite } from "./vgpu/buffer_access";
import { TRANSFER, guestRead, guestWrite } from "./vgpu/guest_memory";
import { irqRaise } from "./vgpu/irq";
import { paramValue } from "./vgpu/param";
import { poll as pollFor, pollWork } from "./vgpu/poll";
import { quarantineTime } from "./vgpu/quarantine";
import { LOG_BUFFER, talk } from "./vgpu/talk";
import { vgpuAt } from "./vgpu/vgpu";
import { workCopy, workFence, workSlice, workStart, workTime } from "./work/work";

export function on_start(): void {
  workStart();
  start();
  saveChanges();
}

export function on_ioreq(
  tag: u32, vcpu: u32, type: u32, flags: u32, addr: u64, data: u64, count: u32, size: u32,
): u64 {
  const answer = onIoreq(tag, type, flags, addr, data, count, size);
  saveChanges();
  return answer;
}

export function on_xenstore(type: u32, req_id: u32, len: u32): void {
  controlMessage(type, req_id, len);
  saveChanges();
}

export function on_timer(): void {
  timerRang();
  workTime();
  quarantineTime();
  controlPump();
  saveChanges();
}

export function on_idle(): u32 {
  const request = requestWork();
  const polls = pollWork();
  const more = workSlice() || request; // behind the polls: who finds work there must not wait for the next event
  controlPump(); // behind all that may lose a vGPU: perhaps no event comes that would tell of it
  saveChanges();
  return more ? IDLE_MORE : polls ? IDLE_POLLS : IDLE_DONE;
}

export function xenstore_buffer(): u32 {
  return <u32>XENSTORE_BUFFER;
}

export function log_buffer(): u32 {
  return <u32>LOG_BUFFER;
}

export function transfer_buffer(): u32 {
  return <u32>TRANSFER;
}

// --- for modules; tag is the index of the vGPU ---

export function irq_raise(tag: u32, vector: u32): i32 {
  return irqRaise(tag, vector);
}

export function scanout_set(
  tag: u32, scanout: u32, bar: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  return scanoutSet(tag, scanout, bar, offset, width, height, stride, format);
}

export function scanout_flush(tag: u32, scanout: u32, x: u32, y: u32, width: u32, height: u32): i32 {
  return scanoutFlush(tag, scanout, x, y, width, height);
}

export function scanout_set_buffer(
  tag: u32, scanout: u32, buffer: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  return scanoutSetBuffer(tag, scanout, buffer, offset, width, height, stride, format);
}

export function cursor_set(
  tag: u32, scanout: u32, buffer: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  return cursorSet(tag, scanout, buffer, offset, width, height, stride, format);
}

export function cursor_move(tag: u32, scanout: u32, x: i32, y: i32): i32 {
  return cursorMove(tag, scanout, x, y);
}

export function guest_read(tag: u32, gpa: u64, len: u32): i32 {
  return guestRead(tag, gpa, len);
}

export function guest_write(tag: u32, gpa: u64, len: u32): i32 {
  return guestWrite(tag, gpa, len);
}

export function buffer_create(tag: u32, count: u32): i32 {
  return bufferCreate(tag, count);
}

export function buffer_append(tag: u32, buffer: u32, count: u32): i32 {
  return bufferAppend(tag, buffer, count);
}

export function buffer_bar(tag: u32, bar: u32, offset: u64, bytes: u64): i32 {
  return bufferBar(tag, bar, offset, bytes);
}

export function work_copy(
  tag: u32, engine: u32, cookie: u64, dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64,
  src_stride: u32, row_bytes: u32, rows: u32,
): i32 {
  return workCopy(tag, engine, cookie, dst, dst_offset, dst_stride, src, src_offset, src_stride, row_bytes, rows);
}

export function work_fence(tag: u32, engine: u32, cookie: u64): i32 {
  return workFence(tag, engine, cookie);
}

export function buffer_destroy(tag: u32, buffer: u32): i32 {
  return bufferDestroy(tag, buffer);
}

export function buffer_read(tag: u32, buffer: u32, offset: u64, len: u32): i32 {
  return bufferRead(tag, buffer, offset, len);
}

export function buffer_write(tag: u32, buffer: u32, offset: u64, len: u32): i32 {
  return bufferWrite(tag, buffer, offset, len);
}

export function buffer_copy(
  tag: u32, dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64, src_stride: u32, row_bytes: u32,
  rows: u32,
): i32 {
  return bufferCopy(tag, dst, dst_offset, dst_stride, src, src_offset, src_stride, row_bytes, rows);
}

export function poll(tag: u32, ns: u64): i32 {
  return pollFor(tag, ns);
}

export function log(tag: u32, len: u32): i32 {
  return talk(tag, len);
}

export function param(tag: u32, key: u32): u64 {
  return paramValue(vgpuAt(tag), key);
}
