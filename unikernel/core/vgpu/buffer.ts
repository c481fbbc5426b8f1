// SPDX-License-Identifier: MIT
//
// Capability "buffer": handles for guest memory that a module never sees as addresses again: a scatter list of the
// guest's pages, or a part of one of the device's own `ram` BARs. What lies behind is looked up at each use, in the
// guest of this vGPU and nowhere else. Lists are the guest's words: each piece, each sum is checked to the last byte.
//
//   handle    ┌ 0 ┬ generation, 19 bits, from 1 ┬ vGPU, 6 bits ┬ place in its table, 6 bits ┐
//
// A handle that is stale, another vGPU's or none at all can only come from a broken module: a fault.

import { BAR_KIND_RAM, MANIFEST_BUFFERS, MANIFEST_BUFFER_BYTES, MANIFEST_CAPABILITIES } from "../../abi/manifest";
import { BUFFER_NONE, CAPABILITY_BUFFER, CAPABILITY_OK, LIST_ENTRIES_MAX, LIST_ENTRY_BYTES } from "../../abi/module";
import { CAPABILITY_FATAL } from "../../abi/shim";
import { scanoutsForget } from "../display/scanout";
import { BARS, BUFFERS_PER_VGPU_MAX, PAGE_BYTES, VGPUS_MAX } from "../limits";
import { touch } from "../restart/dirty";
import { barAt } from "./bar";
import { TRANSFER, addressable, refusedBy } from "./guest_memory";
import { manifest } from "./module";
import { pieceAt, piecesClear, piecesInsert, piecesRemove, piecesRoom, piecesUsed } from "./pieces";
import { Vgpu, countRefused, vgpuAt } from "./vgpu";

@unmanaged
export class Buffer {
  handle: u32; // BUFFER_NONE: free
  generation: u32; // of the last handle given for this place
  bar: u32; // BUFFER_LIST, or the BAR that it is a part of
  first: u32; // number of its first piece within the vGPU's run
  pieces: u32;
  bytes: u64;
  offset: u64; // in the BAR
}
const BUFFER_BYTES: u32 = 40;
export const BUFFER_LIST: u32 = 0xff;

const PLACE_BITS: u32 = 6;
const VGPU_BITS: u32 = 6;
const GENERATION_MAX: u32 = 0x7ffff;

const TABLE: usize = memory.data(VGPUS_MAX * BUFFERS_PER_VGPU_MAX * BUFFER_BYTES, 8);

function bufferIn(vgpu: u32, place: u32): Buffer {
  if (offsetof<Buffer>() > BUFFER_BYTES) ERROR("BUFFER_BYTES");
  if (BUFFERS_PER_VGPU_MAX > <u32>1 << PLACE_BITS || VGPUS_MAX > <u32>1 << VGPU_BITS) ERROR("a handle's bits");
  return changetype<Buffer>(TABLE + (vgpu * BUFFERS_PER_VGPU_MAX + place) * BUFFER_BYTES);
}

/** The buffer of that handle; null: no such one of this vGPU. */
export function bufferFind(vgpu: Vgpu, handle: u32): Buffer | null {
  const buffer = bufferIn(vgpu.index, handle & ((1 << PLACE_BITS) - 1));
  return handle != BUFFER_NONE && buffer.handle == handle ? buffer : null;
}

export function buffersOf(vgpu: Vgpu): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < BUFFERS_PER_VGPU_MAX; i++) if (bufferIn(vgpu.index, i).handle != BUFFER_NONE) count++;
  return count;
}

/** Bytes that all its buffers speak of. */
export function bufferBytesOf(vgpu: Vgpu): u64 {
  let bytes: u64 = 0;
  for (let i: u32 = 0; i < BUFFERS_PER_VGPU_MAX; i++) {
    const buffer = bufferIn(vgpu.index, i);
    if (buffer.handle != BUFFER_NONE) bytes += buffer.bytes;
  }
  return bytes;
}

/** All handles are stale from here on. */
export function buffersClear(vgpu: Vgpu): void {
  for (let i: u32 = 0; i < BUFFERS_PER_VGPU_MAX; i++) bufferIn(vgpu.index, i).handle = BUFFER_NONE;
  piecesClear(vgpu.index);
  touch(vgpu.index);
}

