// SPDX-License-Identifier: MIT
//
// Buffer handles as docs/MODULE_ABI.md promises them, over a test's guest memory; strict: what the text calls a fault
// is thrown.

import type { Memory } from "./bus.js";

export class Fault extends Error {}

interface Buffer {
  /** Of the guest's pages, or undefined: a part of the BAR. */
  list: { gpa: bigint; bytes: number }[] | undefined;
  own: Uint8Array;
  bytes: number;
}

const LIST_ENTRIES_MAX = 256;

export class Buffers {
  readonly all = new Map<number, Buffer>();
  /** Refuse the nth allocation from now: a quota that is used up. */
  refuseAfter = Number.POSITIVE_INFINITY;
  private next = 1;

  constructor(
    private readonly memory: Memory,
    /** The `ram` BAR. */
    private readonly pixels: Uint8Array,
  ) {}

  private get(handle: number): Buffer {
    const buffer = this.all.get(handle);
    if (buffer === undefined) throw new Fault(`no buffer ${handle}`);
    return buffer;
  }

  private add(buffer: Buffer): number {
    if (this.refuseAfter-- <= 0) return 0;
    this.all.set(this.next, buffer);
    return this.next++;
  }

  bar(bar: number, offset: bigint, bytes: bigint): number {
    if (bar !== 4) throw new Fault(`bar ${bar} is no ram`);
    if (bytes <= 0n || offset + bytes > BigInt(this.pixels.length)) return 0;
    const own = this.pixels.subarray(Number(offset), Number(offset + bytes));
    for (const { list, own: other } of this.all.values()) {
      const apart =
        other.byteOffset + other.length <= own.byteOffset || own.byteOffset + own.length <= other.byteOffset;
      if (list === undefined && !apart) throw new Fault("pixels of two resources in one place");
    }
    return this.add({ list: undefined, own, bytes: own.length });
  }

  create(list: Uint8Array): number {
    const buffer = { list: [], own: new Uint8Array(), bytes: 0 };
    return this.extend(buffer, list) ? this.add(buffer) : 0;
  }

  append(handle: number, list: Uint8Array): number {
    const buffer = this.get(handle);
    if (buffer.list === undefined) throw new Fault("append to a buffer of ours");
    return this.extend(buffer, list) ? 0 : 2;
  }

  /** All of the pieces, or none. */
  private extend(buffer: Buffer, list: Uint8Array): boolean {
    if (list.length % 16 !== 0 || list.length / 16 > LIST_ENTRIES_MAX)
      throw new Fault(`a list of ${list.length} bytes`);
    const view = new DataView(list.buffer, list.byteOffset, list.length);
    const more: { gpa: bigint; bytes: number }[] = [];
    for (let at = 0; at < list.length; at += 16) {
      const gpa = view.getBigUint64(at, true);
      const bytes = view.getBigUint64(at + 8, true);
      if (bytes === 0n || bytes > 0x100000000n || gpa + bytes > 1n << 48n) return false;
      more.push({ gpa, bytes: Number(bytes) });
    }
    buffer.list?.push(...more);
    for (const one of more) buffer.bytes += one.bytes;
    return true;
  }

  destroy(handle: number): number {
    this.get(handle);
    this.all.delete(handle);
    return 0;
  }

  bytes(handle: number): number {
    return this.get(handle).bytes;
  }

  /** Undefined: the guest has no RAM there any more. */
  read(handle: number, offset: number, length: number): Uint8Array | undefined {
    const buffer = this.get(handle);
    if (offset + length > buffer.bytes) return undefined;
    if (buffer.list === undefined) return buffer.own.slice(offset, offset + length);
    const out = new Uint8Array(length);
    let at = 0;
    let base = 0;
    for (const { gpa, bytes } of buffer.list) {
      const from = Math.max(offset, base);
      const to = Math.min(offset + length, base + bytes);
      if (from < to) {
        const piece = this.memory.read(gpa + BigInt(from - base), to - from);
        if (piece === undefined) return undefined;
        out.set(piece, at);
        at += to - from;
      }
      base += bytes;
    }
    return out;
  }

  /** Whether the rows lie in the buffer; a handle that is none is a fault. */
  holds(handle: number, offset: bigint, stride: number, rowBytes: number, rows: number): boolean {
    const bytes = BigInt(this.get(handle).bytes);
    const end = BigInt.asUintN(64, offset) + BigInt(rows - 1) * BigInt(stride >>> 0) + BigInt(rowBytes);
    return rows > 0 && end <= bytes;
  }

  /** The engine's, later: false when a buffer is gone by then, or a page. */
  copy(
    dst: number,
    dstOffset: bigint,
    dstStride: number,
    src: number,
    srcOffset: bigint,
    srcStride: number,
    rowBytes: number,
    rows: number,
  ): boolean {
    const to = this.all.get(dst);
    if (to === undefined || !this.all.has(src)) return false;
    if (to.list !== undefined) throw new Fault("a copy into the guest's own pages");
    for (let row = 0; row < rows; row++) {
      const bytes = this.read(src, Number(srcOffset) + row * srcStride, rowBytes);
      if (bytes === undefined) return false;
      to.own.set(bytes, Number(dstOffset) + row * dstStride);
    }
    return true;
  }
}
