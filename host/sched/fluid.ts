// SPDX-License-Identifier: MIT
//
// The reference: what each guest would get if the engine could serve all at once, like water. Weights divide what is
// there, caps and demands bound it, what one cannot take goes to the others; a higher priority drinks first, but for
// the part that is kept for those below. The scheduler, which serves one at a time, must come close to this.

import type { PolicyName, Priority } from "./scheduler.js";

export interface Drinker {
  weight: number;
  /** Percent. */
  cap: number;
  priority: Priority;
  execQuantumUs: number;
  /** Part of the engine that it could use, 0 to 1. */
  demand: number;
}

/** One part in twenty stays for lower priorities: PRIORITY_RESERVE of unikernel/core/sched/limits.ts. */
const RESERVE = 1 / 20;

/** The part of the engine for each, in the order given. */
export function fluidShares(policy: PolicyName, drinkers: readonly Drinker[]): number[] {
  const bounds = drinkers.map(({ demand }) => demand);
  if (policy === "fixed-share") {
    const frame = drinkers.reduce((sum, { execQuantumUs }) => sum + execQuantumUs, 0);
    return drinkers.map(({ execQuantumUs, demand }) => Math.min(execQuantumUs / frame, demand));
  }
  if (policy === "best-effort" || policy === "equal-share") {
    return pour(
      1,
      drinkers.map(() => 1),
      bounds,
    );
  }
  return byPriority(drinkers);
}

/** `water` over all by weight, nobody beyond its bound. */
function pour(water: number, weights: readonly number[], bounds: readonly number[]): number[] {
  const order = weights.map((_, i) => i).sort((a, b) => ratio(bounds, weights, a) - ratio(bounds, weights, b));
  const shares = weights.map(() => 0);
  let left = water;
  let thirst = weights.reduce((sum, weight) => sum + weight, 0);
  for (const i of order) {
    const weight = weights[i] as number;
    shares[i] = Math.min(bounds[i] as number, (left * weight) / thirst);
    left -= shares[i];
    thirst -= weight;
  }
  return shares;
}

function ratio(bounds: readonly number[], weights: readonly number[], i: number): number {
  return (bounds[i] as number) / (weights[i] as number);
}

function byPriority(drinkers: readonly Drinker[]): number[] {
  const shares = drinkers.map(() => 0);
  let water = 1;
  const levels: Priority[] = ["high", "normal", "low"];
  const members = levels.map((level) => drinkers.flatMap(({ priority }, i) => (priority === level ? [i] : [])));
  const demands = members.map((ones) =>
    Math.min(
      1,
      ones.reduce((sum, i) => sum + bound(drinkers[i]), 0),
    ),
  );
  const parts = levelParts(demands);
  for (const [level, ones] of members.entries()) {
    const part = Math.min(water, parts[level] as number);
    const weights = ones.map((i) => drinkers[i]?.weight as number);
    const got = pour(
      part,
      weights,
      ones.map((i) => bound(drinkers[i])),
    );
    for (const [k, i] of ones.entries()) shares[i] = got[k] as number;
    water -= got.reduce((sum, one) => sum + one, 0);
  }
  return shares;
}

function bound(drinker: Drinker | undefined): number {
  return drinker === undefined ? 0 : Math.min(drinker.demand, drinker.cap / 100);
}

/** Low takes its reserve of the whole, normal its reserve of what is left, high the rest; each as far as it wants. */
function levelParts([high = 0, normal = 0, low = 0]: number[]): number[] {
  const forLow = Math.max(Math.min(low, RESERVE), Math.min(low, 1 - Math.min(1, high + normal)));
  const rest = 1 - forLow;
  const forNormal = Math.max(Math.min(normal, RESERVE * rest), Math.min(normal, rest - Math.min(rest, high)));
  return [Math.min(high, rest - forNormal), forNormal, forLow];
}
