// SPDX-License-Identifier: MIT
//
// ELF-64 for x86-64, little-endian (System V ABI, chapters 4 and 5): header and program headers, read with bounds, for
// two uses: is the linked image what Xen's PV domain builder takes (notes: xen/public/elfnote.h), and what does a .gbx
// file from anybody hold (elf-dynamic.ts, gbx-rules.ts). Section headers are never looked at.

import type { Bytes } from "./store.js";

/** What is wrong with a file's structure. */
export class ElfFault extends Error {}

export interface Segment {
  type: number;
  /** PF_X 1, PF_W 2, PF_R 4. */
  flags: number;
  offset: number;
  address: number;
  fileBytes: number;
  memoryBytes: number;
  align: number;
}

export interface Elf {
  bytes: Bytes;
  type: number;
  segments: Segment[];
}

export const PT_LOAD = 1;
export const PT_NOTE = 4;
export const PF_X = 1;
export const PF_W = 2;

const HEADER_BYTES = 64;
const IDENT = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]; // magic, 64 bits, little-endian, version 1
const EM_X86_64 = 62;
const PROGRAM_HEADER_BYTES = 56;
const PROGRAM_HEADERS_MAX = 64;

/** Header and program headers; every segment's bytes lie in the file. Throws ElfFault. */
export function readElf(bytes: Bytes): Elf {
  if (bytes.length < HEADER_BYTES || !IDENT.every((byte, index) => bytes[index] === byte)) {
    throw new ElfFault("no little-endian ELF-64 file");
  }
  const view = viewOf(bytes);
  if (view.getUint16(18, true) !== EM_X86_64) throw new ElfFault("not made for x86-64");
  const [entryBytes, count] = [view.getUint16(54, true), view.getUint16(56, true)];
  if (entryBytes !== PROGRAM_HEADER_BYTES) throw new ElfFault(`program headers of ${entryBytes} bytes`);
  if (count > PROGRAM_HEADERS_MAX) throw new ElfFault(`${count} program headers; the limit is ${PROGRAM_HEADERS_MAX}`);
  const table = u64At(view, 32);
  if (table + count * PROGRAM_HEADER_BYTES > bytes.length) throw new ElfFault("program headers beyond the file's end");
  const segments = Array.from({ length: count }, (_, index) => segmentAt(view, table + index * PROGRAM_HEADER_BYTES));
  return { bytes, type: view.getUint16(16, true), segments };
}

function segmentAt(view: DataView, at: number): Segment {
  const segment = {
    type: view.getUint32(at, true),
    flags: view.getUint32(at + 4, true),
    offset: u64At(view, at + 8),
    address: u64At(view, at + 16),
    fileBytes: u64At(view, at + 32),
    memoryBytes: u64At(view, at + 40),
    align: u64At(view, at + 48),
  };
  if (segment.offset + segment.fileBytes > view.byteLength) throw new ElfFault("a segment beyond the file's end");
  return segment;
}

export function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit number that counts or places something; larger ones than a double can count are wrong in any file. */
export function u64At(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ElfFault(`the number 0x${value.toString(16)} is out of range`);
  return Number(value);
}

export interface ImageFacts {
  /** Bytes that are read from the file: code, constants, initialised data. */
  loadedBytes: number;
  /** The same with zeroed memory: the arenas, tables and stack. */
  memoryBytes: number;
  /** A PT_NOTE with at least one note of the owner "Xen". */
  hasXenNotes: boolean;
}

export function imageFacts(elf: Bytes): ImageFacts {
  const { segments } = readElf(elf);
  const loads = segments.filter((one) => one.type === PT_LOAD);
  const isXens = ({ offset, fileBytes }: Segment): boolean =>
    Buffer.from(elf)
      .subarray(offset, offset + fileBytes)
      .includes("Xen\0");
  return {
    loadedBytes: loads.reduce((sum, one) => sum + one.fileBytes, 0),
    memoryBytes: loads.reduce((sum, one) => sum + one.memoryBytes, 0),
    hasXenNotes: segments.some((one) => one.type === PT_NOTE && isXens(one)),
  };
}
