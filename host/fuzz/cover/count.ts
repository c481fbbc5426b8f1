// SPDX-License-Identifier: MIT
//
// Counting what was reached, from the words that cover.ts puts into a module.

import type { Site } from "./builder.js";

/** word * 64 + bit of each bit that is set, ascending. */
export function featuresOf(words: readonly bigint[]): Uint32Array {
  const features: number[] = [];
  for (const [word, value] of words.entries()) {
    for (let left = value, bit = 0; left !== 0n; left >>= 1n, bit++) if (left & 1n) features.push(word * 64 + bit);
  }
  return Uint32Array.from(features);
}

/** site * 64 + outcome of each outcome of a branch that these features (see above) show. */
export function outcomesOf(sites: readonly Site[], features: Uint32Array): Set<number> {
  const words = new Map<number, bigint>();
  for (const one of features) words.set(one >> 6, (words.get(one >> 6) ?? 0n) | (1n << BigInt(one & 63)));
  const found = new Set<number>();
  for (const [i, { kind, word, bit }] of sites.entries()) {
    const value = words.get(word);
    if (value === undefined || kind === "block") continue;
    for (const side of sidesOf(kind, value >> BigInt(bit))) found.add(64 * i + side);
  }
  return found;
}

function sidesOf(kind: Site["kind"], value: bigint): number[] {
  const two = (one: boolean, other: boolean): number[] => [...(one ? [0] : []), ...(other ? [1] : [])];
  if (kind === "function") return two((value & 1n) !== 0n, false);
  if (kind === "condition") return two((value & 1n) !== 0n, (value & 2n) !== 0n);
  if (kind === "order") return two((value & 0xffff_ffffn) !== 0n, value >> 32n !== 0n);
  if (kind === "equal") return two((value & 1n) !== 0n, value >> 1n !== 0n);
  return [...value.toString(2)].reverse().flatMap((one, i) => (one === "1" ? [i] : [])); // both, switch: each by itself
}

/** A comparison is two edges (its outcomes), the rest of its word is how near it came. */
export function countCoverage(
  sites: readonly Site[],
  words: readonly bigint[],
): { edges: number; compares: number; edgesMax: number } {
  const sum = { edges: 0, compares: 0, edgesMax: 0 };
  for (const { kind, word, bit } of sites) {
    if (kind === "block") continue; // says nothing that its branch does not
    const value = words[word] ?? 0n;
    const ones = (bits: bigint): number => bits.toString(2).replaceAll("0", "").length;
    if (kind === "function") sum.edges += ones(value & 1n);
    else if (kind === "condition") sum.edges += ones((value >> BigInt(bit)) & 3n);
    else if (kind === "switch") sum.edges += ones(value);
    else if (kind === "both") {
      sum.edges += Math.min(2, ones(value));
      sum.compares += ones(value);
    } else {
      const [one, other] = kind === "equal" ? [value & 1n, value >> 1n] : [value & 0xffffffffn, value >> 32n];
      sum.edges += Number(one !== 0n) + Number(other !== 0n);
      sum.compares += ones(value);
    }
    sum.edgesMax += kind === "function" ? 1 : 2;
  }
  return sum;
}
