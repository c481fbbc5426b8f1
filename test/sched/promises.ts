// SPDX-License-Identifier: MIT
//
// What the scheduler promises, each as a function that throws when the promise is broken. The tests run them on the
// scheduler, the mutants' test on schedulers with planted bugs.

import type { GuestLoad } from "../../host/sched/load.js";
import { POLICY_NAMES } from "../../host/sched/scheduler.js";
import { atMost, flood, near, run, share, shareBetween, type Wasm } from "./support.js";

const PRECISE = 0.001;

/** Weights 8 and 4: engine time 2 : 1. */
export function weights(wasm: Wasm): void {
  const result = run(wasm, "weighted", 60_000, [flood("a", { weight: 8 }), flood("b", { weight: 4 })]);
  near("8 of 12", share(result, 0), 8 / 12, PRECISE);
  near("4 of 12", share(result, 1), 4 / 12, PRECISE);
}

/** Weights that do not divide evenly, and slices that differ: what is left of a division is not lost. */
export function oddWeights(wasm: Wasm): void {
  const guests = [
    flood("a", { weight: 7, execQuantumUs: 100 }),
    flood("b", { weight: 11, execQuantumUs: 700 }),
    flood("c", { weight: 1000, execQuantumUs: 5000 }),
  ];
  const result = run(wasm, "weighted", 120_000, guests, { checkEvery: 100 });
  for (const [i, weight] of [7, 11, 1000].entries()) near(`weight ${weight}`, share(result, i), weight / 1018, PRECISE);
}

export function equalShares(wasm: Wasm): void {
  const guests = [flood("a", { weight: 9 }), flood("b", { cap: 10 }), flood("c", { priority: "low" })];
  const result = run(wasm, "equal-share", 60_000, guests);
  for (let i = 0; i < 3; i++) near(`guest ${i}`, share(result, i), 1 / 3, PRECISE);
}

/** A cap holds when nobody else wants the engine, and what it frees goes to the others. */
export function caps(wasm: Wasm): void {
  const alone = run(wasm, "weighted", 30_000, [flood("a", { cap: 30 })]);
  near("cap 30 alone", share(alone, 0), 0.3, PRECISE);
  const two = run(wasm, "weighted", 30_000, [flood("a", { cap: 30, weight: 100 }), flood("b")]);
  near("cap 30 of two", share(two, 0), 0.3, PRECISE);
  near("the other", share(two, 1), 0.7, PRECISE);
}

/**
 * One that is throttled gets two percent at most under every policy, whatever it was promised; the other one
 * has the engine; and afterwards all is as before, to the last parameter.
 */
export function throttled(wasm: Wasm): void {
  const words = { weight: 8, priority: "high", periodUs: 10_000, runtimeUs: 5000, execQuantumUs: 4000 } as const;
  for (const policy of POLICY_NAMES) {
    const guests = [flood("a", words), flood("b", { execQuantumUs: 4000 })];
    const changes = [
      { atMs: 10_000, guest: "a", throttle: 2 },
      { atMs: 20_000, guest: "a", throttle: 0 },
    ];
    const samplesMs = [10_000, 10_100, 20_000, 20_100, 30_000];
    const result = run(wasm, policy, 31_000, guests, { changes, samplesMs });
    const got = shareBetween(result, 1, 2, 9900, 0);
    atMost(`${policy}: throttled`, got, 0.0205);
    atMost(`${policy}: throttled, not starved`, 0.012 - got, 0); // less than 0.02 where it waits for its turn, too
    const rest = policy === "fixed-share" ? 0.5 : 0.98;
    near(`${policy}: the other one`, shareBetween(result, 1, 2, 9900, 1), rest, 0.01);
    const before = (result.samples[0]?.[0] as number) / 10e9;
    near(`${policy}: as before`, shareBetween(result, 3, 4, 9900, 0), before, 0.01);
  }
}

/** A throttled one that is alone does not get more either, and runs in small slices. */
export function throttledAlone(wasm: Wasm): void {
  const changes = [{ atMs: 0, guest: "a", throttle: 2 }];
  const guests = [flood("a", { execQuantumUs: 500_000, costUs: 800_000 })];
  near("alone", share(run(wasm, "best-effort", 60_000, guests, { changes }), 0), 0.02, 0.001);
}

