// SPDX-License-Identifier: MIT
//
// What the driver of an input has in its memory and has told the device of its queues, read back from the records: so
// that a request can be taken out of one input, with all that it needs, and put behind another's (append.ts). A virtio
// device's queues only (virtio 1.2, 2.7 and 4.1.4.3). What the device writes is not known here; of memory that was
// never written, zeros.

import {
  VIRTIO_PCI_COMMON_Q_AVAILLO,
  VIRTIO_PCI_COMMON_Q_DESCLO,
  VIRTIO_PCI_COMMON_Q_SELECT,
  VIRTIO_PCI_COMMON_Q_SIZE,
  VIRTIO_PCI_COMMON_STATUS,
  VRING_DESC_BYTES,
  VRING_DESC_F_INDIRECT,
  VRING_DESC_F_NEXT,
  VRING_DESC_F_WRITE,
  VRING_IDX,
  VRING_RING,
} from "../../../unikernel/abi/virtio.js";
import { KIND_CALL_EVENT, KIND_CALL_WORK_DONE, KIND_CALL_WRITE, KIND_MEMORY, KIND_TIME } from "../../trace/index.js";
import { RECORD_WORDS, WORD_ADDR, WORD_DATA, WORD_KIND, WORD_SIZE } from "../record.js";
import type { VirtioPlaces } from "./virtio.js";

/** Of one that was never set up: none. */
export interface GuestQueue {
  size: number;
  descriptors: number;
  available: number;
  /** Of the available ring's index: as far as doorbells have told. */
  told: number;
}

export interface Request {
  queue: number;
  head: number;
  /** Slots of the table, from the head on: address, and length, flags, next as they stand there. */
  chain: { slot: number; addr: number; addrHigh: number; bytes: number; rest: number }[];
  /** What stood in the memory that the device reads of it: words of 32 bits by address. */
  contents: Map<number, number>;
  /** What lets time pass behind its doorbell: kind and first word of the address. */
  passing: [kind: number, addr: number, data: number][];
}

/** One of an input. */
export interface Told extends Request {
  /** The record behind it and what passes. */
  end: number;
}

const QUEUES_MAX = 8;
const CHAIN_MAX = 16;
/** Of each descriptor's memory; the fixed parts of requests and short lists are shorter. */
const AREA_BYTES_MAX = 1024;
/** Of `count` times the same. */
const REPEATS_MAX = 64;
const PASSING_MAX = 4;
/** Of one doorbell. */
const TOLD_MAX = 8;
const PASSING = new Set([KIND_CALL_EVENT, KIND_CALL_WORK_DONE, KIND_TIME]);

const kindAt = (words: Int32Array, at: number): number => ((words[at + WORD_KIND] as number) >>> 24) & 0xff;

const addressAt = (words: Int32Array, at: number): number =>
  ((words[at] as number) >>> 0) + ((words[at + 1] as number) >>> 0) * 2 ** 32;

/** All that the doorbells of an input tell of. */
export function requestsOf(places: VirtioPlaces, words: Int32Array): Told[] {
  const told: Told[] = [];
  new Guest(places).play(words, words.length / RECORD_WORDS, told);
  return told;
}

export class Guest {
  readonly queues: GuestQueue[] = [];
  private readonly memory = new Map<number, number>();
  private selected = 0;

  constructor(private readonly places: VirtioPlaces) {}

  /** The records happen; the requests that doorbells tell of go into `told`, in their order. */
  play(words: Int32Array, records: number, told?: Told[]): void {
    for (let i = 0; i < records; i++) {
      const at = i * RECORD_WORDS;
      const kind = kindAt(words, at);
      if (kind === KIND_MEMORY) this.stores(words, at);
      if (kind !== KIND_CALL_WRITE) continue;
      if (this.isDoorbell(words, at)) this.ring(words, i, records, told);
      else this.configure(words, at);
    }
  }

  private stores(words: Int32Array, at: number): void {
    const bytes = ((words[at + WORD_SIZE] as number) >> 8) & 0xff;
    const count = Math.min(Math.max(1, (words[at + WORD_SIZE] as number) >>> 16), REPEATS_MAX);
    if (bytes === 0) return this.memory.clear();
    const addr = addressAt(words, at + WORD_ADDR);
    for (let i = 0; i < count && bytes <= 8; i++) {
      this.put(addr + i * bytes, words[at + WORD_DATA] as number, Math.min(bytes, 4));
      if (bytes > 4) this.put(addr + i * bytes + 4, words[at + WORD_DATA + 1] as number, bytes - 4);
    }
  }

  /** The low bytes of a word, wherever it begins. */
  put(addr: number, value: number, bytes = 4): void {
    if (bytes === 4 && addr % 4 === 0) {
      this.memory.set(addr, value);
      return;
    }
    for (let i = 0; i < bytes; i++) {
      const place = (addr + i) % 4;
      const word = addr + i - place;
      const old = this.memory.get(word) ?? 0;
      this.memory.set(word, (old & ~(0xff << (8 * place))) | (((value >>> (8 * i)) & 0xff) << (8 * place)));
    }
  }

