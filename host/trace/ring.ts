// SPDX-License-Identifier: MIT
//
// From what `gbctl trace --raw` wrote to trace files: the ring's records as they are (level "core"), or what one vGPU's
// module saw of them (level "module"): accesses to mapped BARs as calls with BAR and offset, a device reset as one.
//
// The ring is Dom0's copy of a domain's memory: any bytes are expected. What cannot be turned into a call (the data
// lay in guest memory, the BAR was mapped before the ring's oldest record) is left out and counted, never guessed.

import type { Manifest } from "../pipeline/manifest.js";
import { type Trace, TraceError } from "./file.js";
import {
  decodeRecords,
  encodeRecords,
  FLAG_DATA_IS_PTR,
  FLAG_DF,
  FLAG_READ,
  isKnownKind,
  KIND_BAR_MAP,
  KIND_BAR_UNMAP,
  KIND_CALL_READ,
  KIND_CALL_RESET,
  KIND_CALL_WRITE,
  KIND_MMIO,
  KIND_NOTED,
  KIND_PIO,
  KIND_RESET_NOTED,
  KIND_TEXT,
  RECORD_BYTES,
  record,
  type TraceRecord,
} from "./record.js";

/** A raw ring as a trace of level "core". */
export function traceOfRing(subject: string, raw: Uint8Array, dropped = 0): Trace {
  if (raw.length % RECORD_BYTES !== 0) {
    throw new TraceError(subject, `no ring: ${raw.length} bytes are no whole records of ${RECORD_BYTES}`);
  }
  const strange = decodeRecords(raw).findIndex((one) => !isKnownKind(one.kind) || one.kind > KIND_RESET_NOTED);
  if (strange >= 0)
    throw new TraceError(subject, `no ring: record ${strange} is of a kind that no driver domain writes`);
  return {
    level: "core",
    name: "core",
    version: "",
    wasmSha256: "",
    params: [],
    seed: 0n,
    dropped,
    story: "recorded in a driver domain",
    records: raw.slice(),
  };
}

/** What the toolstack asked for, before the records of `gbctl trace -o`: "module=... guest=... KEY=VALUE". */
export function specificationOf(trace: Trace, vgpu: number): Map<string, string> {
  const texts = decodeRecords(trace.records).filter((one) => one.kind === KIND_TEXT && one.count === vgpu);
  const bytes = Buffer.alloc(TEXT_BYTES * texts.length);
  let length = 0;
  for (const { addr, data, size } of texts) {
    bytes.writeBigUInt64LE(addr, length);
    bytes.writeBigUInt64LE(data, length + 8);
    length += Math.min(size, TEXT_BYTES);
  }
  const words = bytes.subarray(0, length).toString("latin1").split(" ");
  return new Map(
    words.flatMap((one) => (one.includes("=") ? [one.split(/=(.*)/s).slice(0, 2) as [string, string]] : [])),
  );
}

/** Of one record of kind text. */
const TEXT_BYTES = 16;

export interface ModuleView {
  records: TraceRecord[];
  /** Accesses of this vGPU that could not be turned into calls. */
  left: number;
}

interface Mapped {
  bar: number;
  start: bigint;
  end: bigint;
  io: boolean;
}

/** The calls that vGPU `vgpu` of guest `domid` answered. `bars` says where BARs lie that were mapped earlier. */
export function callsOf(
  records: readonly TraceRecord[],
  manifest: Manifest,
  who: { domid: number; vgpu: number },
  bars: ReadonlyMap<number, bigint> = new Map(),
): ModuleView {
  const mapped = new Map<number, Mapped>();
  for (const [bar, address] of bars) map(mapped, manifest, bar, address);
  const view: ModuleView = { records: [], left: 0 };
  for (const one of records) {
    if (one.domid !== who.domid || one.vgpu !== who.vgpu) continue;
    if (one.kind === KIND_BAR_MAP) map(mapped, manifest, Number(one.data), one.addr);
    if (one.kind === KIND_BAR_UNMAP) mapped.delete(Number(one.data));
    if (one.kind === KIND_RESET_NOTED) view.records.push(record({ kind: KIND_CALL_RESET, timeNs: one.timeNs }));
    if (one.kind < KIND_NOTED) access(view, mapped, one);
  }
  return view;
}

function map(mapped: Map<number, Mapped>, manifest: Manifest, index: number, start: bigint): void {
  const bar = manifest.bars.find((each) => each.index === index);
  if (bar?.kind !== "trap") return;
  const size = bar.size ?? manifest.params.find((one) => one.name === bar.sizeParam)?.default ?? 0;
  mapped.set(index, { bar: index, start, end: start + BigInt(size), io: bar.space === "io" });
}

/** One item of a repeat is one call; ports stay where they are, memory steps. */
function access(view: ModuleView, mapped: Map<number, Mapped>, one: TraceRecord): void {
  if (one.kind !== KIND_MMIO && one.kind !== KIND_PIO) return;
  const isRead = (one.flags & FLAG_READ) !== 0;
  if ((one.flags & FLAG_DATA_IS_PTR && !isRead) || one.count === 0) {
    view.left++;
    return;
  }
  const step = one.kind === KIND_PIO ? 0n : BigInt(one.flags & FLAG_DF ? -one.size : one.size);
  for (let i = 0n; i < BigInt(one.count); i++) {
    const addr = one.addr + i * step;
    const bar = [...mapped.values()].find(
      (each) => each.io === (one.kind === KIND_PIO) && addr >= each.start && addr + BigInt(one.size) <= each.end,
    );
    if (bar === undefined) view.left++;
    else view.records.push(call(one, bar, addr, isRead));
  }
}

/** `count` 1 says that `data` is what a read was answered with. */
function call(one: TraceRecord, bar: Mapped, addr: bigint, isRead: boolean): TraceRecord {
  const answered = isRead && one.count === 1 && !(one.flags & FLAG_DATA_IS_PTR);
  return record({
    kind: isRead ? KIND_CALL_READ : KIND_CALL_WRITE,
    timeNs: one.timeNs,
    flags: bar.bar,
    size: one.size,
    count: answered ? 1 : 0,
    addr: addr - bar.start,
    data: isRead && !answered ? 0n : one.data,
  });
}

/** A trace of level "module" of one vGPU in a recording. */
export function moduleTrace(
  subject: string,
  recording: Trace,
  module: { manifest: Manifest; wasmSha256: string; params: bigint[] },
  who: { domid: number; vgpu: number },
  bars?: ReadonlyMap<number, bigint>,
): { trace: Trace; left: number } {
  const { records, left } = callsOf(decodeRecords(recording.records), module.manifest, who, bars);
  if (records.length === 0) {
    const reason = left > 0 ? `; ${left} accesses fit no BAR whose address is known` : "";
    throw new TraceError(subject, `guest ${who.domid} vgpu ${who.vgpu} made no call of its module here${reason}`);
  }
  const { name, version } = module.manifest;
  const { wasmSha256, params } = module;
  return {
    trace: { ...recording, level: "module", name, version, wasmSha256, params, records: encodeRecords(records) },
    left,
  };
}
