// SPDX-License-Identifier: MIT
//
// The trace ring: the last TRACE_RECORDS things that happened, oldest overwritten first.
//
//    0 ┌ time_ns u64 ┐
//    8 ├ domid u16 ┬ vgpu u8 ┬ kind u8 ┬ flags u8 ┬ size u8 ┬ count u16 ┤
//   16 ├ addr u64 ┬ data u64 ┤ 32
//
// kind below 0x80: an ioreq of that type (data: what was written or answered; with data_is_ptr the buffer's gpa). Its
// record stands before those of its effects. vgpu is the vGPU's number within its guest, 0xff where the record
// concerns the guest as a whole.

import { shim_time_ns } from "../../abi/shim";
import { TRACE_RECORDS, TRACE_RECORD_BYTES } from "../limits";

export const TRACE_ATTACH: u32 = 0x80; // addr: module index, data: slot
export const TRACE_DETACH: u32 = 0x81;
export const TRACE_LOST: u32 = 0x82; // addr: fault or errno, data: entry point
export const TRACE_BAR_MAP: u32 = 0x83; // addr: address, data: BAR number
export const TRACE_BAR_UNMAP: u32 = 0x84;
export const TRACE_IRQ: u32 = 0x85; // addr: MSI address, data: MSI data
export const TRACE_SCANOUT: u32 = 0x86; // addr: offset in the BAR, data: height << 32 | width
export const TRACE_RESET: u32 = 0x87;
export const TRACE_QUARANTINE: u32 = 0x88; // addr: 0 lifted, 1 by the operator, 2 + threshold; data: how many
export const TRACE_REPLACE: u32 = 0x89; // addr: module index; data: 0 state handed over, 1 anew, 2 taken back, 3 kept
export const TRACE_WARN: u32 = 0x8a; // addr: 1 + threshold, 0 it is over; data: how many
export const TRACE_THROTTLE: u32 = 0x8b; // the same
export const TRACE_NO_VGPU: u32 = 0xff;

const NOTHING: usize = memory.data(TRACE_RECORD_BYTES, 8);
const RING: usize = memory.data(TRACE_RECORDS * TRACE_RECORD_BYTES, 8);

let written: u64 = 0;

export function trace(
  domid: u32, vgpu: u32, kind: u32, flags: u32, size: u32, count: u32, addr: u64, data: u64,
): usize {
  const at = RING + <usize>(<u32>written & (TRACE_RECORDS - 1)) * TRACE_RECORD_BYTES;
  written++;
  store<u64>(at, shim_time_ns());
  store<u32>(at, (domid & 0xffff) | ((vgpu & 0xff) << 16) | (kind << 24), 8);
  store<u32>(at, (flags & 0xff) | ((size & 0xff) << 8) | ((count < 0xffff ? count : 0xffff) << 16), 12);
  store<u64>(at, addr, 16);
  store<u64>(at, data, 24);
  return at;
}

/** A place for the record of something that is not worth one. */
export function traceNothing(): usize {
  return NOTHING;
}

/** What became of the ioreq whose record is at `at`: who was meant, and the data that a read is answered with. */
export function traceAnswer(at: usize, vgpu: u32, data: u64): void {
  store<u8>(at, <u8>vgpu, 10);
  store<u64>(at, data, 24);
}

/** A record about a vGPU that is no ioreq. */
export function traceEvent(domid: u32, vgpu: u32, kind: u32, addr: u64, data: u64): void {
  trace(domid, vgpu, kind, 0, 0, 0, addr, data);
}

export function traceRecords(): u32 {
  return written < TRACE_RECORDS ? <u32>written : TRACE_RECORDS;
}

export function traceDropped(): u64 {
  return written - traceRecords();
}

/** Where the i-th oldest record lies; records behind it follow up to the end of the ring, then from its start. */
export function traceRecord(i: u32): usize {
  return RING + <usize>((<u32>(written - traceRecords()) + i) & (TRACE_RECORDS - 1)) * TRACE_RECORD_BYTES;
}