/** One that slept may not go over its cap for longer than the window. */
export function capAfterSleep(wasm: Wasm): void {
  const guests = [flood("a", { cap: 20, fromMs: 10_000 })];
  const result = run(wasm, "weighted", 20_000, guests, { samplesMs: [10_000, 10_500] });
  near("first half second", shareBetween(result, 0, 1, 500, 0), 0.2, 0.05);
}

/** Windows stay whose they are: an idle owner's time goes to nobody. */
export function slots(wasm: Wasm): void {
  const idle: GuestLoad = { name: "idle", arrivals: { kind: "periodic", everyUs: 1e6 }, costUs: 100 };
  const guests = [flood("a", { execQuantumUs: 3000 }), flood("b", { execQuantumUs: 1000 }), idle];
  const result = run(wasm, "fixed-share", 60_000, guests);
  near("3 of 6 ms", share(result, 0), 3 / 6, PRECISE);
  near("1 of 6 ms", share(result, 1), 1 / 6, PRECISE);
  atMost("wait of b", result.guests[1]?.gapNs as number, 5_000_000);
}

/** Who does not leave in time pays for it, not the next one. */
export function slotOverrun(wasm: Wasm): void {
  const guests = [flood("a", { execQuantumUs: 2000, costUs: 1e6 }), flood("b", { execQuantumUs: 2000, costUs: 1e6 })];
  const result = run(wasm, "fixed-share", 20_000, guests, { engine: { preemptUs: 200 } });
  near("a", share(result, 0), 0.5, 0.003);
  near("b", share(result, 1), 0.5, 0.003);
}

/** High takes what it asks for, but for a twentieth that the lower ones get while they wait. */
export function priorities(wasm: Wasm): void {
  const guests = [flood("a", { priority: "high" }), flood("b"), flood("c", { priority: "low" })];
  const result = run(wasm, "weighted", 120_000, guests);
  near("high", share(result, 0), 0.95 * 0.95, PRECISE);
  near("normal", share(result, 1), 0.95 * 0.05, PRECISE);
  near("low", share(result, 2), 0.05, PRECISE);
}

/** What a low one runs beyond its slice, because it does not stop at once, it pays back. */
export function priorityOverrun(wasm: Wasm): void {
  const guests = [flood("a", { priority: "high" }), flood("b", { priority: "low" })].map((one) => ({
    ...one,
    execQuantumUs: 500,
    costUs: 1e6,
  }));
  const result = run(wasm, "weighted", 60_000, guests, { engine: { preemptUs: 200 } });
  near("low", share(result, 1), 0.05, PRECISE);
}

/** A low one with one workload at a time, which ends in the middle of its turn: what it is owed is not lost then. */
export function priorityOneAtATime(wasm: Wasm): void {
  const guests = [flood("a", { priority: "high" }), flood("b", { priority: "low" })].map((one) => ({
    ...one,
    arrivals: { kind: "flood", queue: 1 } as const,
    execQuantumUs: 500,
    costUs: 1550,
  }));
  near("low", share(run(wasm, "weighted", 60_000, guests), 1), 0.05, PRECISE);
}

/** A high one that wakes up does not wait for the end of a lower one's slice. */
export function priorityWakes(wasm: Wasm): void {
  const guests: GuestLoad[] = [
    { name: "high", priority: "high", arrivals: { kind: "poisson", meanUs: 20_000 }, costUs: 500 },
    flood("b", { execQuantumUs: 50_000, costUs: 1e6, priority: "low" }),
  ];
  const result = run(wasm, "weighted", 20_000, guests);
  const waits = [...(result.guests[0]?.waitsNs ?? [])].sort((a, b) => a - b);
  atMost("median wait of high", waits[waits.length >> 1] as number, 10_000);
}

/** An instrument cluster at 60 frames a second among floods: 1000 deadlines, none missed. */
export function deadlines(wasm: Wasm): void {
  const cluster: GuestLoad = {
    name: "cluster",
    arrivals: { kind: "periodic", everyUs: 16_667 },
    costUs: { min: 2000, max: 6000 },
    deadlineUs: 16_667,
    periodUs: 16_667,
    runtimeUs: 6000,
  };
  const second: GuestLoad = { ...cluster, name: "camera", arrivals: { kind: "periodic", everyUs: 33_333 } };
  Object.assign(second, { deadlineUs: 33_333, periodUs: 33_333, runtimeUs: 15_000, costUs: 15_000 });
  const floods = [flood("a", { weight: 100 }), flood("b", { priority: "high" }), flood("c", { execQuantumUs: 50_000 })];
  const result = run(wasm, "deadline", 16_800, [cluster, second, ...floods], { engine: { preemptUs: 100 } });
  const [first, other] = result.guests;
  if ((first?.done ?? 0) < 1000 || (other?.done ?? 0) < 500) throw new Error(`only ${first?.done} frames were done`);
  atMost("late frames", (first?.late as number) + (other?.late as number), 0);
  if (share(result, 2) + share(result, 3) + share(result, 4) < 0.2) throw new Error("the rest is not used");
}

