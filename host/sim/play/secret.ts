// SPDX-License-Identifier: MIT
//
// Each guest has a secret: a word of 32 bits that stands all over its memory and in what it writes. Where another guest
// could see it, something leaked. `salt` makes other secrets for a second run of the same input.

import { PAGE_BYTES } from "../page.js";
import { createRandom, next } from "../random.js";

const PAGE_WORDS = 512;

export function secretOf(domid: number, salt: number): number {
  const random = createRandom((BigInt(salt) << 32n) | BigInt(domid));
  return Number(next(random) & 0xffff_ffffn) | 0x8000_0001;
}

/** A page of that guest's memory: its secret above, the place below, in each word of 64 bits. */
export function fillPage(page: Uint8Array, gfn: bigint, secret: number): void {
  const words = new Uint32Array(page.buffer, page.byteOffset, 2 * PAGE_WORDS);
  const first = Number((gfn << 9n) & 0xffff_ffffn);
  for (let i = 0; i < PAGE_WORDS; i++) {
    words[2 * i] = first + i;
    words[2 * i + 1] = secret;
  }
}

const kept = new Map<string, Uint8Array>();
const KEPT_MAX = 256;

/** So many pages from `gfn` on, filled as above; made once, for each input has the same guests. To be copied. */
export function filled(gfn: bigint, pages: number, secret: number): Uint8Array {
  const key = `${gfn} ${pages} ${secret}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  const bytes = new Uint8Array(pages * PAGE_BYTES);
  for (let i = 0; i < pages; i++) {
    fillPage(bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES), gfn + BigInt(i), secret);
  }
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(key, bytes);
  return bytes;
}

/** The data of a record that carries the secret. */
export function withSecret(data: bigint, size: number, secret: number): bigint {
  const word = BigInt(secret >>> 0);
  return size === 8 ? (word << 32n) | (data & 0xffff_ffffn) : word;
}

/** Does the secret stand anywhere in these bytes, at any alignment? */
export function holdsSecret(bytes: Uint8Array, secret: number): boolean {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(secret >>> 0);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(word);
}
