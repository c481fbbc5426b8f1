// SPDX-License-Identifier: MIT
//
// A look into the linked image: is it what Xen's PV domain builder takes, and how large is it in memory? (ELF-64,
// System V ABI chapters 4 and 5; notes: xen/public/elfnote.h.)

import type { Bytes } from "./store.js";

export interface ImageFacts {
  /** Bytes that are read from the file: code, constants, initialised data. */
  loadedBytes: number;
  /** The same with zeroed memory: the arenas, tables and stack. */
  memoryBytes: number;
  /** A PT_NOTE with at least one note of the owner "Xen". */
  hasXenNotes: boolean;
}

const PROGRAM_HEADERS_AT = 32;
const PROGRAM_HEADER_BYTES_AT = 54;
const PROGRAM_HEADER_COUNT_AT = 56;
const PT_LOAD = 1;
const PT_NOTE = 4;
const EM_X86_64 = 62;

export function imageFacts(elf: Bytes): ImageFacts {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  if (view.getUint32(0) !== 0x7f454c46 || view.getUint8(4) !== 2 || view.getUint16(18, true) !== EM_X86_64) {
    throw new Error("the linker did not make an ELF-64 file for x86-64");
  }
  const facts: ImageFacts = { loadedBytes: 0, memoryBytes: 0, hasXenNotes: false };
  const table = Number(view.getBigUint64(PROGRAM_HEADERS_AT, true));
  const entryBytes = view.getUint16(PROGRAM_HEADER_BYTES_AT, true);
  for (let index = 0; index < view.getUint16(PROGRAM_HEADER_COUNT_AT, true); index++) {
    addSegment(view, table + index * entryBytes, facts, elf);
  }
  return facts;
}

function addSegment(view: DataView, at: number, facts: ImageFacts, elf: Bytes): void {
  const type = view.getUint32(at, true);
  const offset = Number(view.getBigUint64(at + 8, true));
  const fileBytes = Number(view.getBigUint64(at + 32, true));
  if (type === PT_LOAD) {
    facts.loadedBytes += fileBytes;
    facts.memoryBytes += Number(view.getBigUint64(at + 40, true));
  }
  if (type === PT_NOTE)
    facts.hasXenNotes ||= Buffer.from(elf)
      .subarray(offset, offset + fileBytes)
      .includes("Xen\0");
}
