// SPDX-License-Identifier: MIT
//
// What a .gbx file must be (docs/MODULE_ABI.md, "The packed file"): the same rules as the driver domain's loader, so
// that the host refuses first and in words, and the seal and records on top, which only the host reads. The file may
// come from anybody.

import { MODULE_BORDER } from "./contract.js";
import { type Elf, ElfFault, PF_W, PF_X, PT_LOAD, readElf, type Segment, viewOf } from "./elf.js";
import {
  bytesAt,
  DT,
  type Dynamic,
  type DynamicSymbol,
  type Note,
  type Relocation,
  readDynamic,
  readNotes,
} from "./elf-dynamic.js";
import { PipelineError } from "./error.js";
import { isSealed, NOTE_MANIFEST, NOTE_OWNER, NOTE_RECORD, type PackRecord, RECORD_FORMAT } from "./gbx-record.js";
import { shimLimit } from "./gcc.js";
import { type Manifest, parseManifest } from "./manifest.js";
import type { Bytes } from "./store.js";

export interface GbxFile {
  record: PackRecord;
  manifest: Manifest;
  descriptor: Descriptor;
  /** Bytes of the loaded image in pages, and how many of them are code. */
  imageBytes: number;
  codeBytes: number;
  imports: string[];
  relocations: number;
}

/** The numbers at the head of struct gb_module (native/wasm/module.h). */
export interface Descriptor {
  frameBytes: number;
  wasmSha256: string;
  globals: number;
  instanceBytes: number;
  memoryPages: number;
}

const PAGE_BYTES = 4096;
export const GBX_BYTES_MAX = 4 << 20;
const ET_DYN = 3;
const PT_DYNAMIC = 2;
const PT_NOTE = 4;
const PT_GNU_STACK = 0x6474e551;
const PT_GNU_RELRO = 0x6474e552;
const SEGMENT_TYPES = new Set([PT_LOAD, PT_DYNAMIC, PT_NOTE, PT_GNU_STACK, PT_GNU_RELRO]);

/** Every other tag is refused: NEEDED, INIT, FINI, TEXTREL, RPATH, ... */
const TAGS = new Set<number>([
  DT.HASH,
  DT.STRTAB,
  DT.STRSZ,
  DT.SYMTAB,
  DT.SYMENT,
  DT.RELA,
  DT.RELASZ,
  DT.RELAENT,
  DT.RELACOUNT,
  DT.JMPREL,
  DT.PLTRELSZ,
  DT.SYMBOLIC,
  DT.FLAGS,
  DT.FLAGS_1,
]);
const PLAIN_FLAGS = 2 | 8; // DF_SYMBOLIC, DF_BIND_NOW
const PLAIN_FLAGS_1 = 1; // DF_1_NOW

const R_X86_64_64 = 1;
const R_X86_64_GLOB_DAT = 6;
const R_X86_64_JUMP_SLOT = 7;
const R_X86_64_RELATIVE = 8;

const DESCRIPTOR_NAME = "gb_module";
const IMPORTS = new Set([
  "wasm_rt_trap",
  "wasm_rt_allocate_memory",
  "wasm_rt_call_stack_depth",
  "wasm_rt_call_stack_limit",
  "memcpy",
  "memmove",
  "memset",
]);
const CAPABILITY_PREFIX = "w2c_glovebox_";

/** Throws PipelineError, whatever the bytes are. */
export function readGbx(subject: string, bytes: Bytes): GbxFile {
  try {
    return read(subject, bytes);
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    throw new PipelineError(subject, "gbx", error instanceof Error ? error.message : String(error));
  }
}

