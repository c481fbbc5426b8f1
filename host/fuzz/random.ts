// SPDX-License-Identifier: MIT
//
// The only source of chance: sfc32 (PractRand's small fast counter), seeded from two numbers and run in. Same seed,
// same stream, on every machine: additions and shifts of 32 bits, nothing else.

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number, stream = 0) {
    this.a = seed | 0;
    this.b = Math.floor(seed / 2 ** 32) | 0;
    this.c = stream | 0;
    for (let i = 0; i < 16; i++) this.next();
  }

  /** 32 bits, as a signed number. */
  next(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum;
  }

  /** 0 to `end` - 1; `end` is at most 2^31. The bias of the multiplication is below 2^-16 for what is asked here. */
  below(end: number): number {
    return Math.floor(((this.next() >>> 0) * end) / 2 ** 32);
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** The seed of worker number `worker`: far apart for neighbours. */
export function derivedSeed(seed: number, worker: number): number {
  const mixed = Math.imul((seed ^ 0x9e3779b9) + Math.imul(worker, 0x85ebca6b), 0xc2b2ae35) >>> 0;
  return worker === 0 ? seed : mixed;
}
