// SPDX-License-Identifier: MIT
//
// The dynamic part of a shared object: tags, symbols, relocations, notes. Bytes are found by address, through the
// PT_LOAD segments, as a loader finds them; every read is bounded by the file. Nothing is judged here but structure.

import { type Elf, ElfFault, PT_LOAD, PT_NOTE, u64At, viewOf } from "./elf.js";
import type { Bytes } from "./store.js";

export interface DynamicSymbol {
  name: string;
  isDefined: boolean;
  /** STT_*: 1 object, 2 function, 6 thread-local, 10 indirect function. */
  type: number;
  address: number;
  bytes: number;
}

export interface Relocation {
  type: number;
  /** Where it is written. */
  address: number;
  symbol: DynamicSymbol | undefined;
  addend: bigint;
}

export interface Dynamic {
  tags: Map<number, number>;
  symbols: DynamicSymbol[];
  relocations: Relocation[];
}

export interface Note {
  type: number;
  /** Where its contents begin in the file. */
  offset: number;
  contents: Bytes;
}

export const DT = {
  NEEDED: 1,
  PLTRELSZ: 2,
  HASH: 4,
  STRTAB: 5,
  SYMTAB: 6,
  RELA: 7,
  RELASZ: 8,
  RELAENT: 9,
  STRSZ: 10,
  SYMENT: 11,
  SYMBOLIC: 16,
  REL: 17,
  TEXTREL: 22,
  JMPREL: 23,
  FLAGS: 30,
  FLAGS_1: 0x6ffffffb,
  RELACOUNT: 0x6ffffff9,
} as const;

const PT_DYNAMIC = 2;
const SYMBOL_BYTES = 24;
const RELA_BYTES = 24;
const SYMBOLS_MAX = 4096;
const NAME_BYTES_MAX = 256;

/** Throws ElfFault. */
export function readDynamic(elf: Elf): Dynamic {
  const tags = readTags(elf);
  const symbols = readSymbols(elf, tags);
  const tables = [
    [tags.get(DT.RELA), tags.get(DT.RELASZ)],
    [tags.get(DT.JMPREL), tags.get(DT.PLTRELSZ)],
  ];
  const relocations = tables.flatMap(([address, bytes]) => readRelocations(elf, symbols, address, bytes));
  return { tags, symbols, relocations };
}

function readTags(elf: Elf): Map<number, number> {
  const found = elf.segments.filter((one) => one.type === PT_DYNAMIC);
  const [segment] = found;
  if (segment === undefined || found.length !== 1) throw new ElfFault(`${found.length} dynamic segments instead of 1`);
  const tags = new Map<number, number>();
  const view = viewOf(elf.bytes);
  for (let at = segment.offset; at + 16 <= segment.offset + segment.fileBytes; at += 16) {
    const tag = u64At(view, at);
    if (tag === 0) return tags;
    if (tags.has(tag)) throw new ElfFault(`the dynamic tag 0x${tag.toString(16)} is there twice`);
    tags.set(tag, u64At(view, at + 8));
  }
  throw new ElfFault("the dynamic segment does not end");
}

/** How many there are says the hash table (its second word): without sections nothing else does. */
function readSymbols(elf: Elf, tags: Map<number, number>): DynamicSymbol[] {
  const count = viewOf(bytesAt(elf, tagOf(tags, DT.HASH, "DT_HASH"), 8)).getUint32(4, true);
  if (count > SYMBOLS_MAX) throw new ElfFault(`${count} symbols; the limit is ${SYMBOLS_MAX}`);
  const names = bytesAt(elf, tagOf(tags, DT.STRTAB, "DT_STRTAB"), tagOf(tags, DT.STRSZ, "DT_STRSZ"));
  const view = viewOf(bytesAt(elf, tagOf(tags, DT.SYMTAB, "DT_SYMTAB"), count * SYMBOL_BYTES));
  return Array.from({ length: count }, (_, index) => {
    const at = index * SYMBOL_BYTES;
    return {
      name: nameAt(names, view.getUint32(at, true)),
      type: view.getUint8(at + 4) & 0xf,
      isDefined: view.getUint16(at + 6, true) !== 0,
      address: u64At(view, at + 8),
      bytes: u64At(view, at + 16),
    };
  });
}

function tagOf(tags: Map<number, number>, tag: number, name: string): number {
  const value = tags.get(tag);
  if (value === undefined) throw new ElfFault(`there is no ${name}`);
  return value;
}

function nameAt(names: Bytes, at: number): string {
  const end = names.indexOf(0, at);
  if (end < at || end - at > NAME_BYTES_MAX) throw new ElfFault("a symbol's name does not end");
  return Buffer.from(names.subarray(at, end)).toString("latin1");
}

function readRelocations(elf: Elf, symbols: DynamicSymbol[], address?: number, bytes?: number): Relocation[] {
  if (address === undefined && bytes === undefined) return [];
  if (address === undefined || bytes === undefined || bytes % RELA_BYTES !== 0) {
    throw new ElfFault("a relocation table without address or with an odd size");
  }
  const view = viewOf(bytesAt(elf, address, bytes));
  return Array.from({ length: bytes / RELA_BYTES }, (_, index) => {
    const at = index * RELA_BYTES;
    const number = view.getUint32(at + 12, true);
    if (number >= symbols.length) throw new ElfFault(`a relocation by symbol ${number} of ${symbols.length}`);
    return {
      address: u64At(view, at),
      type: view.getUint32(at + 8, true),
      symbol: number === 0 ? undefined : symbols[number],
      addend: view.getBigInt64(at + 16, true),
    };
  });
}

/** The file's bytes for [address, address + bytes); they must lie in one segment. */
export function bytesAt({ bytes: file, segments }: Elf, address: number, bytes: number): Bytes {
  const home = segments.find(
    (one) => one.type === PT_LOAD && address >= one.address && address + bytes <= one.address + one.fileBytes,
  );
  if (home === undefined) throw new ElfFault(`${bytes} bytes at 0x${address.toString(16)} are in no segment`);
  const at = home.offset + address - home.address;
  return file.subarray(at, at + bytes);
}

/** All notes of one owner. */
export function readNotes(elf: Elf, owner: string): Note[] {
  return elf.segments
    .filter((one) => one.type === PT_NOTE)
    .flatMap(({ offset, fileBytes }) => notesIn(elf.bytes, offset, offset + fileBytes, owner));
}

function notesIn(file: Bytes, from: number, end: number, owner: string): Note[] {
  const view = viewOf(file);
  const notes: Note[] = [];
  for (let at = from; at < end; ) {
    if (at + 12 > end) throw new ElfFault("a note's head does not fit its segment");
    const [nameBytes, bytes, type] = [0, 4, 8].map((field) => view.getUint32(at + field, true)) as [
      number,
      number,
      number,
    ];
    const offset = at + 12 + align4(nameBytes);
    if (offset + bytes > end) throw new ElfFault("a note does not fit its segment");
    const name = Buffer.from(file.subarray(at + 12, at + 12 + nameBytes)).toString("latin1");
    if (name === `${owner}\0`) notes.push({ type, offset, contents: file.subarray(offset, offset + bytes) });
    at = offset + align4(bytes);
  }
  return notes;
}

function align4(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
