// SPDX-License-Identifier: MIT
//
// Reading, writing and copying what buffers speak of: an offset becomes a piece, a piece an address of the guest, and
// the shim copies between private memory and the guest, or within the guest, up to the end of the piece. Ranges are
// checked as a whole before the first byte moves. A page that the guest has taken away in between ends the work there.

import { CAPABILITY_OK, TRANSFER_BYTES_MAX } from "../../abi/module";
import { CAPABILITY_FATAL, SHIM_GUEST_COPY_BYTES_MAX, shim_guest_copy, shim_guest_read, shim_guest_write }
  from "../../abi/shim";
import { BUFFER_COPY_BYTES, PAGE_SHIFT } from "../limits";
import { barAt } from "./bar";
import { BUFFER_LIST, Buffer, bufferFind, mayUseBuffers } from "./buffer";
import { TRANSFER, refusedBy } from "./guest_memory";
import { pieceAt } from "./pieces";
import { Vgpu, vgpuAt } from "./vgpu";

/** Set by bufferLocate: where the byte is in the guest, and how many follow it there without a break. */
export let locatedGpa: u64 = 0;
export let locatedBytes: u64 = 0;

/** Byte `offset` of the buffer, which is below its end; false: nothing is behind it now (a BAR without its pages). */
export function bufferLocate(vgpu: Vgpu, buffer: Buffer, offset: u64): bool {
  if (buffer.bar != BUFFER_LIST) return locateInBar(vgpu, buffer, offset);
  let low: u32 = 0;
  let high = buffer.pieces;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (pieceAt(vgpu.index, buffer.first + middle).start <= offset) low = middle;
    else high = middle;
  }
  const piece = pieceAt(vgpu.index, buffer.first + low);
  const end = low + 1 == buffer.pieces ? buffer.bytes : pieceAt(vgpu.index, buffer.first + low + 1).start;
  locatedGpa = piece.gpa + (offset - piece.start);
  locatedBytes = end - offset;
  return true;
}

function locateInBar(vgpu: Vgpu, buffer: Buffer, offset: u64): bool {
  const bar = barAt(vgpu.index, buffer.bar);
  locatedGpa = (bar.ram_gfn << PAGE_SHIFT) + buffer.offset + offset;
  locatedBytes = buffer.bytes - offset;
  return bar.ram_pages != 0;
}

/** All `bytes` from `offset` lie in the buffer; no sum of a module's numbers is made. */
@inline
export function bufferHolds(buffer: Buffer, offset: u64, bytes: u64): bool {
  return offset <= buffer.bytes && bytes <= buffer.bytes - offset;
}

/** The same for rows; the product is below 2^48, what is left is not negative. */
export function holdsRows(buffer: Buffer, offset: u64, stride: u32, row_bytes: u32, rows: u32): bool {
  if (rows == 0 || row_bytes == 0) return offset <= buffer.bytes;
  const last = <u64>(rows - 1) * stride;
  return bufferHolds(buffer, offset, last) && bufferHolds(buffer, offset + last, row_bytes);
}

export function bufferRead(tag: u32, handle: u32, offset: u64, length: u32): i32 {
  return transfer(vgpuAt(tag), handle, offset, length, false);
}

export function bufferWrite(tag: u32, handle: u32, offset: u64, length: u32): i32 {
  return transfer(vgpuAt(tag), handle, offset, length, true);
}

function transfer(vgpu: Vgpu, handle: u32, offset: u64, length: u32, into_guest: bool): i32 {
  const buffer = mayUseBuffers(vgpu) && length <= <u32>TRANSFER_BYTES_MAX ? bufferFind(vgpu, handle) : null;
  if (buffer == null) return CAPABILITY_FATAL;
  if (!bufferHolds(buffer, offset, length)) return refusedBy(vgpu);
  for (let done: u32 = 0; done < length; ) {
    if (!bufferLocate(vgpu, buffer, offset + done)) return refusedBy(vgpu);
    const count = <u32>min<u64>(length - done, locatedBytes);
    const ours = <u32>TRANSFER + done;
    const result = into_guest
      ? shim_guest_write(vgpu.domid, locatedGpa, ours, count)
      : shim_guest_read(vgpu.domid, locatedGpa, ours, count);
    if (result < 0) return refusedBy(vgpu);
    done += count;
  }
  return CAPABILITY_OK;
}

export function bufferCopy(
  tag: u32, dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64, src_stride: u32, row_bytes: u32,
  rows: u32,
): i32 {
  const vgpu = vgpuAt(tag);
  if (!mayUseBuffers(vgpu) || rows > BUFFER_COPY_BYTES || <u64>row_bytes * rows > BUFFER_COPY_BYTES) {
    return CAPABILITY_FATAL;
  }
  const to = bufferFind(vgpu, dst);
  const from = bufferFind(vgpu, src);
  if (to == null || from == null) return CAPABILITY_FATAL;
  if (!holdsRows(to, dst_offset, dst_stride, row_bytes, rows)) return refusedBy(vgpu);
  if (!holdsRows(from, src_offset, src_stride, row_bytes, rows)) return refusedBy(vgpu);
  for (let row: u32 = 0; row < rows; row++) {
    const to_at = dst_offset + <u64>row * dst_stride;
    const from_at = src_offset + <u64>row * src_stride;
    if (!copyRow(vgpu, to, to_at, from, from_at, row_bytes)) return refusedBy(vgpu);
  }
  return CAPABILITY_OK;
}

function copyRow(vgpu: Vgpu, to: Buffer, to_at: u64, from: Buffer, from_at: u64, bytes: u32): bool {
  for (let done: u32 = 0; done < bytes; ) {
    if (!bufferLocate(vgpu, from, from_at + done)) return false;
    const source = locatedGpa;
    let count = min<u64>(min<u64>(bytes - done, locatedBytes), SHIM_GUEST_COPY_BYTES_MAX);
    if (!bufferLocate(vgpu, to, to_at + done)) return false;
    count = min<u64>(count, locatedBytes);
    if (shim_guest_copy(vgpu.domid, locatedGpa, source, <u32>count) < 0) return false;
    done += <u32>count;
  }
  return true;
}