/** Places in use, a bit each. */
export function buffersPlaces(vgpu: Vgpu): u64 {
  let places: u64 = 0;
  for (let i: u32 = 0; i < BUFFERS_PER_VGPU_MAX; i++) {
    if (bufferIn(vgpu.index, i).handle != BUFFER_NONE) places |= (<u64>1) << i;
  }
  return places;
}

/** Destroys those in other places. */
export function buffersKeep(vgpu: Vgpu, places: u64): void {
  for (let i: u32 = 0; i < BUFFERS_PER_VGPU_MAX; i++) {
    const buffer = bufferIn(vgpu.index, i);
    if (buffer.handle != BUFFER_NONE && !((places >> i) & 1)) destroy(vgpu, buffer);
  }
}

/** A new vGPU in this place begins with the first generation: what a module sees depends on nothing before it. */
export function buffersInit(vgpu: u32): void {
  memory.fill(changetype<usize>(bufferIn(vgpu, 0)), 0, BUFFERS_PER_VGPU_MAX * BUFFER_BYTES);
}

// --- what modules call ---

export function mayUseBuffers(vgpu: Vgpu): bool {
  return (load<u32>(manifest(vgpu.module), MANIFEST_CAPABILITIES) & CAPABILITY_BUFFER) != 0;
}

export function bufferCreate(tag: u32, count: u32): i32 {
  const vgpu = vgpuAt(tag);
  if (!mayUseBuffers(vgpu) || count > <u32>LIST_ENTRIES_MAX) return CAPABILITY_FATAL;
  const buffer = newBuffer(vgpu, BUFFER_LIST);
  if (buffer == null || !append(vgpu, buffer, count)) return refusedHandle(vgpu);
  return given(vgpu, buffer);
}

export function bufferBar(tag: u32, bar: u32, offset: u64, bytes: u64): i32 {
  const vgpu = vgpuAt(tag);
  if (!mayUseBuffers(vgpu) || bar >= BARS || barAt(tag, bar).kind != BAR_KIND_RAM) return CAPABILITY_FATAL;
  const size = barAt(tag, bar).size_bytes;
  const fits = offset <= size && bytes <= size - offset && bytes != 0;
  const buffer = fits && bytes <= roomOf(vgpu) ? newBuffer(vgpu, bar) : null;
  if (buffer == null) return refusedHandle(vgpu);
  buffer.offset = offset;
  buffer.bytes = bytes;
  return given(vgpu, buffer);
}

export function bufferAppend(tag: u32, handle: u32, count: u32): i32 {
  const vgpu = vgpuAt(tag);
  const buffer = mayUseBuffers(vgpu) && count <= <u32>LIST_ENTRIES_MAX ? bufferFind(vgpu, handle) : null;
  if (buffer == null || buffer.bar != BUFFER_LIST) return CAPABILITY_FATAL;
  return append(vgpu, buffer, count) ? CAPABILITY_OK : refusedBy(vgpu);
}

/** A scanout that shows it is off. */
export function bufferDestroy(tag: u32, handle: u32): i32 {
  const vgpu = vgpuAt(tag);
  const buffer = mayUseBuffers(vgpu) ? bufferFind(vgpu, handle) : null;
  if (buffer == null) return CAPABILITY_FATAL;
  destroy(vgpu, buffer);
  return CAPABILITY_OK;
}

function destroy(vgpu: Vgpu, buffer: Buffer): void {
  scanoutsForget(vgpu, buffer.handle);
  buffer.handle = BUFFER_NONE;
  if (buffer.bar == BUFFER_LIST) removePieces(vgpu, buffer);
  touch(vgpu.index);
}

/** A free place, without a handle yet; null: the promised number is used up. */
function newBuffer(vgpu: Vgpu, bar: u32): Buffer | null {
  const most = min<u32>(load<u32>(manifest(vgpu.module), MANIFEST_BUFFERS), BUFFERS_PER_VGPU_MAX);
  for (let place: u32 = 0; place < most; place++) {
    const buffer = bufferIn(vgpu.index, place);
    if (buffer.handle != BUFFER_NONE) continue;
    buffer.bar = bar;
    buffer.first = piecesUsed(vgpu.index);
    buffer.pieces = 0;
    buffer.bytes = 0;
    buffer.offset = 0;
    return buffer;
  }
  return null;
}

