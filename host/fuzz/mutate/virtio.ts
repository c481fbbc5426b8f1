// SPDX-License-Identifier: MIT
//
// What no chance finds: the dozen of writes in the right order with which a driver brings a virtio device up (virtio
// 1.2, 3.1.1), and a chain in a ring with a doorbell behind it. Everything in it is a record like others, so what the
// mutator does to records makes the wrong orders, lengths and loops out of it.

import type { Manifest } from "../../pipeline/manifest.js";
import { KIND_CALL_WRITE, KIND_MEMORY, KIND_TIME } from "../../trace/index.js";
import type { Random } from "../random.js";
import { RECORD_WORDS, WORD_ADDR, WORD_DATA, WORD_KIND, WORD_SIZE } from "../record.js";
import type { Request } from "./guest.js";

/** Where a driver finds the structures, by the manifest's PCI capabilities (virtio 1.2, 4.1.4). */
export interface VirtioPlaces {
  common: { bar: number; offset: number };
  notify: { bar: number; offset: number; multiplier: number };
}

const VIRTIO_VENDOR = 0x1af4;
const VENDOR_CAPABILITY = 9;
const [COMMON, NOTIFY] = [1, 2];

export function virtioOf({ vendor, pciCapabilities = [] }: Manifest): VirtioPlaces | undefined {
  if (Number(vendor) !== VIRTIO_VENDOR) return undefined;
  const known = pciCapabilities
    .filter((one) => Number(one.id) === VENDOR_CAPABILITY)
    .map((one) => Buffer.from(one.bytes.replace(/\s/g, ""), "hex"));
  const common = known.find((one) => one[1] === COMMON && one.length >= 14);
  // The first one in memory; a doorbell among I/O ports is another door to the same.
  const notify = known.filter((one) => one[1] === NOTIFY && one.length >= 18).find((one) => one[2] === common?.[2]);
  if (common === undefined || notify === undefined) return undefined;
  return {
    common: { bar: common[2] as number, offset: common.readUInt32LE(6) },
    notify: { bar: notify[2] as number, offset: notify.readUInt32LE(6), multiplier: notify.readUInt32LE(14) },
  };
}

const QUEUES = 2;
/** Of each queue in guest memory: descriptors, available ring, used ring, a page each; then requests and answers. */
const QUEUE_BYTES = 0x4000;
const REQUESTS = 0x8000;
const ANSWERS = 0xc000;
const CHAINS = 4;
const ANSWER_BYTES = [24, 48, 256, 408, 1056];
const [NEXT, WRITE, INDIRECT] = [1, 2, 4];
const FEATURES = [0, 2, 8, 10, 1 << 28, 1 << 29, (1 << 28) | (1 << 29) | 10];

type Put = [kind: number, where: number, size: number, addr: number, low: number, high?: number];

/** The records of a driver's first steps. */
export function bringUp({ common }: VirtioPlaces, random: Random): Put[] {
  const set = (offset: number, size: number, value: number): Put => [
    KIND_CALL_WRITE,
    common.bar,
    size,
    common.offset + offset,
    value,
  ];
  const queue = (n: number): Put[] => [
    set(0x16, 2, n),
    set(0x18, 2, 8),
    set(0x20, 4, n * QUEUE_BYTES),
    set(0x28, 4, n * QUEUE_BYTES + 0x1000),
    set(0x30, 4, n * QUEUE_BYTES + 0x2000),
    set(0x1c, 2, 1),
  ];
  return [
    set(0x14, 1, 3), // ACKNOWLEDGE, DRIVER
    set(0x0c, 4, random.pick(FEATURES)),
    set(0x08, 4, 1),
    set(0x0c, 4, 1), // VERSION_1
    set(0x14, 1, 11), // FEATURES_OK
    ...Array.from({ length: QUEUES }, (_, n) => queue(n)).flat(),
    set(0x14, 1, 15), // DRIVER_OK
  ];
}

