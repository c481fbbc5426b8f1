// SPDX-License-Identifier: MIT
//
// Guest memory as inputs write it: the driver's window of it is small, so that addresses meet (driver/memory.ts), and
// what stands there looks like what drivers leave: descriptors of a virtqueue, entries of a scatter list.

import { KIND_MEMORY } from "../../trace/index.js";
import type { Random } from "../random.js";
import { WORD_ADDR, WORD_DATA, WORD_KIND, WORD_SIZE } from "../target.js";

/** Guest RAM of the driver: this many bytes from 0, and as many from 4 GiB. */
export const GUEST_WINDOW_BYTES = 1 << 17;
const PAGE = 4096;
const PAGES = 8;

/** An address within the window, near the start of one of a few pages. */
export function guestAddress(random: Random): number {
  return random.below(PAGES) * PAGE + (random.oneIn(3) ? random.below(PAGE >> 3) * 8 : random.below(16) * 16);
}

/** One record of kind memory: 8 bytes, what they mean is chosen by chance. */
export function putMemory(words: Int32Array, at: number, random: Random, value: () => number): void {
  words[at + WORD_KIND] = KIND_MEMORY << 24;
  words[at + WORD_SIZE] = (8 << 8) | (random.oneIn(8) ? (1 + random.below(64)) << 16 : 0);
  words[at + WORD_ADDR] = guestAddress(random);
  words[at + WORD_ADDR + 1] = random.oneIn(32) ? 1 : 0;
  switch (random.below(4)) {
    case 0: // an address of the window: descriptor, list entry, ring
      words[at + WORD_DATA] = guestAddress(random);
      words[at + WORD_DATA + 1] = random.oneIn(32) ? 1 : 0;
      return;
    case 1: // length, flags, next: the second half of a descriptor
      words[at + WORD_DATA] = random.oneIn(4) ? value() : 1 << random.below(14);
      words[at + WORD_DATA + 1] = random.below(8) | (random.below(8) << 16);
      return;
    case 2: // flags, index and first entry of an available ring
      words[at + WORD_DATA] = random.below(2) | (random.below(8) << 16);
      words[at + WORD_DATA + 1] = random.below(8) | (random.below(8) << 16);
      return;
    default:
      words[at + WORD_DATA] = value();
      words[at + WORD_DATA + 1] = random.oneIn(2) ? 0 : value();
  }
}
