// SPDX-License-Identifier: MIT
//
// The trace file: a header that says of which module (or of the core) and with which parameters, then records. Field
// recordings, corpus entries and crashes are all such files. The bytes are anybody's: what is cut off, changed or from
// another version is refused in words, and nothing is believed that the length and the checksum do not confirm.
//
//   0 ┌ "GBTRACE\n" ┬ 8 version u16 ┬ 10 level u8 ┬ 11 params u8 ┬ 12 crc32 u32 ┐
//  16 ├ seed u64 ┬ 24 records u32 ┬ 28 dropped u32 ┤
//  32 ├ SHA-256 of the module's (or the core's) .wasm file, 32 bytes; zeros: not known ┤
//  64 ├ name, 32 bytes, NUL-padded ┬ 96 version, 16 bytes ┬ 112 zeros, 16 bytes ┤
// 128 ├ 8 x parameter u64 ┬ 192 story, 128 bytes of ASCII, NUL-padded ┤
// 320 ├ records x 32 bytes ┤
//
// The CRC-32 is of the whole file with its own four bytes taken as zeros.

import { createHash } from "node:crypto";
import { crc32 } from "../sim/crc32.js";
import { decodeRecord, isKnownKind, RECORD_BYTES } from "./record.js";

export const TRACE_MAGIC = "GBTRACE\n";
export const TRACE_VERSION = 1;
export const TRACE_HEADER_BYTES = 320;
/** 2 MiB: sixteen whole rings of a driver domain (TRACE_RECORDS of unikernel/core/limits.ts). */
export const TRACE_RECORDS_MAX = 65536;
/** As many as a manifest has (unikernel/abi/manifest.ts). */
export const TRACE_PARAMS_MAX = 12;
export const TRACE_SUFFIX = ".gbt";

/** What the records are: accesses of guests as Xen sends them, or calls of one module's entry points. */
export type TraceLevel = "core" | "module";
const LEVELS: readonly TraceLevel[] = ["core", "module"];

const AT = {
  version: 8,
  level: 10,
  params: 11,
  crc: 12,
  seed: 16,
  records: 24,
  dropped: 28,
  sha: 32,
  name: 64,
  moduleVersion: 96,
  zeros: 112,
  values: 128,
} as const;
/** Parameters before the story, whether there are so many or not; more take the first bytes of its room. */
const PARAMS_USUAL = 8;
const NAME_BYTES = 32;
const VERSION_BYTES = 16;
/** With up to 8 parameters. */
export const STORY_BYTES = 128;
const ZEROS_BYTES = 16;
const SHA_BYTES = 32;

export interface Trace {
  level: TraceLevel;
  /** Of the module; "core" for a recording of many. */
  name: string;
  version: string;
  /** Hex; "" when nobody knows. */
  wasmSha256: string;
  params: bigint[];
  /** What a fuzzer made it from; 0 for recordings. */
  seed: bigint;
  /** Older records that the ring had lost already. */
  dropped: number;
  /** One line: what happens here. Empty where nobody told. */
  story: string;
  /** Encoded records (record.ts). */
  records: Uint8Array;
}

/** A file that is no trace of ours, or no whole one; `subject` is its path. */
export class TraceError extends Error {
  constructor(subject: string, reason: string) {
    super(`${subject}: ${reason}`);
    this.name = "TraceError";
  }
}

/** Where the story begins: it ends with the header. */
function storyAt(params: number): number {
  return AT.values + 8 * Math.max(params, PARAMS_USUAL);
}

export function encodeTrace(trace: Trace): Uint8Array {
  const bytes = new Uint8Array(TRACE_HEADER_BYTES + trace.records.length);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from(TRACE_MAGIC));
  view.setUint16(AT.version, TRACE_VERSION, true);
  view.setUint8(AT.level, LEVELS.indexOf(trace.level));
  view.setUint8(AT.params, trace.params.length);
  view.setBigUint64(AT.seed, trace.seed, true);
  view.setUint32(AT.records, trace.records.length / RECORD_BYTES, true);
  view.setUint32(AT.dropped, trace.dropped, true);
  bytes.set(Buffer.from(trace.wasmSha256, "hex"), AT.sha);
  putText(bytes, AT.name, NAME_BYTES, trace.name);
  putText(bytes, AT.moduleVersion, VERSION_BYTES, trace.version);
  for (const [i, value] of trace.params.entries()) view.setBigUint64(AT.values + 8 * i, value, true);
  const story = storyAt(trace.params.length);
  putText(bytes, story, TRACE_HEADER_BYTES - story, trace.story);
  bytes.set(trace.records, TRACE_HEADER_BYTES);
  view.setUint32(AT.crc, crc32(bytes), true);
  return bytes;
}

/** Longer text is cut: it is for people. */
function putText(bytes: Uint8Array, at: number, room: number, text: string): void {
  bytes.set(Buffer.from(text.replace(/[^\x20-\x7e]/g, "?"), "latin1").subarray(0, room), at);
}