/** A request in a chain of two or three, and the doorbell. */
export function request({ notify }: VirtioPlaces, random: Random, value: () => number): Put[] {
  const queue = random.oneIn(4) ? 1 : 0;
  const head = random.below(CHAINS) * 2;
  const rings = queue * QUEUE_BYTES;
  const from = REQUESTS + head * 0x100;
  const memory = (addr: number, low: number, high = 0): Put => [KIND_MEMORY, 0, 8, addr, low, high];
  const descriptor = (n: number, addr: number, bytes: number, flags: number, next: number): Put[] => [
    memory(rings + n * 16, addr),
    memory(rings + n * 16 + 8, bytes, flags | (next << 16)),
  ];
  const small = (): number => (random.oneIn(4) ? value() : random.below(4));
  const body = Array.from({ length: random.below(7) }, (_, i) =>
    memory(from + 24 + i * 8, random.oneIn(3) ? 1 << random.below(14) : small(), random.oneIn(2) ? small() : value()),
  );
  const index = 1 + random.below(CHAINS);
  const bytes = 24 + random.below(9) * 8;
  return [
    ...descriptor(head, from, bytes, NEXT | (random.oneIn(16) ? INDIRECT : 0), head + 1),
    ...descriptor(head + 1, ANSWERS + head * 0x100, random.pick(ANSWER_BYTES), WRITE, 0),
    memory(from, random.oneIn(3) ? value() : 0x100 + random.below(16), random.below(4)),
    ...body,
    memory(rings + 0x1000, index << 16, head | (head << 16)),
    memory(rings + 0x1008, head | (head << 16), head | (head << 16)),
    [KIND_CALL_WRITE, notify.bar, 2, notify.offset + queue * notify.multiplier, queue],
  ];
}

/**
 * A request that stands in its queue as it should: type and flags, then words of which many are zeros, small, or what
 * this driver has said before (`again`).
 */
export function compose(random: Random, value: () => number, again: readonly number[]): Request {
  const head = random.below(CHAINS) * 2;
  const from = REQUESTS + head * 0x100;
  const bytes = 24 + random.below(9) * 8;
  const contents = new Map<number, number>();
  const word = (): number => {
    const die = random.below(16);
    if (die < 6) return 0;
    if (die < 10 && again.length > 0) return random.pick(again);
    if (die < 12) return random.below(4);
    return die < 14 ? 1 << random.below(14) : value();
  };
  for (let at = 0; at < 24; at += 4) contents.set(from + at, 0);
  contents.set(from, random.oneIn(8) ? value() : 0x100 + random.below(16));
  contents.set(from + 4, random.below(4));
  for (let at = 24; at < bytes; at += 4) contents.set(from + at, word());
  const answer = { addr: ANSWERS + head * 0x100, addrHigh: 0, bytes: random.pick(ANSWER_BYTES), rest: WRITE };
  return {
    queue: random.oneIn(8) ? 1 : 0,
    head,
    chain: [
      { slot: head, addr: from, addrHigh: 0, bytes, rest: NEXT | ((head + 1) << 16) },
      { slot: head + 1, ...answer },
    ],
    contents,
    passing: random.oneIn(2) ? [] : [[KIND_TIME, 1 << random.below(24), 0]],
  };
}

/** Into the input, from word `at` on. */
export function putAll(words: Int32Array, at: number, all: readonly Put[]): void {
  words.fill(0, at, at + all.length * RECORD_WORDS);
  for (const [i, [kind, where, size, addr, low, high = 0]] of all.entries()) {
    const word = at + i * RECORD_WORDS;
    words[word + WORD_KIND] = kind << 24;
    words[word + WORD_SIZE] = where | (size << 8);
    words[word + WORD_ADDR] = addr;
    words[word + WORD_DATA] = low;
    words[word + WORD_DATA + 1] = high;
  }
}
