// SPDX-License-Identifier: MIT
//
// Random numbers from a seed: the same on every machine (mulberry32, a generator of 32 bits of state). Good enough for
// arrivals; not for secrets.

export type Random = () => number;

/** Numbers from 0 to below 1. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export function integer(random: Random, below: number): number {
  return Math.floor(random() * below);
}

/** With that mean; what is beyond 20 means is cut. */
export function exponential(random: Random, mean: number): number {
  return Math.min(-Math.log(1 - random()) * mean, 20 * mean);
}
