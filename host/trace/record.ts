// SPDX-License-Identifier: MIT
//
// One record of a trace: 32 bytes, little-endian, the same whether the driver domain's ring wrote it
// (unikernel/core/trace/ring.ts), a fuzzer made it up or a simulator ran it. docs/TRACE.md says what each kind means.
//
//    0 ┌ time_ns u64 ┐
//    8 ├ domid u16 ┬ vgpu u8 ┬ kind u8 ┬ flags u8 ┬ size u8 ┬ count u16 ┤
//   16 ├ addr u64 ┬ data u64 ┤ 32

export const RECORD_BYTES = 32;
/** vgpu of a record that concerns the guest as a whole. */
export const NO_VGPU = 0xff;

export interface TraceRecord {
  timeNs: bigint;
  domid: number;
  vgpu: number;
  kind: number;
  flags: number;
  size: number;
  count: number;
  addr: bigint;
  data: bigint;
}

// --- ioreqs: xen/hvm/ioreq.h, IOREQ_TYPE_*; flags are those of native/include/shim.h ---
export const KIND_PIO = 0x00;
export const KIND_MMIO = 0x01;
export const KIND_CONFIG = 0x02;
export const FLAG_READ = 1;
export const FLAG_DF = 2;
export const FLAG_DATA_IS_PTR = 4;

// --- what the core noted down: unikernel/core/trace/ring.ts, TRACE_* ---
export const KIND_NOTED = 0x80;
export const KIND_BAR_MAP = 0x83;
export const KIND_BAR_UNMAP = 0x84;
export const KIND_RESET_NOTED = 0x87;

// --- calls of a module's entry points, in the order of ENTRY_* of unikernel/abi/shim.ts; flags is the BAR ---
export const KIND_CALL = 0xc0;
export const KIND_CALL_ATTACH = 0xc0;
export const KIND_CALL_RESET = 0xc1;
export const KIND_CALL_READ = 0xc2;
export const KIND_CALL_WRITE = 0xc3;
export const KIND_CALL_EVENT = 0xc4;
export const KIND_CALL_WORK_DONE = 0xc5;
export const KIND_CALL_LAST = 0xcf;

// --- what the world around did ---
export const KIND_MEMORY = 0xd0;
export const KIND_TIME = 0xd1;
export const KIND_TEXT = 0xd2;
export const KIND_ANSWERS = 0xd3;
export const KIND_MEMORY_LATER = 0xd4;

const NAMES = new Map<number, string>([
  [KIND_PIO, "pio"],
  [KIND_MMIO, "mmio"],
  [KIND_CONFIG, "config"],
  [0x07, "timeoffset"],
  [0x08, "invalidate"],
  [0x80, "attach"],
  [0x81, "detach"],
  [0x82, "lost"],
  [KIND_BAR_MAP, "bar-map"],
  [KIND_BAR_UNMAP, "bar-unmap"],
  [0x85, "irq"],
  [0x86, "scanout"],
  [KIND_RESET_NOTED, "reset"],
  [0x88, "quarantine"],
  [0x89, "replace"],
  [0x8a, "warn"],
  [0x8b, "throttle"],
  [KIND_CALL_ATTACH, "call-attach"],
  [KIND_CALL_RESET, "call-reset"],
  [KIND_CALL_READ, "call-read"],
  [KIND_CALL_WRITE, "call-write"],
  [KIND_CALL_EVENT, "call-event"],
  [KIND_CALL_WORK_DONE, "call-work-done"],
  [KIND_MEMORY, "memory"],
  [KIND_TIME, "time"],
  [KIND_TEXT, "text"],
  [KIND_ANSWERS, "answers"],
  [KIND_MEMORY_LATER, "memory-later"],
]);

/** The kind's name, as gbctl and replay print it. */
export function kindName(kind: number): string {
  return NAMES.get(kind) ?? `kind-0x${kind.toString(16)}`;
}

/** Is that a kind this version knows? From 0xe0 on kinds belong to the simulator and are its own to judge. */
export function isKnownKind(kind: number): boolean {
  return NAMES.has(kind) || kind >= 0xe0;
}

export function isCall(kind: number): boolean {
  return kind >= KIND_CALL && kind <= KIND_CALL_LAST;
}

const NOTHING: TraceRecord = {
  timeNs: 0n,
  domid: 0,
  vgpu: 0,
  kind: 0,
  flags: 0,
  size: 0,
  count: 0,
  addr: 0n,
  data: 0n,
};

/** A record with these fields, the others 0. */
export function record(fields: Partial<TraceRecord> & { kind: number }): TraceRecord {
  return { ...NOTHING, ...fields };
}

export function decodeRecord(view: DataView, at: number): TraceRecord {
  return {
    timeNs: view.getBigUint64(at, true),
    domid: view.getUint16(at + 8, true),
    vgpu: view.getUint8(at + 10),
    kind: view.getUint8(at + 11),
    flags: view.getUint8(at + 12),
    size: view.getUint8(at + 13),
    count: view.getUint16(at + 14, true),
    addr: view.getBigUint64(at + 16, true),
    data: view.getBigUint64(at + 24, true),
  };
}

export function encodeRecord(view: DataView, at: number, one: TraceRecord): void {
  view.setBigUint64(at, one.timeNs, true);
  view.setUint16(at + 8, one.domid, true);
  view.setUint8(at + 10, one.vgpu);
  view.setUint8(at + 11, one.kind);
  view.setUint8(at + 12, one.flags);
  view.setUint8(at + 13, one.size);
  view.setUint16(at + 14, one.count, true);
  view.setBigUint64(at + 16, one.addr, true);
  view.setBigUint64(at + 24, one.data, true);
}

export function decodeRecords(bytes: Uint8Array): TraceRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / RECORD_BYTES }, (_, i) => decodeRecord(view, i * RECORD_BYTES));
}

export function encodeRecords(records: readonly TraceRecord[]): Uint8Array {
  const bytes = new Uint8Array(records.length * RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [i, one] of records.entries()) encodeRecord(view, i * RECORD_BYTES, one);
  return bytes;
}