/** The trace in these bytes; throws TraceError. */
export function decodeTrace(subject: string, bytes: Uint8Array): Trace {
  const refuse = (reason: string): never => {
    throw new TraceError(subject, reason);
  };
  if (Buffer.from(bytes.subarray(0, TRACE_MAGIC.length)).toString("latin1") !== TRACE_MAGIC)
    refuse("no trace file: it does not begin with GBTRACE");
  if (bytes.length < TRACE_HEADER_BYTES)
    refuse(`cut off: ${bytes.length} bytes, the header alone has ${TRACE_HEADER_BYTES}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint16(AT.version, true);
  if (version !== TRACE_VERSION) refuse(`a trace of version ${version}; this program reads version ${TRACE_VERSION}`);
  const count = view.getUint32(AT.records, true);
  if (count > TRACE_RECORDS_MAX) refuse(`it announces ${count} records; the limit is ${TRACE_RECORDS_MAX}`);
  const wanted = TRACE_HEADER_BYTES + count * RECORD_BYTES;
  if (bytes.length < wanted) refuse(`cut off: ${bytes.length} bytes, ${count} records take ${wanted}`);
  if (bytes.length > wanted) refuse(`${bytes.length - wanted} bytes behind the last of its ${count} records`);
  checkSum(bytes, view, refuse);
  const level = LEVELS[view.getUint8(AT.level)] ?? refuse(`level ${view.getUint8(AT.level)} is not known here`);
  const params = view.getUint8(AT.params);
  if (params > TRACE_PARAMS_MAX) refuse(`${params} parameters; the limit is ${TRACE_PARAMS_MAX}`);
  if (bytes.subarray(AT.zeros, AT.zeros + ZEROS_BYTES).some((one) => one !== 0)) refuse("a reserved field is not 0");
  const records = Uint8Array.from(bytes.subarray(TRACE_HEADER_BYTES)); // a Buffer's slice would be no copy
  checkKinds(records, refuse);
  const sha = Buffer.from(bytes.subarray(AT.sha, AT.sha + SHA_BYTES));
  return {
    level,
    name: text(bytes, AT.name, NAME_BYTES),
    version: text(bytes, AT.moduleVersion, VERSION_BYTES),
    wasmSha256: sha.every((one) => one === 0) ? "" : sha.toString("hex"),
    params: Array.from({ length: params }, (_, i) => view.getBigUint64(AT.values + 8 * i, true)),
    seed: view.getBigUint64(AT.seed, true),
    dropped: view.getUint32(AT.dropped, true),
    story: text(bytes, storyAt(params), TRACE_HEADER_BYTES - storyAt(params)),
    records,
  };
}

function checkSum(bytes: Uint8Array, view: DataView, refuse: (reason: string) => never): void {
  const told = view.getUint32(AT.crc, true);
  const zeroed = bytes.slice();
  zeroed.fill(0, AT.crc, AT.crc + 4);
  const is = crc32(zeroed);
  if (is !== told) refuse(`damaged: its checksum is 0x${is.toString(16)}, it says 0x${told.toString(16)}`);
}

function checkKinds(records: Uint8Array, refuse: (reason: string) => never): void {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (let at = 0; at < records.length; at += RECORD_BYTES) {
    const { kind } = decodeRecord(view, at);
    if (!isKnownKind(kind)) refuse(`record ${at / RECORD_BYTES} is of kind 0x${kind.toString(16)}, not known here`);
  }
}

function text(bytes: Uint8Array, at: number, room: number): string {
  const all = Buffer.from(bytes.subarray(at, at + room)).toString("latin1");
  return (all.split("\0")[0] ?? "").replace(/[^\x20-\x7e]/g, "?");
}

/** A corpus entry's name: what it does (parameters and records), not where it came from. */
export function traceHash(trace: Pick<Trace, "params" | "records">): string {
  const values = new BigUint64Array(trace.params);
  const hash = createHash("sha256").update(new Uint8Array(values.buffer)).update(trace.records);
  return hash.digest("hex").slice(0, 32);
}

/** SHA-256 of a module's file, as the header has it. */
export function wasmHash(file: Uint8Array): string {
  return createHash("sha256").update(file).digest("hex");
}

/** Refuse a trace of another module; `force` lets one of the same name through, to be run anew. */
export function checkModule(
  subject: string,
  trace: Trace,
  module: { name: string; wasmSha256: string; params: number },
  force = false,
  level: Trace["level"] = "module",
): void {
  if (trace.level !== level) {
    const what = { module: "one module's calls", core: "ioreqs" };
    throw new TraceError(subject, `a trace of ${what[trace.level]}, not of ${what[level]}`);
  }
  if (trace.params.length !== module.params && !(force && trace.params.length === 0)) {
    const count = `${trace.params.length} parameters, ${module.name} has ${module.params}`;
    throw new TraceError(subject, `a trace with ${count}`);
  }
  if (force || (trace.name === module.name && trace.wasmSha256 === module.wasmSha256)) return;
  if (trace.name !== module.name) throw new TraceError(subject, `a trace of module ${trace.name}, not ${module.name}`);
  const [was, is] = [trace.wasmSha256, module.wasmSha256].map((one) => one.slice(0, 16) || "unknown");
  const hint = "use --force to run it anyway";
  throw new TraceError(subject, `recorded with another ${module.name}.wasm (SHA-256 ${was}, here ${is}); ${hint}`);
}
