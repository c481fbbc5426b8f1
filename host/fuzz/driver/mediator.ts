// SPDX-License-Identifier: MIT
//
// The mediator of the second rig: the driver's rules without the driver, as a core (the exports of
// unikernel/abi/shim.ts, which the shim calls for a module's imports). V8 runs it as it is (native/reference.ts), in C
// it is wasm2c's, so both sides of the comparison have the same guest memory, buffers, engine and answers, and only the
// module and the shim around it differ.
//
// Whoever runs a trace asks rig_record for each record, then rig_call which entry point is to be called, until none is.

import { EVENT_POLL, WORK_CANCELLED } from "../../../unikernel/abi/module";
import {
  BAR_KIND,
  BAR_KIND_TRAP,
  BAR_NO_SIZE_PARAM,
  BAR_SIZE_BYTES,
  BAR_SIZE_PARAM,
  MANIFEST_BARS,
  MANIFEST_BAR_BYTES,
  MANIFEST_FUEL,
  MANIFEST_INTX_PIN,
  MANIFEST_MSIX_VECTORS,
  MANIFEST_MSI_VECTORS,
  MANIFEST_PARAMS,
  MANIFEST_PARAM_BYTES,
  MANIFEST_SCANOUTS,
  PARAM_DEFAULT,
} from "../../../unikernel/abi/manifest";
import {
  ENTRY_BAR_READ,
  ENTRY_BAR_WRITE,
  ENTRY_EVENT,
  ENTRY_RESET,
  ENTRY_WORK_DONE,
  SHIM_LOG_BYTES_MAX,
} from "../../../unikernel/abi/shim";
import { bufferRead } from "../../../unikernel/core/vgpu/buffer_access";
import { TRANSFER, guestRead } from "../../../unikernel/core/vgpu/guest_memory";
import { answersHash, answersReset, note } from "./answers";
import { irqAnswer, irqRaise } from "./irq";
import { listAppend, listCopy, listCreate, listDestroy, listOfBar, listWrite, memoryWrite } from "./memory";
import { isPolling, poll as pollFor, pollComes, timePasses } from "./poll";
import { guestStores, guestStoresLater } from "./ram";
import { restForget, restNew, restRestore, restSave } from "./rest";
import { cursorMove, cursorSet, scanoutFlush, scanoutSet, scanoutSetBuffer } from "./scanout";
import {
  BARS, MANIFEST_AT, PARAMS_MAX, barBytes, barsAt, isTrapBar, limitsAt, paramOf, paramsAt,
} from "./setup";
import { doneCookie, doneStatus, over, workCopy, workFence, workGoesOn, workWaits } from "./work";

const RAM_BYTES: u32 = 256 << 20; // GUEST_RAM_BYTES of host/fuzz/module/instance.ts
const XENSTORE_BYTES: u32 = 4096;
const ASKED_LOG: u64 = 0x4 << 56;

// --- what the shim tells a core: nothing of it here ---

export function on_start(): void {}
export function on_ioreq(
  _tag: u32, _vcpu: u32, _type: u32, _flags: u32, _addr: u64, _data: u64, _count: u32, _size: u32,
): u64 { return 0; }
export function on_xenstore(_type: u32, _req_id: u32, _len: u32): void {}
export function on_timer(): void {}
export function on_idle(): u32 { return 0; }

const XENSTORE: usize = memory.data(XENSTORE_BYTES, 16);
const LOG: usize = memory.data(SHIM_LOG_BYTES_MAX, 16);
export function xenstore_buffer(): u32 { return <u32>XENSTORE; }
export function log_buffer(): u32 { return <u32>LOG; }
export function transfer_buffer(): u32 { return <u32>TRANSFER; }

// --- imports of the module; FATAL: the call ends there ---

export function param(_tag: u32, key: u32): u64 { return paramOf(key); }
export function irq_raise(_tag: u32, vector: u32): i32 { return irqRaise(vector); }
export function poll(_tag: u32, ns: u64): i32 { return pollFor(ns); }

export function log(_tag: u32, bytes: u32): i32 {
  note(ASKED_LOG | bytes);
  return 0;
}

export function scanout_set(
  _tag: u32, scanout: u32, bar: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  return scanoutSet(scanout, bar, offset, width, height, stride, format);
}

export function scanout_set_buffer(
  _tag: u32, scanout: u32, buffer: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  return scanoutSetBuffer(scanout, buffer, offset, width, height, stride, format);
}

export function scanout_flush(_tag: u32, scanout: u32, x: u32, y: u32, width: u32, height: u32): i32 {
  return scanoutFlush(scanout, x, y, width, height);
}

