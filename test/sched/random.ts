// SPDX-License-Identifier: MIT
//
// Random worlds: any guests, loads, parameters, changes and policies, with hangs and preemption that takes its time.
// The scheduler's own checker looks after each event; shares are held against the fluid model where it can say
// something.

import { fluidShares } from "../../host/sched/fluid.js";
import type { Arrivals, Change, GuestLoad } from "../../host/sched/load.js";
import { createRandom, integer, type Random } from "../../host/sched/random.js";
import { type Parameters, POLICY_NAMES, type PolicyName, PRIORITIES } from "../../host/sched/scheduler.js";
import { atMost, near, run, share, type Wasm } from "./support.js";

function pick<T>(random: Random, list: readonly T[]): T {
  return list[integer(random, list.length)] as T;
}

function arrivals(random: Random): Arrivals {
  const some = 500 + integer(random, 40_000);
  switch (integer(random, 4)) {
    case 0:
      return { kind: "flood", queue: 1 + integer(random, 8) };
    case 1:
      return { kind: "periodic", everyUs: some, offsetUs: integer(random, 5000) };
    case 2:
      return { kind: "poisson", meanUs: some };
    default:
      return { kind: "closed", thinkUs: { mean: some } };
  }
}

function parameters(random: Random): Parameters {
  const deadline = random() < 0.2 ? { periodUs: 20_000 + integer(random, 9) * 5000, runtimeUs: 1000 } : {};
  return {
    weight: 1 + integer(random, 20),
    cap: random() < 0.3 ? 5 + integer(random, 95) : 100,
    priority: pick(random, PRIORITIES),
    execQuantumUs: 100 * (1 + integer(random, 50)),
    ...deadline,
  };
}

function anything(random: Random): { guests: GuestLoad[]; changes: Change[] } {
  const guests = Array.from({ length: 1 + integer(random, 12) }, (_, i): GuestLoad => {
    const hang = random() < 0.1 ? { hangsAtMs: integer(random, 1500) } : {};
    const from = random() < 0.2 ? { fromMs: integer(random, 800) } : {};
    const costUs = { min: 50, max: 100 + integer(random, 8000) };
    return {
      name: `g${i}`,
      arrivals: arrivals(random),
      costUs,
      preemptTimeoutUs: 5000,
      ...hang,
      ...from,
      ...parameters(random),
    };
  });
  const changes = Array.from({ length: integer(random, 8) }, (): Change => {
    const atMs = integer(random, 1500);
    if (random() < 0.4) return { atMs, policy: pick(random, POLICY_NAMES) };
    const guest = `g${integer(random, guests.length)}`;
    if (random() < 0.3) return { atMs, guest, throttle: pick(random, [0, 2, 50]) };
    return { atMs, guest, ...parameters(random) };
  });
  return { guests, changes };
}

/** Nothing may break: no assertion, no unsound state. */
function survives(wasm: Wasm, seed: number): void {
  const random = createRandom(seed);
  const { guests, changes } = anything(random);
  const engine = { preemptUs: integer(random, 300), resetUs: integer(random, 1000) };
  const result = run(wasm, pick(random, POLICY_NAMES), 1500, guests, { changes, engine, seed });
  for (const [i, guest] of result.guests.entries()) {
    const hangs = guests[i]?.hangsAtMs !== undefined;
    if (guest.lost && !hangs) throw new Error(`seed ${seed}: guest ${i} was lost and did not hang`);
  }
  const sum = result.guests.reduce((total, { usedNs }) => total + usedNs, 0);
  atMost(`seed ${seed}: engine time given out`, sum, result.timeNs);
}

/** Guests that always want everything, under any parameters: the shares are those of the fluid model. */
function floods(wasm: Wasm, seed: number): void {
  const random = createRandom(seed ^ 0x5eed);
  const policy: PolicyName = pick(random, ["equal-share", "fixed-share", "weighted"]);
  const guests = Array.from({ length: 2 + integer(random, 6) }, (_, i): GuestLoad => {
    const { periodUs: _period, runtimeUs: _runtime, ...rest } = parameters(random);
    return { name: `g${i}`, arrivals: { kind: "flood" }, costUs: { min: 50, max: 8000 }, ...rest };
  });
  const result = run(wasm, policy, 20_000, guests, { checkEvery: 50 });
  const wanted = fluidShares(
    policy,
    guests.map((guest) => ({ ...(guest as Required<GuestLoad>), demand: 1 })),
  );
  for (const [i, part] of wanted.entries()) near(`seed ${seed} ${policy}: guest ${i}`, share(result, i), part, 0.006);
}

export function randomWorlds(wasm: Wasm, count: number, first = 1): void {
  for (let seed = first; seed < first + count; seed++) {
    survives(wasm, seed);
    if (seed % 4 === 0) floods(wasm, seed);
  }
}
