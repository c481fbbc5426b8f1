// SPDX-License-Identifier: MIT
//
// What the core exports (native/include/shim.h, core_*). Every event comes in by one of these functions, and each does
// a bounded piece of work.

import { XENSTORE_BUFFER, controlMessage, controlPump } from "./control/control";
import { requestWork } from "./control/request";
import { start } from "./control/start";
import { scanoutFlush, scanoutSet } from "./display/scanout";
import { saveChanges } from "./restart/save";
import { onIoreq } from "./trap/ioreq";
import { irqRaise } from "./vgpu/irq";
import { paramValue } from "./vgpu/param";
import { LOG_BUFFER, talk } from "./vgpu/talk";
import { vgpuAt } from "./vgpu/vgpu";

export function on_start(): void {
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
  controlPump();
  saveChanges();
}

export function on_idle(): u32 {
  controlPump();
  const more: u32 = requestWork() ? 1 : 0;
  saveChanges();
  return more;
}

export function xenstore_buffer(): u32 {
  return <u32>XENSTORE_BUFFER;
}

export function log_buffer(): u32 {
  return <u32>LOG_BUFFER;
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

export function log(tag: u32, len: u32): i32 {
  return talk(tag, len);
}

export function param(tag: u32, key: u32): u64 {
  return paramValue(vgpuAt(tag), key);
}