/** One that wants more than its budget does not take it from another one's promise. */
export function budgets(wasm: Wasm): void {
  const honest: GuestLoad = {
    name: "honest",
    arrivals: { kind: "periodic", everyUs: 10_000 },
    costUs: 3000,
    deadlineUs: 10_000,
    periodUs: 10_000,
    runtimeUs: 3000,
  };
  const greedy = flood("greedy", { periodUs: 5000, runtimeUs: 2000, costUs: 9000 });
  const result = run(wasm, "deadline", 10_000, [honest, greedy, flood("rest")], { engine: { preemptUs: 50 } });
  atMost("late", result.guests[0]?.late as number, 0);
  near("greedy: 40 % and half of the rest", share(result, 1), 0.4 + 0.15, 0.01);
}

/** One that sleeps after each workload does not get a new budget by that. */
export function budgetAsleep(wasm: Wasm): void {
  const promise = { periodUs: 10_000, runtimeUs: 1000, weight: 1 };
  const often: GuestLoad = { name: "often", arrivals: { kind: "closed", thinkUs: 1 }, costUs: 900, ...promise };
  const result = run(wasm, "deadline", 10_000, [often, flood("a", { weight: 100 }), flood("b", { weight: 100 })]);
  atMost("10 % and a 201st of the rest", share(result, 0), 0.1 + 0.9 / 201 + 0.005);
}

/** What a guest is ahead of the others is engine time: with a hundred times the weight it is soon paid back. */
export function weightOfLead(wasm: Wasm): void {
  const guests = [flood("a", { execQuantumUs: 500_000, costUs: 1e6 }), flood("b")];
  const changes = [{ atMs: 600, guest: "a", weight: 100 }];
  const result = run(wasm, "weighted", 1000, guests, { changes });
  atMost("wait of a", result.guests[0]?.gapNs as number, 110_000_000);
}

/** 8 : 4 becomes 2 : 8 within one period, which is a slice of each by weight: 2 ms x 12 / 4, or 10 / 2. */
export function weightChange(wasm: Wasm): void {
  const guests = [flood("a", { weight: 8 }), flood("b", { weight: 4 })];
  const changes = [
    { atMs: 5000, guest: "a", weight: 2 },
    { atMs: 5000, guest: "b", weight: 8 },
  ];
  const samplesMs = [4000, 5000, 5010, 5110, 6010];
  const result = run(wasm, "weighted", 7000, guests, { changes, samplesMs });
  near("before", shareBetween(result, 0, 1, 1000, 0), 8 / 12, 0.005);
  near("the first 100 ms after a period", shareBetween(result, 2, 3, 100, 0), 2 / 10, 0.021); // one slice is 0.02
  near("the first second after a period", shareBetween(result, 2, 4, 1000, 0), 2 / 10, 0.0021);
}

/** A cap set, a slot changed, a policy changed: likewise. */
export function otherChanges(wasm: Wasm): void {
  const capped = run(wasm, "weighted", 3000, [flood("a"), flood("b")], {
    changes: [{ atMs: 1000, guest: "a", cap: 10 }],
    samplesMs: [1020, 2020],
  });
  near("cap set", shareBetween(capped, 0, 1, 1000, 0), 0.1, 0.005);
  const slots = run(wasm, "fixed-share", 3000, [flood("a"), flood("b")], {
    changes: [{ atMs: 1000, guest: "a", execQuantumUs: 6000 }],
    samplesMs: [1004, 2004],
  });
  near("slot changed", shareBetween(slots, 0, 1, 1000, 0), 0.75, 0.003);
  const policy = run(wasm, "best-effort", 3000, [flood("a", { weight: 3 }), flood("b")], {
    changes: [{ atMs: 1000, policy: "weighted" }],
    samplesMs: [1010, 2010],
  });
  near("policy changed", shareBetween(policy, 0, 1, 1000, 0), 0.75, 0.005);
}

