// SPDX-License-Identifier: MIT
//
// The capability work, judged as unikernel/core/work/work.ts judges them, and the engine behind them:
// workloads end in their order, when the input says that the engine goes on (records call-work-done and time).

import { CAPABILITY_BUSY, CAPABILITY_OK, CAPABILITY_REFUSED, ENGINE_COPY, WORK_FAILED, WORK_OK }
  from "../../../unikernel/abi/module";
import { CAPABILITY_FATAL } from "../../../unikernel/abi/shim";
import { WORKLOADS_MAX } from "../../../unikernel/core/sched/size";
import { bufferFind } from "../../../unikernel/core/vgpu/buffer";
import { holdsRows } from "../../../unikernel/core/vgpu/buffer_access";
import { vgpuAt } from "../../../unikernel/core/vgpu/vgpu";
import { COPY_FAILED, COPY_MORE, Copy, copyAt, copyNothing, copyReach, copyRows }
  from "../../../unikernel/core/work/copy";
import { noted } from "./answers";
import { workloadsPromised } from "./setup";

/** Reaches into the guest of one record: some MiB. A longer copy goes on at the next. */
const REACHES: u32 = 128;

const COOKIES: usize = memory.data(WORKLOADS_MAX * 8, 8);
let first: u32 = 0;
let count: u32 = 0;

/** Set by workGoesOn. */
export let doneCookie: u64 = 0;
export let doneStatus: u32 = 0;

export function workForget(): void {
  count = 0;
}

export function workCopy(
  engine: u32, cookie: u64, dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64, src_stride: u32,
  row_bytes: u32, rows: u32,
): i32 {
  const vgpu = vgpuAt(0);
  const to = bufferFind(vgpu, dst);
  const from = bufferFind(vgpu, src);
  if (engine != ENGINE_COPY || to == null || from == null) return CAPABILITY_FATAL;
  const what = copyOf(dst_offset, src_offset, row_bytes, rows);
  if (!holdsRows(to, dst_offset, dst_stride, row_bytes, rows)) return noted(CAPABILITY_REFUSED, what);
  if (!holdsRows(from, src_offset, src_stride, row_bytes, rows)) return noted(CAPABILITY_REFUSED, what);
  const copy = submit(cookie);
  if (copy == null) return noted(CAPABILITY_BUSY, what);
  copyRows(copy, dst, dst_offset, dst_stride, src, src_offset, src_stride, row_bytes, rows);
  return noted(CAPABILITY_OK, what);
}

/** What a guest can see of a copy. Never the cookie: the module's own name for it may go on counting over a reset. */
@inline
export function copyOf(dst_offset: u64, src_offset: u64, row_bytes: u32, rows: u32): u64 {
  return dst_offset ^ rotl<u64>(src_offset, 21) ^ rotl<u64>(row_bytes, 42) ^ rotl<u64>(rows, 11);
}

const FENCE: u64 = 1;

export function workFence(engine: u32, cookie: u64): i32 {
  if (engine != ENGINE_COPY) return CAPABILITY_FATAL;
  return noted(submit(cookie) == null ? CAPABILITY_BUSY : CAPABILITY_OK, FENCE);
}

/** A place in the queue, nothing to copy yet; null: as many wait as the module promised. */
function submit(cookie: u64): Copy | null {
  if (count >= min<u32>(workloadsPromised(), WORKLOADS_MAX)) return null;
  const slot = (first + count++) % WORKLOADS_MAX;
  store<u64>(COOKIES + slot * 8, cookie);
  const copy = copyAt(slot);
  copyNothing(copy);
  return copy;
}

export function workWaits(): bool {
  return count != 0;
}

/** The engine works on the oldest; true: it is over, and how stands in doneCookie and doneStatus. */
export function workGoesOn(): bool {
  if (count == 0) return false;
  let end = COPY_MORE;
  for (let i: u32 = 0; i < REACHES && end == COPY_MORE; i++) end = copyReach(vgpuAt(0), copyAt(first), u32.MAX_VALUE);
  if (end == COPY_MORE) return false;
  over(end == COPY_FAILED ? WORK_FAILED : WORK_OK);
  return true;
}

/** The oldest leaves the queue like this. */
export function over(result: u32): void {
  doneCookie = load<u64>(COOKIES + first * 8);
  doneStatus = result;
  first = (first + 1) % WORKLOADS_MAX;
  count--;
}
