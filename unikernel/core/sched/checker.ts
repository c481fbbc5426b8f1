// SPDX-License-Identifier: MIT
//
// What must hold in the scheduler between any two events. Looks at everything, so it is for the simulator's checkers
// and for tests; nothing on the domain's own paths calls it.

import { Engine } from "./engine";
import { Entity, entityAt, runnable } from "./entity";
import {
  HEAPS, HEAP_CAPPED, HEAP_DEADLINE, HEAP_FIFO, HEAP_HELD, HEAP_LOW, HEAP_NORMAL, HEAP_SPENT, heapHas, heapOf,
  heapSound,
} from "./heap";
import { POLICY_BEST_EFFORT, POLICY_EQUAL_SHARE, POLICY_FIXED_SHARE, POLICY_WEIGHTED } from "./policy";
import { SCHED_VGPUS_MAX, WORKLOADS_MAX } from "./size";
import { levelOf } from "./throttle";

export const SOUND: u32 = 0;
export const UNSOUND_HEAP: u32 = 1; // a heap is out of order
export const UNSOUND_QUEUE: u32 = 2; // a queue is longer than it may be, or of nobody
export const UNSOUND_PLACE: u32 = 3; // somebody waits in no order, in two, or in one of another policy
export const UNSOUND_TIME: u32 = 4; // engine time was lost or made
export const UNSOUND_RUNNING: u32 = 5; // nobody's workload runs

/** SOUND, or the first thing that is not, and whose: code << 16 | vGPU. */
export function schedulerCheck(engine: Engine): u32 {
  for (let purpose: u32 = 0; purpose < HEAPS; purpose++) {
    if (!heapSound(heapOf(engine.index, purpose))) return (UNSOUND_HEAP << 16) | purpose;
  }
  let used: u64 = 0;
  for (let vgpu: u32 = 0; vgpu < SCHED_VGPUS_MAX; vgpu++) {
    const entity = entityAt(engine.index, vgpu);
    used += entity.used_ns;
    const wrong = entityCheck(engine, entity, vgpu);
    if (wrong != SOUND) return (wrong << 16) | vgpu;
  }
  // who was detached and attached again begins its account anew, so the sum may be less, never more
  return used > engine.busy_ns ? UNSOUND_TIME << 16 : SOUND;
}

function entityCheck(engine: Engine, entity: Entity, vgpu: u32): u32 {
  const runs = engine.state != 0 && engine.running == vgpu;
  if (entity.count > WORKLOADS_MAX || entity.head >= WORKLOADS_MAX) return UNSOUND_QUEUE;
  if (!entity.attached && entity.count != (runs ? <u32>1 : 0)) return UNSOUND_QUEUE;
  if (runs && entity.count == 0) return UNSOUND_RUNNING;
  if (entity.cancelled && !runs) return UNSOUND_RUNNING;
  const places = placesOf(engine.index, vgpu);
  return places == wantedPlaces(engine, entity, places) ? SOUND : UNSOUND_PLACE;
}

/** A bit for each heap that it stands in. */
function placesOf(engine: u32, vgpu: u32): u32 {
  let places: u32 = 0;
  for (let purpose: u32 = 0; purpose < HEAPS; purpose++) {
    if (heapHas(heapOf(engine, purpose), vgpu)) places |= 1 << purpose;
  }
  return places;
}

/** Where it must stand; of several possibilities the one that it does stand in. */
function wantedPlaces(engine: Engine, entity: Entity, places: u32): u32 {
  if (entity.held) return 1 << HEAP_HELD;
  if (!runnable(entity)) return 0;
  switch (engine.policy) {
    case POLICY_BEST_EFFORT: return 1 << HEAP_FIFO;
    case POLICY_EQUAL_SHARE: return 1 << HEAP_NORMAL;
    case POLICY_FIXED_SHARE: return 0;
    case POLICY_WEIGHTED: return weightedPlace(entity, places);
    default: return deadlinePlace(entity, places);
  }
}

function weightedPlace(entity: Entity, places: u32): u32 {
  const held: u32 = 1 << HEAP_CAPPED;
  return places & held ? held : 1 << (HEAP_LOW + levelOf(entity));
}

function deadlinePlace(entity: Entity, places: u32): u32 {
  if (entity.runtime_ns == 0 || entity.throttle != 0) return weightedPlace(entity, places);
  if (entity.budget_ns != 0) return 1 << HEAP_DEADLINE;
  return (1 << HEAP_SPENT) | weightedPlace(entity, places & ~(<u32>1 << HEAP_SPENT));
}
