// SPDX-License-Identifier: MIT
//
// splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): same seed, same numbers, on
// each machine. test/guest-kernel/random.c has the same.

const MASK = 0xffff_ffff_ffff_ffffn;

export interface Random {
  state: bigint;
}

export function createRandom(seed: bigint): Random {
  return { state: BigInt.asUintN(64, seed) };
}

export function next(random: Random): bigint {
  random.state = (random.state + 0x9e37_79b9_7f4a_7c15n) & MASK;
  let z = random.state;
  z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
  return z ^ (z >> 31n);
}

/** 0 to count - 1. */
export function below(random: Random, count: number): number {
  return Number(next(random) % BigInt(count));
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)] as T;
}
