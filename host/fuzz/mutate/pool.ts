// SPDX-License-Identifier: MIT
//
// The requests of all inputs that were kept, by their first word, which says what is asked in nearly every virtio
// device: so a kind that few inputs have is taken as often as one that many have. What a word means is not known here.

import type { Random } from "../random.js";
import { type Request, requestsOf } from "./guest.js";
import type { VirtioPlaces } from "./virtio.js";

/** Of a kind; the youngest stay. */
const REQUESTS_MAX = 64;
/** A first word that so many kept inputs ended with is no accident; others are many. */
const KIND_MIN = 3;

export class Pool {
  private readonly kinds = new Map<number, Request[]>();
  /** Those that are no accident. */
  private readonly common: Request[][] = [];

  constructor(private readonly places: VirtioPlaces) {}

  /** What an input asks last is what it was kept for, most often. */
  add(words: Int32Array): void {
    const last = requestsOf(this.places, words).at(-1);
    const first = last?.contents.get(last.chain[0]?.addr ?? -1);
    if (last === undefined || first === undefined) return;
    const kind = this.kinds.get(first) ?? [];
    this.kinds.set(first, kind);
    kind.push(last);
    if (kind.length === KIND_MIN) this.common.push(kind);
    if (kind.length > REQUESTS_MAX) kind.shift();
  }

  /** One of any kind; undefined: none is known yet. */
  take(random: Random): Request | undefined {
    return this.common.length === 0 ? undefined : random.pick(random.pick(this.common));
  }
}
