// SPDX-License-Identifier: MIT
//
// Throttling: what the domain does by itself to a guest that went over a threshold (vgpu/quarantine.ts). It stands
// before every policy, also before those that know no caps: who has had more than its few percent is held, which to
// the policy is the same as asleep, until the time it has taken is so small a part of the time that passed. Where
// priorities count it has the lowest, and no deadline. The operator's own parameters are not touched.
//
//           charged, over its part                   time has passed
//   runnable ─────────────────────> HELD heap, by time ─────────────> runnable

import { Entity, PRIORITY_LOW, entityAt, runnable, wanting } from "./entity";
import { HEAP_HELD, heapHas, heapInsert, heapOf, heapRemove, heapSize, heapTop, heapTopKey, heapUpdate } from "./heap";
import { RELEASES_MAX, THROTTLE_SLICE_NS } from "./limits";
import { policySleep, policyWake } from "./policy";

/** The priority that counts. */
@inline
export function levelOf(entity: Entity): u32 {
  return entity.throttle != 0 ? PRIORITY_LOW : entity.priority;
}

/** It has work now, and comes into the policy's order, or waits until it may. */
export function throttleWake(policy: u32, entity: Entity, now: u64): void {
  if (entity.throttle != 0 && entity.free_ns > now) hold(entity);
  else policyWake(policy, entity, now);
}

function hold(entity: Entity): void {
  const heap = heapOf(entity.engine, HEAP_HELD);
  entity.held = 1;
  if (heapHas(heap, entity.vgpu)) heapUpdate(heap, entity.vgpu, entity.free_ns);
  else heapInsert(heap, entity.vgpu, entity.free_ns);
}

/** It ran so long, until now; the policy knows already. */
export function throttleCharge(policy: u32, entity: Entity, ran_ns: u64, now: u64): void {
  if (entity.throttle == 0) return;
  entity.free_ns = max<u64>(entity.free_ns, now - min<u64>(now, ran_ns)) + (ran_ns * 100) / entity.throttle;
  if (!wanting(entity) || entity.free_ns <= now) return;
  policySleep(policy, entity);
  hold(entity);
}

export function throttleForget(entity: Entity): void {
  if (!entity.held) return;
  heapRemove(heapOf(entity.engine, HEAP_HELD), entity.vgpu);
  entity.held = 0;
}

/** Before somebody is picked: those whose time has come. */
export function throttleRelease(policy: u32, engine: u32, now: u64): void {
  const heap = heapOf(engine, HEAP_HELD);
  for (let i: u32 = 0; i < RELEASES_MAX; i++) {
    if (heapSize(heap) == 0 || heapTopKey(heap) > now) return;
    const entity = entityAt(engine, heapTop(heap));
    throttleForget(entity);
    if (runnable(entity)) policyWake(policy, entity, now);
  }
}

/** When throttleRelease() has somebody next; 0: nobody is held. */
export function throttleNext(engine: u32): u64 {
  const heap = heapOf(engine, HEAP_HELD);
  return heapSize(heap) == 0 ? 0 : heapTopKey(heap);
}

/** Its slices are short, whatever the policy thinks. */
@inline
export function throttleSlice(entity: Entity, slice_ns: u64): u64 {
  return entity.throttle != 0 ? min<u64>(slice_ns, THROTTLE_SLICE_NS) : slice_ns;
}