export function cursor_set(
  _tag: u32, scanout: u32, buffer: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32 {
  return cursorSet(scanout, buffer, offset, width, height, stride, format);
}

export function cursor_move(_tag: u32, scanout: u32, x: u32, y: u32): i32 { return cursorMove(scanout, x, y); }
export function guest_read(_tag: u32, gpa: u64, bytes: u32): i32 { return guestRead(0, gpa, bytes); }
export function guest_write(_tag: u32, gpa: u64, bytes: u32): i32 { return memoryWrite(gpa, bytes); }
export function buffer_create(_tag: u32, count: u32): i32 { return listCreate(count); }
export function buffer_append(_tag: u32, buffer: u32, count: u32): i32 { return listAppend(buffer, count); }
export function buffer_bar(_tag: u32, bar: u32, offset: u64, bytes: u64): i32 { return listOfBar(bar, offset, bytes); }
export function buffer_destroy(_tag: u32, buffer: u32): i32 { return listDestroy(buffer); }

export function buffer_read(_tag: u32, buffer: u32, offset: u64, bytes: u32): i32 {
  return bufferRead(0, buffer, offset, bytes);
}

export function buffer_write(_tag: u32, buffer: u32, offset: u64, bytes: u32): i32 {
  return listWrite(buffer, offset, bytes);
}

export function buffer_copy(
  _tag: u32, dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64, src_stride: u32, row_bytes: u32,
  rows: u32,
): i32 {
  return listCopy(dst, dst_offset, dst_stride, src, src_offset, src_stride, row_bytes, rows);
}

export function work_copy(
  _tag: u32, engine: u32, cookie: u64, dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64,
  src_stride: u32, row_bytes: u32, rows: u32,
): i32 {
  return workCopy(engine, cookie, dst, dst_offset, dst_stride, src, src_offset, src_stride, row_bytes, rows);
}

export function work_fence(_tag: u32, engine: u32, cookie: u64): i32 { return workFence(engine, cookie); }

// --- the rig ---

/** Where the packer's binary manifest goes, before all else; and the values of a trace's parameters, u64 each. */
export function rig_manifest(): u32 { return <u32>MANIFEST_AT; }
export function rig_params(): u32 { return <u32>paramsAt(); }
export function rig_budget(entry: u32): u32 { return load<u32>(MANIFEST_AT + MANIFEST_FUEL + 4 * entry); }
export function rig_answers(): u64 { return answersHash(); }

/** A vGPU that is new; `given`: the parameters' values were put there, else they are the manifest's. */
export function rig_begin(given: u32): void {
  for (let i: u32 = 0; i < PARAMS_MAX && given == 0; i++) {
    const usual = MANIFEST_AT + MANIFEST_PARAMS + i * MANIFEST_PARAM_BYTES + PARAM_DEFAULT;
    store<u64>(paramsAt() + 8 * i, load<u64>(usual));
  }
  sizeBars();
  const msi = <u32>load<u16>(MANIFEST_AT + MANIFEST_MSI_VECTORS);
  const msix = <u32>load<u16>(MANIFEST_AT + MANIFEST_MSIX_VECTORS);
  const intx: u32 = load<u8>(MANIFEST_AT + MANIFEST_INTX_PIN) != 0 ? 1 : 0;
  store<u32>(limitsAt(), load<u32>(MANIFEST_AT + MANIFEST_SCANOUTS));
  store<u32>(limitsAt() + 4, max(max(msi, msix), intx));
  store<u32>(limitsAt() + 12, RAM_BYTES);
  restNew();
  answersReset();
}

function sizeBars(): void {
  for (let i: u32 = 0; i < BARS; i++) {
    const bar = MANIFEST_AT + MANIFEST_BARS + i * MANIFEST_BAR_BYTES;
    const key = load<u8>(bar + BAR_SIZE_PARAM);
    const bytes = key == BAR_NO_SIZE_PARAM ? load<u64>(bar + BAR_SIZE_BYTES) : paramOf(key);
    store<u32>(barsAt() + i * 16, load<u8>(bar + BAR_KIND));
    store<u64>(barsAt() + i * 16 + 8, bytes);
  }
}

/** It is attached: so it is before a trace. */
export function rig_ready(): void {
  restSave();
  restRestore();
  answersReset();
}

// --- records, as calls of entry points ---

// Kinds of docs/TRACE.md.
const CALL_RESET: u32 = 0xc1;
const CALL_READ: u32 = 0xc2;
const CALL_WRITE: u32 = 0xc3;
const CALL_EVENT: u32 = 0xc4;
const CALL_WORK_DONE: u32 = 0xc5;
const MEMORY: u32 = 0xd0;
const TIME: u32 = 0xd1;
const ANSWERS: u32 = 0xd3;
const MEMORY_LATER: u32 = 0xd4;

/** What is still to be done for this record, in this order. */
const STEP_READ: u32 = 1 << 0;
const STEP_WRITE: u32 = 1 << 1;
const STEP_EVENT: u32 = 1 << 2;
const STEP_CANCEL: u32 = 1 << 3;
const STEP_RESET: u32 = 1 << 4;
const STEP_ENGINE: u32 = 1 << 5;
const STEP_POLL: u32 = 1 << 6;
const NONE: u32 = 0xffffffff;

let steps: u32 = 0;
let reading: u32 = 0; // bytes of a read whose answer is to be noted
let poll_over: bool = false;
const ARGUMENTS: usize = memory.data(32, 8);

function enter(entry: u32, a: u64, b: u64, c: u64, d: u64): u32 {
  store<u64>(ARGUMENTS, a);
  store<u64>(ARGUMENTS, b, 8);
  store<u64>(ARGUMENTS, c, 16);
  store<u64>(ARGUMENTS, d, 24);
  return entry;
}

export function rig_argument(i: u32): u64 { return load<u64>(ARGUMENTS + 8 * (i & 3)); }

function isAccess(bar: u32, size: u32, addr: u64): bool {
  if (bar >= BARS || !isTrapBar(bar) || size - 1 > 7 || (size & (size - 1)) != 0) return false;
  const bytes = barBytes(bar);
  return addr < bytes && size <= bytes - addr;
}

export function rig_record(kind: u32, bar: u32, size: u32, count: u32, addr: u64, data: u64): void {
  steps = 0;
  reading = 0;
  poll_over = false;
  switch (kind) {
    case CALL_READ:
    case CALL_WRITE:
      if (isAccess(bar, size, addr)) steps = kind == CALL_READ ? STEP_READ : STEP_WRITE;
      enter(NONE, bar, addr, size, data);
      return;
    case CALL_RESET:
      steps = STEP_CANCEL | STEP_RESET;
      return;
    case CALL_EVENT:
      steps = addr == EVENT_POLL ? STEP_POLL : STEP_EVENT;
      poll_over = (data & 1) != 0;
      enter(NONE, <u32>addr, data, 0, 0);
      return;
    case CALL_WORK_DONE:
      steps = STEP_ENGINE;
      return;
    case MEMORY: return guestStores(addr, data, size, count);
    case MEMORY_LATER: return guestStoresLater(addr, data, size, bar);
    case TIME:
      timePasses(addr);
      steps = STEP_ENGINE | STEP_POLL;
      return;
    case ANSWERS: return irqAnswer(<u32>addr);
    default: return;
  }
}

/** The next entry point to be called for this record, its arguments at rig_argument; NONE: it is done with. */
export function rig_call(): u32 {
  while (steps != 0) {
    const entry = nextOf(steps & (0 - steps));
    if (entry != NONE) return entry;
  }
  return NONE;
}

function nextOf(step: u32): u32 {
  if (step == STEP_CANCEL && workWaits()) {
    over(WORK_CANCELLED);
    return workDone();
  }
  steps &= ~step;
  switch (step) {
    case STEP_READ:
      reading = <u32>rig_argument(2);
      return ENTRY_BAR_READ;
    case STEP_WRITE: return ENTRY_BAR_WRITE;
    case STEP_EVENT: return rig_budget(ENTRY_EVENT) != 0 ? <u32>ENTRY_EVENT : NONE;
    case STEP_RESET:
      restForget();
      return enter(ENTRY_RESET, 0, 0, 0, 0);
    case STEP_ENGINE: return workGoesOn() ? workDone() : NONE;
    case STEP_POLL:
      if (!isPolling()) return NONE;
      enter(NONE, EVENT_POLL, pollComes(poll_over), 0, 0);
      return rig_budget(ENTRY_EVENT) != 0 ? <u32>ENTRY_EVENT : NONE;
    default: return NONE;
  }
}

/** A module that gives `work_done` no fuel does not want to hear. */
function workDone(): u32 {
  if (rig_budget(ENTRY_WORK_DONE) == 0) return NONE;
  return enter(ENTRY_WORK_DONE, doneCookie, doneStatus, 0, 0);
}

/** How the call ended that rig_call wanted. */
export function rig_answered(value: u64): void {
  if (reading != 0) note(value & (u64.MAX_VALUE >> (64 - (reading << 3))));
  reading = 0;
}
