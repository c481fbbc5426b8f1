// SPDX-License-Identifier: MIT
//
// Workloads and their queues: a bounded ring for each entity. A workload keeps its place while it waits and runs, so an
// engine can keep what it needs to know (source, destination) in a table of its own by the same number.

import { PANIC_SCHED_QUEUE, check } from "../panic";
import { Entity } from "./entity";
import { ENGINES_MAX, SCHED_VGPUS_MAX, WORKLOADS_MAX } from "./size";

@unmanaged
export class Workload {
  cookie: u64; // the submitter's name for it
  cost: u64; // its own guess, for engines that can use one
  submitted_ns: u64;
  ran_ns: u64;
  started: u32;
}
const WORKLOAD_BYTES: u32 = 40;

const TABLE: usize = memory.data(ENGINES_MAX * SCHED_VGPUS_MAX * WORKLOADS_MAX * WORKLOAD_BYTES, 8);

export function workloadAt(slot: u32): Workload {
  if (offsetof<Workload>() > WORKLOAD_BYTES) ERROR("WORKLOAD_BYTES");
  return changetype<Workload>(TABLE + slot * WORKLOAD_BYTES);
}

/** The number of the i-th workload that waits; 0 is the next or the one that runs. */
export function queueSlot(entity: Entity, i: u32): u32 {
  check(i < entity.count, PANIC_SCHED_QUEUE, i);
  return entity.index * WORKLOADS_MAX + ((entity.head + i) % WORKLOADS_MAX);
}

/** Its number; -1: the queue is full. */
export function queuePush(entity: Entity, cookie: u64, cost: u64, now: u64): i32 {
  if (entity.count >= min<u32>(entity.quota, WORKLOADS_MAX)) return -1;
  entity.count++;
  const slot = queueSlot(entity, entity.count - 1);
  const workload = workloadAt(slot);
  workload.cookie = cookie;
  workload.cost = cost;
  workload.submitted_ns = now;
  workload.ran_ns = 0;
  workload.started = 0;
  return slot;
}

export function queuePop(entity: Entity): void {
  check(entity.count != 0, PANIC_SCHED_QUEUE, entity.index);
  entity.head = (entity.head + 1) % WORKLOADS_MAX;
  entity.count--;
}

/** Forgets all, or all but the first, which runs. */
export function queueDrop(entity: Entity, keep: u32): void {
  const left = min<u32>(entity.count, keep);
  entity.dropped += entity.count - left;
  entity.count = left;
}
