// SPDX-License-Identifier: MIT
//
// Policy deadline: earliest deadline first, each behind a constant bandwidth server (Abeni, Buttazzo, RTSS 1998): a
// vGPU with runtime-us and period-us gets that runtime in each period whatever the others do, and not more at others'
// cost whatever it does itself. Who has no deadline, or has used its budget up, shares what is left by weight, cap and
// priority. admission.ts sees to it that all promises together can be kept.
//
//            submits, old budget cannot be kept: new budget, deadline = now + period
//   asleep ────────────────────────────────> DEADLINE heap ──budget used up──> SPENT heap, and among the weighted
//      ^                                            ^───────at the deadline: new budget─────────┘

import { choice, choose, chooseNobody } from "./choice";
import { Entity, entityAt, runnable } from "./entity";
import {
  HEAP_DEADLINE, HEAP_SPENT, NOBODY, heapHas, heapInsert, heapOf, heapRemove, heapSize, heapTop, heapTopKey,
} from "./heap";
import { NS_PER_US, RELEASES_MAX } from "./limits";
import { weightedCharge, weightedPick, weightedPreempts, weightedSleep, weightedWake } from "./weighted";

export function deadlineWake(entity: Entity, now: u64): void {
  entity.serving = 0;
  if (entity.runtime_ns == 0 || entity.throttle != 0) return weightedWake(entity, now);
  if (!budgetFits(entity, now)) {
    entity.budget_ns = entity.runtime_ns;
    entity.deadline_ns = now + entity.period_ns;
  }
  line(entity, now);
}

/** May it go on with what it has? Not when that is more than its share of the time left, or the time is over. */
function budgetFits(entity: Entity, now: u64): bool {
  if (entity.deadline_ns <= now) return false;
  const left = (entity.deadline_ns - now) / NS_PER_US; // microseconds: products of nanoseconds would overflow
  const budget = (entity.budget_ns + NS_PER_US - 1) / NS_PER_US;
  return budget * (entity.period_ns / NS_PER_US) <= left * (entity.runtime_ns / NS_PER_US);
}

function line(entity: Entity, now: u64): void {
  const spent = entity.budget_ns == 0;
  const heap = heapOf(entity.engine, spent ? HEAP_SPENT : HEAP_DEADLINE);
  heapInsert(heap, entity.vgpu, entity.deadline_ns);
  if (spent) weightedWake(entity, now);
}

export function deadlineSleep(entity: Entity): void {
  leave(entity, HEAP_DEADLINE);
  leave(entity, HEAP_SPENT);
  weightedSleep(entity);
}

function leave(entity: Entity, purpose: u32): void {
  const heap = heapOf(entity.engine, purpose);
  if (heapHas(heap, entity.vgpu)) heapRemove(heap, entity.vgpu);
}

export function deadlinePick(engine: u32, now: u64): u32 {
  const spent = heapOf(engine, HEAP_SPENT);
  for (let i: u32 = 0; i < RELEASES_MAX; i++) {
    if (heapSize(spent) == 0 || heapTopKey(spent) > now) break;
    renew(entityAt(engine, heapTop(spent)), now);
  }
  const vgpu = heapTop(heapOf(engine, HEAP_DEADLINE));
  const next = heapSize(spent) == 0 ? 0 : heapTopKey(spent);
  if (vgpu == NOBODY) return pickRest(engine, now, next);
  const entity = entityAt(engine, vgpu);
  entity.serving = 1;
  choose(entity.budget_ns, next);
  return vgpu;
}

/** A new period: a new budget, and nothing from what others left. */
function renew(entity: Entity, now: u64): void {
  leave(entity, HEAP_SPENT);
  weightedSleep(entity);
  entity.budget_ns = entity.runtime_ns;
  entity.deadline_ns = max<u64>(entity.deadline_ns, now) + entity.period_ns;
  heapInsert(heapOf(entity.engine, HEAP_DEADLINE), entity.vgpu, entity.deadline_ns);
}

/** By weight, until somebody has a new budget. */
function pickRest(engine: u32, now: u64, next: u64): u32 {
  const vgpu = weightedPick(engine, now);
  if (vgpu != NOBODY) {
    entityAt(engine, vgpu).serving = 0;
    choice().until_ns = next;
  } else chooseNobody(earlier(choice().look_ns, next));
  return vgpu;
}

@inline
function earlier(a: u64, b: u64): u64 {
  if (a == 0) return b;
  return b == 0 ? a : min<u64>(a, b);
}

export function deadlineCharge(entity: Entity, ran_ns: u64, now: u64): void {
  if (!entity.serving) return weightedCharge(entity, ran_ns, now);
  entity.budget_ns -= min<u64>(entity.budget_ns, ran_ns);
  if (entity.budget_ns != 0 || !runnable(entity)) return;
  if (!heapHas(heapOf(entity.engine, HEAP_DEADLINE), entity.vgpu)) return;
  leave(entity, HEAP_DEADLINE);
  line(entity, now);
}

export function deadlinePreempts(running: Entity, woken: Entity): bool {
  const heap = heapOf(woken.engine, HEAP_DEADLINE);
  if (!heapHas(heap, woken.vgpu)) return running.serving == 0 && weightedPreempts(running, woken);
  return running.serving == 0 || woken.deadline_ns < running.deadline_ns;
}

/** Another promise: what is left of the old one does not count. */
export function deadlineChanged(entity: Entity): void {
  entity.budget_ns = 0;
  entity.deadline_ns = 0;
  entity.serving = 0;
}
