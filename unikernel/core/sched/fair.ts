// SPDX-License-Identifier: MIT
//
// Fair shares: start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996) for each priority. Whoever got least engine
// time over its weight comes next. Virtual time is the one furthest behind; who wakes up starts there, so a
// sleeper collects no credit, and what it owes from before it still owes.
//
// Priorities: the highest that has somebody runs. Those below it that wait are owed one part in PRIORITY_RESERVE of
// the engine, and run as soon as that is a whole slice, so none starves. What they run beyond it they owe themselves.
// Neither changes while a priority has nobody, which is so between any two workloads of a guest that has one at a time.

import { Entity, PRIORITIES, PRIORITY_HIGH, entityAt } from "./entity";
import {
  HEAP_LOW, NOBODY, heapHas, heapInsert, heapOf, heapRemove, heapSize, heapTop, heapTopKey, heapUpdate,
} from "./heap";
import { PRIORITY_DEBT_NS, PRIORITY_RESERVE } from "./limits";
import { ENGINES_MAX } from "./size";
import { throttleSlice } from "./throttle";

/** Units of virtual time in a nanosecond at weight 1: 2^64 of them are 36 years of the engine. */
const SCALE: u64 = 16;

//  per engine and priority: ┌ virtual time u64 ┬ owed_ns i64 ┐
const LEVELS: usize = memory.data(ENGINES_MAX * PRIORITIES * 16, 8);

@inline
function levelOf(engine: u32, level: u32): usize {
  return LEVELS + (engine * PRIORITIES + level) * 16;
}

@inline
function virtualTime(engine: u32, level: u32): u64 {
  return load<u64>(levelOf(engine, level));
}

@inline
function owed(engine: u32, level: u32): i64 {
  return load<i64>(levelOf(engine, level), 8);
}

@inline
function setOwed(engine: u32, level: u32, ns: i64): void {
  store<i64>(levelOf(engine, level), ns, 8);
}

@inline
function heapAt(engine: u32, level: u32): usize {
  return heapOf(engine, HEAP_LOW + level);
}

@inline
export function fairHas(entity: Entity): bool {
  return heapHas(heapAt(entity.engine, entity.share_level), entity.vgpu);
}

/** From now on it takes part, with this weight and priority. */
export function fairInsert(entity: Entity, weight: u32, level: u32): void {
  if (weight != entity.share_weight) entity.share_rest = 0;
  const behind = virtualTime(entity.engine, level);
  if (level != entity.share_level) entity.pass = behind; // virtual times of two priorities mean nothing to each other
  entity.share_weight = weight;
  entity.share_level = level;
  entity.pass = max<u64>(entity.pass, behind);
  heapInsert(heapAt(entity.engine, level), entity.vgpu, entity.pass);
}

export function fairRemove(entity: Entity): void {
  const heap = heapAt(entity.engine, entity.share_level);
  if (!heapHas(heap, entity.vgpu)) return;
  heapRemove(heap, entity.vgpu);
}

/** Who comes next; it stays in its place until it is charged. */
export function fairPick(engine: u32): u32 {
  for (let level: u32 = 0; level < PRIORITY_HIGH; level++) {
    const vgpu = heapTop(heapAt(engine, level));
    if (vgpu != NOBODY && owed(engine, level) >= <i64>sliceOf(entityAt(engine, vgpu))) return vgpu;
  }
  for (let level = PRIORITIES; level-- > 0; ) {
    const vgpu = heapTop(heapAt(engine, level));
    if (vgpu != NOBODY) return vgpu;
  }
  return NOBODY;
}

@inline
function sliceOf(entity: Entity): u64 {
  return throttleSlice(entity, entity.quantum_ns);
}

/** It ran so long. Also right for one that is not in a heap any more. */
export function fairCharge(entity: Entity, ran_ns: u64): void {
  const level = entity.share_level;
  const units = ran_ns * SCALE + entity.share_rest;
  moveTime(entity, level);
  entity.pass += units / entity.share_weight;
  entity.share_rest = <u32>(units % entity.share_weight);
  if (fairHas(entity)) heapUpdate(heapAt(entity.engine, level), entity.vgpu, entity.pass);
  settleOwed(entity.engine, level, ran_ns);
}

/**
 * Virtual time is where the one furthest behind stands. (Not simply the start of the one that ran: what is charged in
 * two pieces, a slice and the time it took to stop, would start its second piece ahead of all others.)
 */
function moveTime(entity: Entity, level: u32): void {
  const heap = heapAt(entity.engine, level);
  const behind = heapSize(heap) == 0 ? entity.pass : min<u64>(entity.pass, heapTopKey(heap));
  store<u64>(levelOf(entity.engine, level), max<u64>(virtualTime(entity.engine, level), behind));
}

function settleOwed(engine: u32, ran_level: u32, ran_ns: u64): void {
  let debt: i64 = 0; // whoever runs while nobody above wants to takes nothing from anybody
  for (let level: u32 = 0; level < PRIORITIES; level++) {
    if (heapSize(heapAt(engine, level)) == 0) continue;
    if (level < ran_level) setOwed(engine, level, owed(engine, level) + <i64>(ran_ns / (PRIORITY_RESERVE - 1)));
    if (level > ran_level) debt = PRIORITY_DEBT_NS;
  }
  setOwed(engine, ran_level, max<i64>(owed(engine, ran_level) - <i64>ran_ns, -debt));
}

/** Before another weight counts, outside the heap: what it is ahead of the others is the same engine time as before. */
export function fairScale(entity: Entity, weight: u32): void {
  const now = virtualTime(entity.engine, entity.share_level);
  if (entity.share_weight == 0 || entity.pass <= now) return;
  entity.pass = now + ((entity.pass - now) * entity.share_weight) / weight;
}