function read(subject: string, bytes: Bytes): GbxFile {
  if (bytes.length > GBX_BYTES_MAX) throw new ElfFault(`${bytes.length} bytes; the limit is ${GBX_BYTES_MAX}`);
  const elf = readElf(bytes);
  const notes = readNotes(elf, NOTE_OWNER);
  const record = recordOf(notes);
  if (!isSealed(bytes, notes)) throw new ElfFault("damaged: the file is not as it was packed (its seal is wrong)");
  const manifest = parseManifest(subject, textOf(notes, NOTE_MANIFEST, "manifest"));
  if (manifest.name !== record.name || manifest.version !== record.version) {
    throw new ElfFault(`record (${record.name} ${record.version}) and manifest (${manifest.name}) disagree`);
  }
  const loads = checkSegments(elf);
  const dynamic = readDynamic(elf);
  checkTags(dynamic);
  const imports = checkSymbols(dynamic.symbols);
  for (const one of dynamic.relocations) checkRelocation(one, loads);
  const descriptor = descriptorOf(elf, dynamic.symbols);
  checkSizes(descriptor, manifest);
  if (descriptor.wasmSha256 !== record.wasmSha256) throw new ElfFault("record and code are of different modules");
  return {
    record,
    manifest,
    descriptor,
    imports,
    imageBytes: Math.max(...loads.map((one) => pageUp(one.address + one.memoryBytes))),
    codeBytes: loads.filter((one) => one.flags & PF_X).reduce((sum, one) => sum + one.fileBytes, 0),
    relocations: dynamic.relocations.length,
  };
}

/** What the driver domain has room for. */
function checkSizes({ instanceBytes, frameBytes, memoryPages }: Descriptor, manifest: Manifest): void {
  const [instanceMax, frameMax] = [shimLimit("INSTANCE_BYTES_MAX"), shimLimit("WASM_FRAME_BYTES")];
  if (instanceBytes > instanceMax) {
    throw new ElfFault(`globals and table of an instance take ${instanceBytes} bytes; the limit is ${instanceMax}`);
  }
  if (frameBytes > frameMax) throw new ElfFault(`a stack frame of ${frameBytes} bytes; the limit is ${frameMax}`);
  if (memoryPages !== manifest.memoryPages) throw new ElfFault("manifest and code differ in memoryPages");
}

function textOf(notes: Note[], type: number, what: string): string {
  const found = notes.filter((one) => one.type === type);
  if (found.length !== 1) throw new ElfFault(`${found.length} notes with a ${what} instead of 1; is it a .gbx file?`);
  return Buffer.from(found[0]?.contents ?? []).toString("utf8");
}

function recordOf(notes: Note[]): PackRecord {
  const record = JSON.parse(textOf(notes, NOTE_RECORD, "pack record")) as PackRecord;
  if (record.format !== RECORD_FORMAT) {
    throw new ElfFault(`a pack record of format ${record.format}; this program reads ${RECORD_FORMAT}: pack it again`);
  }
  return record;
}

/** Pages are either read, or read and run, or read and written; they follow each other and do not overlap. */
function checkSegments(elf: Elf): Segment[] {
  if (elf.type !== ET_DYN) throw new ElfFault(`an ELF file of type ${elf.type}, not a shared object`);
  for (const { type } of elf.segments) {
    if (!SEGMENT_TYPES.has(type)) throw new ElfFault(`a segment of type 0x${type.toString(16)}`);
  }
  const loads = elf.segments.filter((one) => one.type === PT_LOAD);
  let end = 0;
  for (const one of loads) {
    const place = `the segment at 0x${one.address.toString(16)}`;
    if ((one.flags & PF_W) !== 0 && (one.flags & PF_X) !== 0) throw new ElfFault(`${place} is writable code`);
    if (one.address % PAGE_BYTES !== 0 || one.offset % PAGE_BYTES !== 0)
      throw new ElfFault(`${place} begins in a page`);
    if (one.address < end) throw new ElfFault(`${place} overlaps the one before it`);
    if (one.memoryBytes < one.fileBytes) throw new ElfFault(`${place} is larger in the file than in memory`);
    end = pageUp(one.address + one.memoryBytes);
  }
  if (end === 0 || end > GBX_BYTES_MAX) throw new ElfFault(`${end} bytes to load; the limit is ${GBX_BYTES_MAX}`);
  const stacks = elf.segments.filter((one) => one.type === PT_GNU_STACK);
  if (stacks.length !== 1 || stacks.some((one) => one.flags & PF_X)) throw new ElfFault("it wants an executable stack");
  return loads;
}

function pageUp(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}

