// SPDX-License-Identifier: MIT

/** Numbers from 0 to below `end`, the same for the same seed (xorshift32, Marsaglia 2003). */
export function random(seed: number): (end: number) => number {
  let state = (seed * 0x9e3779b9) >>> 0 || 1;
  return (end) => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return Math.floor((state / 0x100000000) * end);
  };
}
