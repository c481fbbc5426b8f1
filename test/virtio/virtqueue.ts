// SPDX-License-Identifier: MIT
//
// The driver's side of a split virtqueue, from the specification (virtio 1.2, 2.7), as Linux' virtio_ring does it:
// indirect tables and the event index where they were agreed on.

import * as V from "../../unikernel/abi/virtio.js";
import type { Ram } from "./bus.js";

export interface Piece {
  gpa: bigint;
  bytes: number;
}

export interface Descriptor extends Piece {
  flags: number;
  next: number;
}

export class Virtqueue {
  readonly descriptors: bigint;
  readonly available: bigint;
  readonly used: bigint;
  /** Free-running, 16 bits. */
  availIndex = 0;
  private shown = 0;
  usedIndex = 0;
  private readonly free: number[];
  private readonly chains = new Map<number, number[]>();

  constructor(
    readonly ram: Ram,
    readonly size: number,
    readonly eventIndex: boolean,
    readonly indirect: boolean,
  ) {
    this.descriptors = ram.pages(Math.ceil((size * 16) / 4096));
    this.available = ram.pages(1);
    this.used = ram.pages(1);
    this.free = Array.from({ length: size }, (_, i) => size - 1 - i);
  }

  putDescriptor(table: bigint, index: number, { gpa, bytes, flags, next }: Descriptor): void {
    const view = new DataView(new ArrayBuffer(16));
    view.setBigUint64(0, BigInt.asUintN(64, gpa), true);
    view.setUint32(8, bytes, true);
    view.setUint16(12, flags, true);
    view.setUint16(14, next, true);
    this.ram.fill(table + BigInt(index * 16), new Uint8Array(view.buffer));
  }

  /** A chain: what the device reads, then what it writes. Answers its head. */
  add(readable: readonly Piece[], writable: readonly Piece[]): number {
    const pieces = [...readable.map((one) => ({ one, write: 0 })), ...writable.map((one) => ({ one, write: 2 }))];
    const flags = (i: number) => (pieces[i]?.write ?? 0) | (i + 1 < pieces.length ? V.VRING_DESC_F_NEXT : 0);
    if (this.indirect && pieces.length > 1) {
      const table = this.ram.pages(Math.ceil((pieces.length * 16) / 4096));
      pieces.forEach(({ one }, i) => {
        this.putDescriptor(table, i, { ...one, flags: flags(i), next: i + 1 });
      });
      const head = this.take();
      const flag = V.VRING_DESC_F_INDIRECT;
      this.putDescriptor(this.descriptors, head, { gpa: table, bytes: pieces.length * 16, flags: flag, next: 0 });
      this.chains.set(head, [head]);
      this.offer(head);
      return head;
    }
    const slots = pieces.map(() => this.take());
    pieces.forEach(({ one }, i) => {
      this.putDescriptor(this.descriptors, slots[i] as number, { ...one, flags: flags(i), next: slots[i + 1] ?? 0 });
    });
    this.chains.set(slots[0] as number, slots);
    this.offer(slots[0] as number);
    return slots[0] as number;
  }

  private take(): number {
    const slot = this.free.pop();
    if (slot === undefined) throw new Error("the ring is full");
    return slot;
  }

  /** A head into the available ring, whatever it is. */
  offer(head: number): void {
    this.ram.setWord(this.available + BigInt(V.VRING_RING + (this.availIndex % this.size) * 2), head);
    this.availIndex = (this.availIndex + 1) & 0xffff;
  }

  /** Show the device what was offered; whether it wants to be notified. */
  show(): boolean {
    const old = this.shown;
    this.shown = this.availIndex;
    this.ram.setWord(this.available + BigInt(V.VRING_IDX), this.availIndex);
    if (!this.eventIndex) return (this.ram.word(this.used) & V.VRING_USED_F_NO_NOTIFY) === 0;
    const event = this.ram.word(this.used + BigInt(V.VRING_RING + this.size * V.VRING_USED_ELEM_BYTES));
    return ((this.availIndex - event - 1) & 0xffff) < ((this.availIndex - old) & 0xffff);
  }

  /** What came back. */
  collect(): { head: number; written: number }[] {
    const out: { head: number; written: number }[] = [];
    while (this.usedIndex !== this.ram.word(this.used + BigInt(V.VRING_IDX))) {
      const at = this.used + BigInt(V.VRING_RING + (this.usedIndex % this.size) * V.VRING_USED_ELEM_BYTES);
      const view = new DataView(this.ram.bytes(at, 8).buffer);
      const head = view.getUint32(0, true);
      out.push({ head, written: view.getUint32(4, true) });
      this.free.push(...(this.chains.get(head) ?? []).reverse());
      this.chains.delete(head);
      this.usedIndex = (this.usedIndex + 1) & 0xffff;
    }
    if (this.eventIndex) this.wantInterrupt(this.usedIndex);
    return out;
  }

  /** used_event: an interrupt when the device's index passes this. */
  wantInterrupt(index: number): void {
    this.ram.setWord(this.available + BigInt(V.VRING_RING + this.size * 2), index);
  }

  /** The flag, for a driver without the event index. */
  setNoInterrupt(no: boolean): void {
    this.ram.setWord(this.available, no ? V.VRING_AVAIL_F_NO_INTERRUPT : 0);
  }
}
