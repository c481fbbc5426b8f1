// SPDX-License-Identifier: MIT
//
// The copy engine's side of a workload: rows from one buffer of a vGPU into another, a reach at a time. Handles are
// looked up anew each time, so a buffer that is gone ends the work instead of being written to.

import { SHIM_GUEST_COPY_BYTES_MAX, shim_guest_copy } from "../../abi/shim";
import { ENGINES_MAX, SCHED_VGPUS_MAX, WORKLOADS_MAX } from "../sched/size";
import { bufferFind } from "../vgpu/buffer";
import { bufferLocate, locatedBytes, locatedGpa } from "../vgpu/buffer_access";
import { Vgpu } from "../vgpu/vgpu";

/** What is to be copied; no rows: a fence. By the workload's number (sched/workload.ts). */
@unmanaged
export class Copy {
  dst: u32;
  src: u32;
  dst_stride: u32;
  src_stride: u32;
  dst_offset: u64;
  src_offset: u64;
  row_bytes: u32;
  rows: u32;
  row: u32; // the next byte to copy: row, and column in it
  column: u32;
}
const COPY_BYTES: u32 = 48;

const TABLE: usize = memory.data(ENGINES_MAX * SCHED_VGPUS_MAX * WORKLOADS_MAX * COPY_BYTES, 8);

export const COPY_MORE: u32 = 0;
export const COPY_DONE: u32 = 1;
export const COPY_FAILED: u32 = 2;

export function copyAt(slot: u32): Copy {
  if (offsetof<Copy>() > COPY_BYTES) ERROR("COPY_BYTES");
  return changetype<Copy>(TABLE + slot * COPY_BYTES);
}

/** Nothing to do yet: a fence. */
export function copyNothing(copy: Copy): void {
  copy.rows = 0;
  copy.row = 0;
  copy.column = 0;
}

/** Rows that lie one behind the other on both sides are one long row, which takes fewer reaches. */
export function copyRows(
  copy: Copy, dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64, src_stride: u32, row_bytes: u32,
  rows: u32,
): void {
  const bytes = <u64>row_bytes * rows;
  const whole = row_bytes == dst_stride && row_bytes == src_stride && bytes <= u32.MAX_VALUE;
  copy.dst = dst;
  copy.src = src;
  copy.dst_stride = dst_stride;
  copy.src_stride = src_stride;
  copy.dst_offset = dst_offset;
  copy.src_offset = src_offset;
  copy.row_bytes = whole ? <u32>bytes : row_bytes;
  copy.rows = bytes == 0 ? 0 : whole ? 1 : rows;
}

/** Of the last copyReach(). */
export let copiedBytes: u32 = 0;

/** One reach into the guest: up to the end of the row, of `most`, or of what lies in one piece on both sides. */
export function copyReach(vgpu: Vgpu, copy: Copy, most: u32): u32 {
  copiedBytes = 0;
  if (copy.row == copy.rows) return COPY_DONE;
  const from = bufferFind(vgpu, copy.src);
  const to = bufferFind(vgpu, copy.dst);
  if (from == null || to == null) return COPY_FAILED;
  if (!bufferLocate(vgpu, from, copy.src_offset + <u64>copy.row * copy.src_stride + copy.column)) return COPY_FAILED;
  const source = locatedGpa;
  const left = min<u32>(min<u32>(copy.row_bytes - copy.column, most), SHIM_GUEST_COPY_BYTES_MAX);
  let count = <u32>min<u64>(left, locatedBytes);
  if (!bufferLocate(vgpu, to, copy.dst_offset + <u64>copy.row * copy.dst_stride + copy.column)) return COPY_FAILED;
  count = <u32>min<u64>(count, locatedBytes);
  if (shim_guest_copy(vgpu.domid, locatedGpa, source, count) < 0) return COPY_FAILED;
  step(copy, count);
  copiedBytes = count;
  return copy.row == copy.rows ? COPY_DONE : COPY_MORE;
}

function step(copy: Copy, count: u32): void {
  copy.column += count;
  if (copy.column < copy.row_bytes) return;
  copy.column = 0;
  copy.row++;
}