  /** At an address that is a multiple of 4. */
  word(addr: number): number {
    return this.memory.get(addr) ?? 0;
  }

  private half(addr: number): number {
    return (this.word(addr - (addr % 4)) >>> (8 * (addr % 4))) & 0xffff;
  }

  private isDoorbell(words: Int32Array, at: number): boolean {
    const { bar, offset, multiplier } = this.places.notify;
    const addr = words[at + WORD_ADDR] as number;
    const room = Math.max(multiplier * QUEUES_MAX, 2);
    return ((words[at + WORD_SIZE] as number) & 0xff) === bar && addr >= offset && addr < offset + room;
  }

  /** The driver tells of its queues; a status of 0 forgets them. */
  private configure(words: Int32Array, at: number): void {
    const { bar, offset } = this.places.common;
    if (((words[at + WORD_SIZE] as number) & 0xff) !== bar) return;
    const value = words[at + WORD_DATA] as number;
    const queue = this.queues[this.selected];
    switch ((words[at + WORD_ADDR] as number) - offset) {
      case VIRTIO_PCI_COMMON_STATUS:
        if ((value & 0xff) === 0) this.queues.length = 0;
        return;
      case VIRTIO_PCI_COMMON_Q_SELECT:
        this.selected = Math.min(value & 0xffff, QUEUES_MAX);
        if (this.selected < QUEUES_MAX)
          this.queues[this.selected] ??= { size: 0, descriptors: 0, available: 0, told: 0 };
        return;
      case VIRTIO_PCI_COMMON_Q_SIZE:
        if (queue !== undefined) queue.size = value & 0xffff;
        return;
      case VIRTIO_PCI_COMMON_Q_DESCLO:
        if (queue !== undefined) queue.descriptors = value >>> 0;
        return;
      case VIRTIO_PCI_COMMON_Q_AVAILLO:
        if (queue !== undefined) queue.available = value >>> 0;
        return;
      default:
        return;
    }
  }

  /** What stands in the ring since the last doorbell of that queue; of very many the first. */
  private ring(words: Int32Array, record: number, records: number, told: Told[] | undefined): void {
    const number = (words[record * RECORD_WORDS + WORD_DATA] as number) & 0xffff;
    const queue = this.queues[number];
    if (queue === undefined || queue.size === 0 || queue.available % 2 !== 0) return;
    const index = this.half(queue.available + VRING_IDX);
    const [first, fresh] = [queue.told, (index - queue.told) & 0xffff];
    queue.told = index;
    if (told === undefined || fresh === 0 || fresh > queue.size) return;
    const count = Math.min(fresh, TOLD_MAX);
    for (let i = 0; i < count; i++) {
      const slot = ((first + i) & 0xffff) % queue.size;
      const head = this.half(queue.available + VRING_RING + 2 * slot);
      const passing = i === count - 1 ? passingAt(words, record + 1, records) : [];
      told.push(this.request(number, queue, head, passing, record + 1 + passing.length));
    }
  }

  private request(queue: number, where: GuestQueue, head: number, passing: Request["passing"], end: number): Told {
    const request: Told = { queue, head, chain: [], contents: new Map(), passing, end };
    for (let slot = head; slot < where.size && request.chain.length < CHAIN_MAX; ) {
      const place = where.descriptors + slot * VRING_DESC_BYTES;
      const [addr, addrHigh] = [this.word(place), this.word(place + 4)];
      const [bytes, rest] = [this.word(place + 8), this.word(place + 12)];
      request.chain.push({ slot, addr, addrHigh, bytes, rest });
      if (addrHigh === 0) this.readable(addr >>> 0, bytes >>> 0, rest & 0xffff, request.contents);
      if ((rest & VRING_DESC_F_NEXT) === 0) break;
      slot = rest >>> 16;
    }
    return request;
  }

  /** Of a descriptor's memory what the device reads; of a table of descriptors also what those point to. */
  private readable(addr: number, bytes: number, flags: number, into: Map<number, number>): void {
    if ((flags & VRING_DESC_F_WRITE) !== 0) return;
    const end = addr + Math.min(bytes, AREA_BYTES_MAX);
    for (let at = addr - (addr % 4); at < end; at += 4) {
      const value = this.memory.get(at);
      if (value !== undefined) into.set(at, value);
    }
    if ((flags & VRING_DESC_F_INDIRECT) === 0) return;
    for (let at = addr; at + VRING_DESC_BYTES <= end; at += VRING_DESC_BYTES) {
      const inner = this.half(at + 12) & ~VRING_DESC_F_INDIRECT; // no table in a table
      if (this.word(at + 4) === 0) this.readable(this.word(at) >>> 0, this.word(at + 8) >>> 0, inner, into);
    }
  }
}

function passingAt(words: Int32Array, from: number, end: number): Request["passing"] {
  const passing: Request["passing"] = [];
  for (let i = from; i < end && passing.length < PASSING_MAX && PASSING.has(kindAt(words, i * RECORD_WORDS)); i++) {
    const at = i * RECORD_WORDS;
    passing.push([kindAt(words, at), words[at + WORD_ADDR] as number, words[at + WORD_DATA] as number]);
  }
  return passing;
}
