// SPDX-License-Identifier: MIT
//
// Requests behind what an input does already: each is put into its ring where the driver left that, with all that the
// device reads of it, and its doorbell. Only words of memory that differ from what stands there become records. Nothing
// here knows what a request means.

import { VRING_DESC_BYTES, VRING_IDX, VRING_RING } from "../../../unikernel/abi/virtio.js";
import { KIND_CALL_WRITE, KIND_MEMORY } from "../../trace/index.js";
import { RECORD_WORDS, WORD_ADDR, WORD_DATA, WORD_KIND, WORD_SIZE } from "../record.js";
import { Guest, type Request } from "./guest.js";
import type { VirtioPlaces } from "./virtio.js";

export class Appender {
  private readonly guest: Guest;
  private isFull = false;

  /** `words` has `records`; at most `most` when all is said. */
  constructor(
    private readonly places: VirtioPlaces,
    private readonly words: Int32Array,
    private records: number,
    private readonly most: number,
  ) {
    this.guest = new Guest(places);
    this.guest.play(words, records);
  }

  get count(): number {
    return this.records;
  }

  /** The request at the end. Without room for all of it the rest is missing, and so are those behind it. */
  append(request: Request): void {
    if (!this.isFull) this.isFull = !this.put(request);
  }

  /** False: the queue is not set up, or there is no room. */
  private put(request: Request): boolean {
    const queue = this.guest.queues[request.queue];
    if (queue === undefined || queue.size === 0) return false;
    for (const { slot, addr, addrHigh, bytes, rest } of request.chain) {
      const at = queue.descriptors + (slot % queue.size) * VRING_DESC_BYTES;
      if (!this.store(at, addr, addrHigh) || !this.store(at + 8, bytes, rest)) return false;
    }
    for (const at of request.contents.keys()) {
      const first = at - (at % 8);
      const [low, high] = [first, first + 4].map((one) => request.contents.get(one) ?? this.guest.word(one));
      if (!this.store(first, low as number, high as number)) return false;
    }
    const place = queue.available + VRING_RING + 2 * (queue.told % queue.size);
    queue.told = (queue.told + 1) & 0xffff;
    return (
      this.storeHalf(place, request.head) &&
      this.storeHalf(queue.available + VRING_IDX, queue.told) &&
      this.doorbell(request.queue) &&
      request.passing.every(([kind, addr, data]) => this.next(kind, 0, 0, addr, data))
    );
  }

  private next(kind: number, where: number, size: number, addr: number, low: number, high = 0): boolean {
    if (this.records >= this.most) return false;
    const at = this.records++ * RECORD_WORDS;
    this.words.fill(0, at, at + RECORD_WORDS);
    this.words[at + WORD_KIND] = kind << 24;
    this.words[at + WORD_SIZE] = where | (size << 8);
    this.words[at + WORD_ADDR] = addr;
    this.words[at + WORD_DATA] = low;
    this.words[at + WORD_DATA + 1] = high;
    return true;
  }

  private store(addr: number, low: number, high: number): boolean {
    if (this.guest.word(addr) === low && this.guest.word(addr + 4) === high) return true;
    this.guest.put(addr, low);
    this.guest.put(addr + 4, high);
    return this.next(KIND_MEMORY, 0, 8, addr, low, high);
  }

  private storeHalf(addr: number, value: number): boolean {
    const word = addr - (addr % 4);
    if (((this.guest.word(word) >>> (8 * (addr % 4))) & 0xffff) === value) return true;
    this.guest.put(addr, value, 2);
    return this.next(KIND_MEMORY, 0, 2, addr, value);
  }

  private doorbell(queue: number): boolean {
    const { bar, offset, multiplier } = this.places.notify;
    return this.next(KIND_CALL_WRITE, bar, 2, offset + queue * multiplier, queue);
  }
}
