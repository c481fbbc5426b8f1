// SPDX-License-Identifier: MIT
//
// Reading a WebAssembly binary byte by byte (core specification 2.0, chapter 5). The bytes are hostile: every read is
// bounded, every number has the one length limit of the specification, and an error says at which byte it stood.

import type { Rule } from "./reasons.js";
import type { Bytes } from "./store.js";

/** What a reader found wrong; `offset` is the byte in the file. */
export class WasmFault extends Error {
  constructor(
    readonly offset: number,
    readonly what: string,
    readonly rule: Rule = "malformed",
  ) {
    super(`at byte 0x${offset.toString(16)}: ${what}`);
  }
}

export interface Cursor {
  bytes: Bytes;
  at: number;
  end: number;
}

export interface Section {
  id: number;
  /** Of custom sections only. */
  name: string;
  offset: number;
  body: Cursor;
}

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
export const CUSTOM_SECTION = 0;

/** All sections of a file, in order. */
export function sections(bytes: Bytes): Section[] {
  const { found, fault } = sectionsUntilFault(bytes);
  if (fault !== undefined) throw fault;
  return found;
}

/** The sections up to the place where the file cannot be read on, and what is wrong there. */
export function sectionsUntilFault(bytes: Bytes): { found: Section[]; fault: WasmFault | undefined } {
  const found: Section[] = [];
  if (!HEADER.every((byte, index) => bytes[index] === byte)) {
    return { found, fault: new WasmFault(0, "no WebAssembly file (version 1)") };
  }
  const cursor: Cursor = { bytes, at: HEADER.length, end: bytes.length };
  try {
    while (cursor.at < cursor.end) found.push(section(cursor));
  } catch (error) {
    if (!(error instanceof WasmFault)) throw error;
    return { found, fault: error };
  }
  return { found, fault: undefined };
}

function section(cursor: Cursor): Section {
  const offset = cursor.at;
  const id = byte(cursor);
  const body = within(cursor, u32(cursor));
  return { id, offset, name: id === CUSTOM_SECTION ? text(body) : "", body };
}

/** The next `length` bytes as a cursor of their own; the outer one moves behind them. */
export function within(cursor: Cursor, length: number): Cursor {
  if (length > cursor.end - cursor.at) throw new WasmFault(cursor.at, `${length} bytes announced, fewer are there`);
  const inner = { bytes: cursor.bytes, at: cursor.at, end: cursor.at + length };
  cursor.at += length;
  return inner;
}

export function byte(cursor: Cursor): number {
  const value = cursor.at < cursor.end ? cursor.bytes[cursor.at] : undefined;
  if (value === undefined) throw new WasmFault(cursor.at, "the file ends in the middle of something");
  cursor.at++;
  return value;
}

/** Step over `count` bytes; gives 0. */
export function skip(cursor: Cursor, count: number): number {
  within(cursor, count);
  return 0;
}

export function u32(cursor: Cursor): number {
  const offset = cursor.at;
  const value = Number(leb(cursor, 32, false));
  if (value > 0xffffffff) throw new WasmFault(offset, "a number with more than 32 bits");
  return value;
}

/** Step over a signed number of at most `bits` bits and give it. */
export function signed(cursor: Cursor, bits: 32 | 33 | 64): bigint {
  return leb(cursor, bits, true);
}

function leb(cursor: Cursor, bits: number, isSigned: boolean): bigint {
  const offset = cursor.at;
  let value = 0n;
  for (let shift = 0; shift < bits; shift += 7) {
    const part = byte(cursor);
    value |= BigInt(part & 0x7f) << BigInt(shift);
    if ((part & 0x80) === 0) return isSigned ? BigInt.asIntN(Math.min(shift + 7, 64), value) : value;
  }
  throw new WasmFault(offset, `a number with more than ${bits} bits`);
}

export function text(cursor: Cursor): string {
  const inner = within(cursor, u32(cursor));
  return new TextDecoder().decode(inner.bytes.subarray(inner.at, inner.end));
}

/** The rest of a cursor's bytes. */
export function rest(cursor: Cursor): Bytes {
  return cursor.bytes.subarray(cursor.at, cursor.end);
}

/** A vector: its count, then as many things, which `visit` reads. */
export function each(cursor: Cursor, visit: (index: number) => void): void {
  const count = u32(cursor);
  for (let index = 0; index < count; index++) visit(index);
}
