// SPDX-License-Identifier: MIT
//
// The admission test of the deadline policy: the promises of all vGPUs together, each with one change of the engine a
// period, must leave a rest of it (Liu, Layland, JACM 1973: earliest deadline first keeps every deadline when the sum
// of runtime / period is at most 1). It holds under any policy, so that deadline can be chosen at any time. A refusal
// shows the sum.

import { Text } from "../text";
import { Parameters, entityAt } from "./entity";
import { DEADLINE_PPM_MAX, DEADLINE_SWITCH_NS, NS_PER_US } from "./limits";
import { SCHED_VGPUS_MAX } from "./size";

/** Millionths of the engine, rounded up. */
function share(runtime_ns: u64, period_ns: u64): u64 {
  if (runtime_ns == 0) return 0;
  return ((runtime_ns + DEADLINE_SWITCH_NS) * 1_000_000 + period_ns - 1) / period_ns;
}

/** How many vGPUs have a deadline. */
export function deadlines(engine: u32): u32 {
  let count: u32 = 0;
  for (let vgpu: u32 = 0; vgpu < SCHED_VGPUS_MAX; vgpu++) {
    const entity = entityAt(engine, vgpu);
    if (entity.attached && entity.runtime_ns != 0) count++;
  }
  return count;
}

/** Millionths of the engine promised to all but this one (SCHED_VGPUS_MAX: to all). */
export function promised(engine: u32, but: u32): u64 {
  let sum: u64 = 0;
  for (let vgpu: u32 = 0; vgpu < SCHED_VGPUS_MAX; vgpu++) {
    const entity = entityAt(engine, vgpu);
    if (vgpu != but && entity.attached) sum += share(entity.runtime_ns, entity.period_ns);
  }
  return sum;
}

/** False, with the arithmetic in `error`: the deadlines could not all be kept. */
export function admits(engine: u32, vgpu: u32, wanted: Parameters, error: Text): bool {
  const own = share(wanted.runtime_ns, wanted.period_ns);
  if (own == 0) return true;
  const others = promised(engine, vgpu);
  if (own + others <= DEADLINE_PPM_MAX) return true;
  error.put("deadline cannot be met: runtime-us=").number(wanted.runtime_ns / NS_PER_US).put(" and ")
    .number(DEADLINE_SWITCH_NS / NS_PER_US).put(" us to switch, of period-us=").number(wanted.period_ns / NS_PER_US);
  putPercent(error.put(", are "), own);
  putPercent(error.put(", promised to others "), others);
  putPercent(error.put(", together "), own + others);
  putPercent(error.put(", limit "), DEADLINE_PPM_MAX);
  return false;
}

/** Two digits behind the point, rounded up: a sum above the limit never looks like the limit. */
function putPercent(text: Text, ppm: u64): void {
  const hundredths = (ppm + 99) / 100;
  text.number(hundredths / 100).put(".");
  if (hundredths % 100 < 10) text.put("0");
  text.number(hundredths % 100).put(" %");
}
