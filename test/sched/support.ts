// SPDX-License-Identifier: MIT
//
// For the tests of the scheduler: the driver domain's own code in simulated time, small or large, and shares of it.

import { instantiate, LARGE, type Limits, type SchedulerCode, SMALL, schedulerWasm } from "../../host/sched/code.js";
import { expand, type GuestLoad, type Load } from "../../host/sched/load.js";
import type { PolicyName } from "../../host/sched/scheduler.js";
import { type Options, type Result, simulate } from "../../host/sched/simulate.js";

export type Wasm = Uint8Array;

export const smallWasm = (): Promise<Wasm> => schedulerWasm(SMALL);
export const largeWasm = (): Promise<Wasm> => schedulerWasm(LARGE);
export type { Limits };

/** One run; looked at by the scheduler's own checker after each event, unless said otherwise. */
export function run(
  wasm: Wasm,
  policy: PolicyName,
  timeMs: number,
  guests: GuestLoad[],
  more: Partial<Load> & Partial<Pick<Options, "checkEvery" | "samplesMs" | "seed">> = {},
): Result {
  const { checkEvery = 1, samplesMs = [], seed = 1, ...rest } = more;
  const load = expand("test", { format: 1, guests, ...rest });
  return simulate(instantiate(wasm), { load, policy, timeMs, seed, checkEvery, samplesMs });
}

/** Workloads of many sizes, always two under way. */
export function flood(name: string, more: Partial<GuestLoad> = {}): GuestLoad {
  return { name, arrivals: { kind: "flood" }, costUs: { min: 300, max: 9000 }, ...more };
}

export function share(result: Result, guest: number): number {
  return (result.guests[guest]?.usedNs as number) / result.timeNs;
}

/** Between two samples. */
export function shareBetween(result: Result, from: number, to: number, spanMs: number, guest: number): number {
  const before = result.samples[from]?.[guest] as number;
  const after = result.samples[to]?.[guest] as number;
  return (after - before) / (spanMs * 1e6);
}

export function near(what: string, seen: number, wanted: number, tolerance: number): void {
  if (Math.abs(seen - wanted) <= tolerance) return;
  throw new Error(`${what}: ${seen.toFixed(6)}, wanted ${wanted.toFixed(6)} within ${tolerance}`);
}

export function atMost(what: string, seen: number, limit: number): void {
  if (seen <= limit) return;
  throw new Error(`${what}: ${seen}, at most ${limit}`);
}

export function fresh(wasm: Wasm, policy: number): SchedulerCode {
  const code = instantiate(wasm);
  code.init(0, policy, 0);
  return code;
}