function checkTags({ tags }: Dynamic): void {
  for (const tag of tags.keys()) {
    if (!TAGS.has(tag)) throw new ElfFault(`the dynamic tag 0x${tag.toString(16)} is not allowed`);
  }
  const [flags, flags1] = [tags.get(DT.FLAGS) ?? 0, tags.get(DT.FLAGS_1) ?? 0];
  if ((flags & ~PLAIN_FLAGS) !== 0 || (flags1 & ~PLAIN_FLAGS_1) !== 0) {
    throw new ElfFault(`the dynamic flags 0x${flags.toString(16)} and 0x${flags1.toString(16)} are not allowed`);
  }
}

/** One symbol is defined, the module's descriptor; the others are what the driver domain offers. */
function checkSymbols(symbols: DynamicSymbol[]): string[] {
  const named = symbols.slice(1);
  const defined = named.filter((one) => one.isDefined).map((one) => one.name);
  if (defined.length !== 1 || defined[0] !== DESCRIPTOR_NAME) {
    throw new ElfFault(`it defines ${defined.join(", ") || "nothing"}; it must define ${DESCRIPTOR_NAME} only`);
  }
  const imports = named.filter((one) => !one.isDefined);
  for (const { name, type } of imports) {
    if (!IMPORTS.has(name) && !name.startsWith(CAPABILITY_PREFIX)) throw new ElfFault(`it asks for "${name}"`);
    if (type > 2) throw new ElfFault(`"${name}" is a symbol of type ${type}`);
  }
  return imports.map((one) => one.name).sort();
}

const RELOCATIONS = new Map([
  [R_X86_64_64, "64"],
  [R_X86_64_GLOB_DAT, "GLOB_DAT"],
  [R_X86_64_JUMP_SLOT, "JUMP_SLOT"],
  [R_X86_64_RELATIVE, "RELATIVE"],
]);

/** What is written lies in data, whole; what it points to lies in the image or is an import. */
function checkRelocation(one: Relocation, loads: Segment[]): void {
  const place = `the relocation at 0x${one.address.toString(16)}`;
  if (!RELOCATIONS.has(one.type)) throw new ElfFault(`${place} is of type ${one.type}`);
  if ((one.type === R_X86_64_RELATIVE) !== (one.symbol === undefined)) throw new ElfFault(`${place} and its symbol`);
  const home = loads.find((load) => one.address >= load.address && one.address + 8 <= load.address + load.memoryBytes);
  if (home === undefined || (home.flags & PF_W) === 0) throw new ElfFault(`${place} writes outside of the data`);
  const target = Number(one.addend) + (one.symbol?.address ?? 0);
  const isInside = loads.some((load) => target >= load.address && target < load.address + load.memoryBytes);
  if (one.symbol?.isDefined === false ? one.addend !== 0n : !isInside) throw new ElfFault(`${place} points nowhere`);
}

/*
 * struct gb_module: 0 magic, 4 gbx_abi, 8 frame_bytes, 12 wasm_sha256[32], 44 global_count, 48 globals, 56 manifest,
 * 64 manifest_bytes, 68 instance_bytes, 72 memory_pages, 80 instantiate, 88 fuel, 96 entry[ENTRY_COUNT]
 */
const GBX_MAGIC = 0x44584247;
export const GBX_ABI = 1;
const DESCRIPTOR_BYTES = 96 + 8 * MODULE_BORDER.exports.length;

function descriptorOf(elf: Elf, symbols: DynamicSymbol[]): Descriptor {
  const symbol = symbols.find((one) => one.name === DESCRIPTOR_NAME) as DynamicSymbol;
  if (symbol.bytes !== DESCRIPTOR_BYTES) {
    throw new ElfFault(`${DESCRIPTOR_NAME} has ${symbol.bytes} bytes instead of ${DESCRIPTOR_BYTES}: pack it again`);
  }
  const bytes = bytesAt(elf, symbol.address, DESCRIPTOR_BYTES);
  const u32 = (at: number): number => viewOf(bytes).getUint32(at, true);
  if (u32(0) !== GBX_MAGIC || u32(4) !== GBX_ABI) throw new ElfFault(`not of .gbx version ${GBX_ABI}: pack it again`);
  return {
    frameBytes: u32(8),
    wasmSha256: Buffer.from(bytes.subarray(12, 44)).toString("hex"),
    globals: u32(44),
    instanceBytes: u32(68),
    memoryPages: u32(72),
  };
}
