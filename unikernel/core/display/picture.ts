// SPDX-License-Identifier: MIT
//
// Looking at a scanout, or at its cursor, from Dom0: its CRC-32, or a part of it copied into the share. Both go through
// the rows in slices of background work, so that traps are not delayed; when the picture changes in between, the work
// ends with an error instead of one that never was.
//
//   IDLE ──start──> CRC or READ ──slice──> ... ──last slice──> IDLE, answered
//                          └── changed, lost, detached ──────> IDLE, answered with an error

import { BUFFER_NONE, FORMAT_NONE } from "../../abi/module";
import { shim_guest_crc32, shim_share_copy_guest } from "../../abi/shim";
import { SCANOUTS_PER_VGPU_MAX, SLICE_BYTES, SLICE_ROWS } from "../limits";
import { Vgpu, vgpuAt } from "../vgpu/vgpu";
import { Scanout, rowBytes, scanoutAt, scanoutAtGpa, scanoutLocate, scanoutRun } from "./scanout";

export const PICTURE_IDLE: u32 = 0;
export const PICTURE_CRC: u32 = 1;
export const PICTURE_READ: u32 = 2;

export const SLICE_MORE: i32 = 1;
export const SLICE_DONE: i32 = 0;
/** Anything below: a negated errno, or this. */
export const SLICE_CHANGED: i32 = -1000;

let work: u32 = 0; // PICTURE_IDLE; no initialiser but a literal, or there were a start function
let vgpuIndex: u32 = 0;
let plane: u32 = 0; // of a scanout, or of a cursor
let serial: u32 = 0;
let row: u32 = 0; // crc: the next row
let crc: u32 = 0;
let position: u64 = 0; // read: the next byte of the packed picture
let copied: u32 = 0;
let wanted: u32 = 0;

export function pictureWork(): u32 {
  return work;
}

export function pictureCrc(): u32 {
  return crc;
}

export function pictureVgpu(): Vgpu {
  return vgpuAt(vgpuIndex);
}

export function pictureScanout(): Scanout {
  return scanoutAt(vgpuIndex, plane);
}

export function pictureIsCursor(): bool {
  return plane >= SCANOUTS_PER_VGPU_MAX;
}

export function pictureCancel(): void {
  work = PICTURE_IDLE;
}

function start(kind: u32, vgpu: Vgpu, number: u32): void {
  work = kind;
  vgpuIndex = vgpu.index;
  plane = number;
  serial = scanoutAt(vgpu.index, number).serial;
}

/** The scanout is on and has pages behind it. */
export function pictureStartCrc(vgpu: Vgpu, number: u32): void {
  start(PICTURE_CRC, vgpu, number);
  row = 0;
  crc = 0;
}

/** `bytes` from byte `offset` of the packed picture to the beginning of the share. */
export function pictureStartRead(vgpu: Vgpu, number: u32, offset: u64, bytes: u32): void {
  start(PICTURE_READ, vgpu, number);
  position = offset;
  copied = 0;
  wanted = bytes;
}

/** One bounded slice; SLICE_MORE, SLICE_DONE, SLICE_CHANGED or a negated errno. Not MORE: the work is over. */
export function pictureSlice(): i32 {
  const result = unchanged() ? (work == PICTURE_CRC ? crcSlice() : readSlice()) : SLICE_CHANGED;
  if (result != SLICE_MORE) work = PICTURE_IDLE;
  return result;
}

function unchanged(): bool {
  const scanout = pictureScanout();
  if (scanout.serial != serial) return false; // it also changes when the vGPU is lost, or is another one
  return scanout.format != FORMAT_NONE && scanoutLocate(pictureVgpu(), scanout, 0);
}

function crcSlice(): i32 {
  const scanout = pictureScanout();
  const rows = min<u32>(scanout.height - row, SLICE_BYTES / rowBytes(scanout));
  const result = scanout.buffer == BUFFER_NONE ? crcRows(scanout, rows) : crcScattered(scanout, min(rows, SLICE_ROWS));
  if (result < 0) return result;
  return row == scanout.height ? SLICE_DONE : SLICE_MORE;
}

/** Rows at once: a BAR lies in one piece. */
function crcRows(scanout: Scanout, rows: u32): i32 {
  if (!scanoutLocate(pictureVgpu(), scanout, <u64>row * scanout.stride)) return SLICE_CHANGED;
  const bytes = rowBytes(scanout);
  const result = shim_guest_crc32(pictureVgpu().domid, scanoutAtGpa, bytes, scanout.stride, rows, crc);
  if (result < 0) return <i32>result;
  crc = <u32>result;
  row += rows;
  return 0;
}

/** Row by row, piece by piece. */
function crcScattered(scanout: Scanout, rows: u32): i32 {
  const bytes = rowBytes(scanout);
  for (const end = row + rows; row < end; row++) {
    for (let done: u32 = 0; done < bytes; ) {
      if (!scanoutLocate(pictureVgpu(), scanout, <u64>row * scanout.stride + done)) return SLICE_CHANGED;
      const count = <u32>min<u64>(bytes - done, scanoutRun);
      const result = shim_guest_crc32(pictureVgpu().domid, scanoutAtGpa, count, count, 1, crc);
      if (result < 0) return <i32>result;
      crc = <u32>result;
      done += count;
    }
  }
  return 0;
}

function readSlice(): i32 {
  const end = min<u32>(wanted, copied + SLICE_BYTES);
  while (copied < end) {
    const result = copyWithinRow(end - copied);
    if (result < 0) return result;
  }
  return copied == wanted ? SLICE_DONE : SLICE_MORE;
}

/** At most up to the end of the row that `position` is in, and of the piece. */
function copyWithinRow(most: u32): i32 {
  const scanout = pictureScanout();
  const bytes_of_row = rowBytes(scanout);
  const column = <u32>(position % bytes_of_row);
  if (!scanoutLocate(pictureVgpu(), scanout, (position / bytes_of_row) * scanout.stride + column)) return SLICE_CHANGED;
  const bytes = <u32>min<u64>(min<u32>(most, bytes_of_row - column), scanoutRun);
  const result = shim_share_copy_guest(pictureVgpu().domid, scanoutAtGpa, copied, bytes);
  position += bytes;
  copied += bytes;
  return result;
}
