// SPDX-License-Identifier: MIT
//
// Caps: at most so many percent of the engine, also when nobody else wants it. Each use moves the moment at which the
// entity is under its cap again (a leaky bucket that keeps a time instead of a level: the generic cell rate algorithm,
// ITU-T I.371); until then it waits in a heap by that moment. What it did not use it may catch up for, but for
// CAP_WINDOW_NS at most.

import { Entity } from "./entity";
import { HEAP_CAPPED, heapHas, heapInsert, heapOf, heapRemove, heapSize, heapTop, heapTopKey, NOBODY } from "./heap";
import { CAP_MAX, CAP_WINDOW_NS } from "./limits";

@inline
export function capped(entity: Entity, now: u64): bool {
  return entity.cap < CAP_MAX && entity.cap_ns > now;
}

export function capCharge(entity: Entity, ran_ns: u64, now: u64): void {
  if (entity.cap >= CAP_MAX) return;
  const since = now > CAP_WINDOW_NS + ran_ns ? now - ran_ns - CAP_WINDOW_NS : 0;
  entity.cap_ns = max<u64>(entity.cap_ns, since) + (ran_ns * CAP_MAX) / entity.cap;
}

export function capWait(entity: Entity): void {
  heapInsert(heapOf(entity.engine, HEAP_CAPPED), entity.vgpu, entity.cap_ns);
}

@inline
export function capWaits(entity: Entity): bool {
  return heapHas(heapOf(entity.engine, HEAP_CAPPED), entity.vgpu);
}

export function capForget(entity: Entity): void {
  const heap = heapOf(entity.engine, HEAP_CAPPED);
  if (heapHas(heap, entity.vgpu)) heapRemove(heap, entity.vgpu);
}

/** Somebody who is under its cap again, taken out of the heap; NOBODY. */
export function capRelease(engine: u32, now: u64): u32 {
  const heap = heapOf(engine, HEAP_CAPPED);
  if (heapSize(heap) == 0 || heapTopKey(heap) > now) return NOBODY;
  const vgpu = heapTop(heap);
  heapRemove(heap, vgpu);
  return vgpu;
}

/** When capRelease() has somebody next; 0: nobody waits. */
export function capNext(engine: u32): u64 {
  const heap = heapOf(engine, HEAP_CAPPED);
  return heapSize(heap) == 0 ? 0 : heapTopKey(heap);
}

/** The cap was changed: credit begins anew, and no debt is longer than a window under the new one. */
export function capChanged(entity: Entity, now: u64): void {
  entity.cap_ns = min<u64>(max<u64>(entity.cap_ns, now), now + CAP_WINDOW_NS);
}
