// SPDX-License-Identifier: MIT
//
// Many guests: shares, bounded waits, and what a decision costs in steps. Times are for `glovebox sched`; steps repeat.

import { suite } from "uvu";
import { instantiate } from "../../host/sched/code.js";
import { expand, type GuestLoad } from "../../host/sched/load.js";
import type { PolicyName } from "../../host/sched/scheduler.js";
import { type Result, simulate } from "../../host/sched/simulate.js";
import { atMost, largeWasm } from "./support.js";

const scale = suite("scheduler with many guests");
const wasm = await largeWasm();
const QUANTUM_NS = 100_000;

/** All flood; so many slices each, for the one with the least weight. */
function many(guests: number, policy: PolicyName, slices: number, weightOf: (i: number) => number): Result {
  const all = Array.from({ length: guests }, (_, i): GuestLoad => {
    const weight = weightOf(i);
    return { name: `g${i}`, weight, execQuantumUs: 100, arrivals: { kind: "flood" }, costUs: 100 };
  });
  const total = all.reduce((sum, { weight }) => sum + (weight as number), 0);
  const timeMs = (slices * total * QUANTUM_NS) / 1e6;
  const load = expand("many", { format: 1, guests: all });
  return simulate(instantiate(wasm), { load, policy, timeMs, seed: 1 });
}

function holds(result: Result, weightOf: (i: number) => number): void {
  const total = result.guests.reduce((sum, _, i) => sum + weightOf(i), 0);
  for (const [i, { usedNs, gapNs }] of result.guests.entries()) {
    const wanted = weightOf(i) / total;
    atMost(`guest ${i}: share error`, Math.abs(usedNs / result.timeNs - wanted) / wanted, 0.01);
    // a round by weight, and one slice more of everybody
    atMost(`guest ${i}: longest wait`, gapNs, (1 / wanted + result.guests.length) * QUANTUM_NS);
  }
}

/** One call moves at most three members of heaps, each along one path. */
function logarithmic(result: Result, guests: number): void {
  atMost("steps of one call", result.stepsMax, 3 * (Math.ceil(Math.log2(guests)) + 1));
}

scale("100 guests: share error below 1 %, every wait bounded, O(log n) steps", () => {
  const weightOf = (i: number): number => 1 + (i % 4);
  const result = many(100, "weighted", 120, weightOf);
  holds(result, weightOf);
  logarithmic(result, 100);
});

scale("10,000 guests: share error below 1 %, every wait bounded, O(log n) steps", () => {
  const result = many(10_000, "weighted", 105, () => 1);
  holds(result, () => 1);
  logarithmic(result, 10_000);
});

scale("10,000 guests: the other policies decide in O(log n) steps, too", () => {
  for (const policy of ["best-effort", "equal-share", "fixed-share", "deadline"] as const) {
    logarithmic(
      many(10_000, policy, 3, () => 1),
      10_000,
    );
  }
});

scale.run();