/** Who slept gets its share from then on, and no more for having slept. */
export function sleeper(wasm: Wasm): void {
  const guests = [flood("a"), flood("late", { fromMs: 10_000 })];
  const result = run(wasm, "weighted", 20_000, guests, { samplesMs: [10_000, 10_200] });
  near("the sleeper's first 200 ms", shareBetween(result, 0, 1, 200, 1), 0.5, 0.011);
  const often: GuestLoad = { name: "often", arrivals: { kind: "closed", thinkUs: { mean: 3000 } }, costUs: 3000 };
  const awake = run(wasm, "weighted", 20_000, [flood("a"), often, flood("c")]);
  atMost("one that sleeps often", share(awake, 1), 1 / 3 + PRECISE);
  near("those who do not", share(awake, 0), share(awake, 2), PRECISE);
}

/** A workload that does not stop costs the others its slice and its timeout; it alone is lost. */
export function hang(wasm: Wasm): void {
  for (const policy of ["best-effort", "equal-share", "fixed-share", "weighted", "deadline"] as const) {
    const bad = flood("bad", { hangsAtMs: 500, preemptTimeoutUs: 20_000 });
    const result = run(wasm, policy, 3000, [bad, flood("b"), flood("c")], { engine: { resetUs: 1000 } });
    const lost = result.guests.map((guest) => guest.lost).join();
    if (lost !== "true,false,false") throw new Error(`${policy}: lost ${lost}`);
    atMost(`${policy}: wait of b`, result.guests[1]?.gapNs as number, 62_000_000);
    near(`${policy}: b and c`, share(result, 1), share(result, 2), 0.02);
    if (share(result, 1) < 0.3) throw new Error(`${policy}: the others' queues did not go on`);
  }
}

/** One that hangs while nobody else waits is found, too. */
export function hangAlone(wasm: Wasm): void {
  const result = run(wasm, "weighted", 10_000, [flood("bad", { hangsAtMs: 500 })]);
  if (!result.guests[0]?.lost) throw new Error("not lost after 5 s");
}

/** 200 guests of which each always wants everything: the longest wait is what fair queueing promises. */
export function boundedWait(wasm: Wasm, guests: number, timeMs: number): void {
  const load = Array.from({ length: guests }, (_, i) => flood(`g${i}`, { weight: 1 + (i % 4) }));
  const result = run(wasm, "weighted", timeMs, load, { checkEvery: 0 });
  const total = load.reduce((sum, { weight }) => sum + (weight as number), 0);
  for (const [i, { gapNs }] of result.guests.entries()) {
    const bound = (total / (load[i]?.weight as number) + guests) * 2_000_000;
    atMost(`guest ${i}: longest wait in ns`, gapNs, bound);
  }
}

export const PROMISES: [string, (wasm: Wasm) => void][] = [
  ["a throttled one gets two percent, and then all is as before", throttled],
  ["a throttled one gets no more when it is alone", throttledAlone],
  ["weights 8 and 4: engine time 2 : 1 within 0.1 %", weights],
  ["weights that do not divide evenly", oddWeights],
  ["equal shares, whatever the parameters", equalShares],
  ["caps hold, alone and beside others", caps],
  ["a cap holds for one that slept", capAfterSleep],
  ["fixed slots, also beside an idle owner", slots],
  ["an overrun slot is paid by who overran it", slotOverrun],
  ["priorities, and the part kept for the lower ones", priorities],
  ["what a low priority runs too long it pays back", priorityOverrun],
  ["what a low priority is owed is not lost when a workload ends", priorityOneAtATime],
  ["a high priority that wakes up does not wait", priorityWakes],
  ["1000 deadlines of a cluster among floods, none missed", deadlines],
  ["a greedy deadline guest stays within its budget", budgets],
  ["sleeping does not renew a budget", budgetAsleep],
  ["a lead counts by the new weight", weightOfLead],
  ["a weight takes effect within one period", weightChange],
  ["a cap, a slot, a policy take effect within one period", otherChanges],
  ["a sleeper collects no credit and gets its share", sleeper],
  ["a hang loses one guest, under every policy", hang],
  ["a hang alone is found", hangAlone],
  ["60 floods: every wait is bounded", (wasm) => boundedWait(wasm, 60, 20_000)],
];