function given(vgpu: Vgpu, buffer: Buffer): i32 {
  const place = <u32>(changetype<usize>(buffer) - changetype<usize>(bufferIn(vgpu.index, 0))) / BUFFER_BYTES;
  buffer.generation = buffer.generation == GENERATION_MAX ? 1 : buffer.generation + 1;
  buffer.handle = (((buffer.generation << VGPU_BITS) | vgpu.index) << PLACE_BITS) | place;
  touch(vgpu.index);
  return <i32>buffer.handle;
}

function refusedHandle(vgpu: Vgpu): i32 {
  countRefused(vgpu);
  return <i32>BUFFER_NONE;
}

/** Bytes that its buffers may still speak of. */
function roomOf(vgpu: Vgpu): u64 {
  const most = load<u64>(manifest(vgpu.module), MANIFEST_BUFFER_BYTES);
  const used = bufferBytesOf(vgpu);
  return used < most ? most - used : 0;
}

// --- scatter lists: looked at as a whole first, then taken as a whole or not at all ---

@inline
function entryGpa(i: u32): u64 {
  return load<u64>(TRANSFER + i * LIST_ENTRY_BYTES);
}

@inline
function entryBytes(i: u32): u64 {
  return load<u64>(TRANSFER + i * LIST_ENTRY_BYTES, 8);
}

/** Where the buffer's last piece ends in the guest, and how long it is: pieces that touch become one. */
let lastEnd: u64 = 0;
let lastBytes: u64 = 0;

function lastOf(vgpu: Vgpu, buffer: Buffer): void {
  lastEnd = 0;
  lastBytes = 0;
  if (buffer.pieces == 0) return;
  const last = pieceAt(vgpu.index, buffer.first + buffer.pieces - 1);
  lastBytes = buffer.bytes - last.start;
  lastEnd = last.gpa + lastBytes;
}

function append(vgpu: Vgpu, buffer: Buffer, count: u32): bool {
  const added = piecesIn(vgpu, buffer, count);
  if (added < 0 || <u32>added > piecesRoom(vgpu.index)) return false;
  const at = buffer.first + buffer.pieces;
  piecesInsert(vgpu.index, at, added);
  shift(vgpu, buffer, at, added);
  take(vgpu, buffer, count);
  return true;
}

/**
 * How many pieces the entries add; -1: they cannot be. Only the first and the last piece of a buffer may be shorter
 * than a page, so that the work for a copy depends on its length (and on nothing that a guest chooses).
 */
function piecesIn(vgpu: Vgpu, buffer: Buffer, count: u32): i32 {
  const room = roomOf(vgpu);
  let pieces = buffer.pieces;
  let total: u64 = 0; // at most 256 times 2^48
  lastOf(vgpu, buffer);
  for (let i: u32 = 0; i < count; i++) {
    const gpa = entryGpa(i);
    const bytes = entryBytes(i);
    if (bytes == 0 || !addressable(gpa, bytes)) return -1;
    if (pieces != 0 && gpa == lastEnd) lastBytes += bytes;
    else {
      if (pieces > 1 && lastBytes < PAGE_BYTES) return -1;
      pieces++;
      lastBytes = bytes;
    }
    lastEnd = gpa + bytes;
    total += bytes;
  }
  return total > room ? -1 : <i32>(pieces - buffer.pieces);
}

/** The buffers behind lie further up now. */
function shift(vgpu: Vgpu, grown: Buffer, at: u32, added: i32): void {
  for (let place: u32 = 0; place < BUFFERS_PER_VGPU_MAX; place++) {
    const other = bufferIn(vgpu.index, place);
    if (other.handle != BUFFER_NONE && other.handle != grown.handle && other.first >= at) other.first += added;
  }
}

function take(vgpu: Vgpu, buffer: Buffer, count: u32): void {
  lastOf(vgpu, buffer);
  for (let i: u32 = 0; i < count; i++) {
    const gpa = entryGpa(i);
    if (buffer.pieces == 0 || gpa != lastEnd) {
      const piece = pieceAt(vgpu.index, buffer.first + buffer.pieces++);
      piece.gpa = gpa;
      piece.start = buffer.bytes;
    }
    lastEnd = gpa + entryBytes(i);
    buffer.bytes += entryBytes(i);
  }
}

function removePieces(vgpu: Vgpu, buffer: Buffer): void {
  const end = buffer.first + buffer.pieces;
  piecesRemove(vgpu.index, buffer.first, buffer.pieces);
  if (buffer.pieces != 0) shift(vgpu, buffer, end, -<i32>buffer.pieces);
}
