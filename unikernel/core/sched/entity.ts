// SPDX-License-Identifier: MIT
//
// What a vGPU is to one engine's scheduler: its parameters, its account, its place in the policies. Engine e and vGPU v
// meet in entity e * SCHED_VGPUS_MAX + v. It takes part in a policy while it is runnable.

import { PANIC_SCHED_ENTITY, check } from "../panic";
import { NS_PER_US, QUANTUM_US_DEFAULT, TIMEOUT_US_DEFAULT, WEIGHT_DEFAULT, CAP_MAX } from "./limits";
import { ENGINES_MAX, SCHED_VGPUS_MAX } from "./size";
import { waitsClear } from "./waits";

export const PRIORITY_LOW: u32 = 0;
export const PRIORITY_NORMAL: u32 = 1;
export const PRIORITY_HIGH: u32 = 2;
export const PRIORITIES: u32 = 3;

/** As the operator sets them (parameter.ts); an entity begins with its own. */
@unmanaged
export class Parameters {
  weight: u32;
  cap: u32; // percent; 100: none
  priority: u32;
  policy: u32; // of the whole engine: only in records of vGPUs that outlive a restart
  quantum_ns: u64;
  timeout_ns: u64;
  period_ns: u64; // of its deadline; 0: none
  runtime_ns: u64; // engine time promised in each period
}

export const PARAMETERS_BYTES: u32 = 48;

export function parametersDefault(to: Parameters): void {
  if (offsetof<Parameters>() > PARAMETERS_BYTES) ERROR("PARAMETERS_BYTES");
  to.weight = WEIGHT_DEFAULT;
  to.cap = CAP_MAX;
  to.priority = PRIORITY_NORMAL;
  to.quantum_ns = QUANTUM_US_DEFAULT * NS_PER_US;
  to.timeout_ns = TIMEOUT_US_DEFAULT * NS_PER_US;
  to.period_ns = 0;
  to.runtime_ns = 0;
}

export function parametersCopy(from: Parameters, to: Parameters): void {
  memory.copy(changetype<usize>(to), changetype<usize>(from), offsetof<Parameters>());
}

@unmanaged
export class Entity extends Parameters {
  index: u32; // its own number
  engine: u32;
  vgpu: u32;
  attached: u32;
  quota: u32; // workloads that may wait
  // --- its queue ---
  head: u32;
  count: u32;
  cancelled: u32; // the running workload is not wanted any more
  // --- policies' ---
  share_level: u32; // the priority that counts, under the policy that runs
  share_weight: u32; // the weight that counts
  share_rest: u32; // of the last division by it
  pass: u64; // virtual time: engine time got, over the weight
  cap_ns: u64; // when it is under its cap again
  budget_ns: u64; // left of runtime_ns
  serving: u32; // it runs on its budget, not on what others left
  deadline_ns: u64; // when the budget must be used, and comes anew
  debt_ns: u64; // engine time taken out of others' windows
  paid_until_ns: u64; // while it pays for that
  // --- throttle.ts ---
  throttle: u32; // percent of the engine at most; 0: it is not throttled
  held: u32; // it waits until free_ns, and takes no part in a policy
  free_ns: u64;
  // --- account ---
  used_ns: u64;
  done: u64;
  preempted: u64;
  dropped: u64; // cancelled, or lost with their vGPU
}
const ENTITY_BYTES: u32 = 200;

const TABLE: usize = memory.data(ENGINES_MAX * SCHED_VGPUS_MAX * ENTITY_BYTES, 8);

export function entityAt(engine: u32, vgpu: u32): Entity {
  if (offsetof<Entity>() > ENTITY_BYTES) ERROR("ENTITY_BYTES");
  check(engine < ENGINES_MAX && vgpu < SCHED_VGPUS_MAX, PANIC_SCHED_ENTITY, vgpu);
  return changetype<Entity>(TABLE + (engine * SCHED_VGPUS_MAX + vgpu) * ENTITY_BYTES);
}

/** As after attach: default parameters, an empty queue, nothing used. */
export function entityInit(engine: u32, vgpu: u32, quota: u32): Entity {
  const entity = entityAt(engine, vgpu);
  memory.fill(changetype<usize>(entity), 0, ENTITY_BYTES);
  entity.index = engine * SCHED_VGPUS_MAX + vgpu;
  entity.engine = engine;
  entity.vgpu = vgpu;
  entity.attached = 1;
  entity.quota = quota;
  parametersDefault(entity);
  entity.share_level = PRIORITY_NORMAL;
  entity.share_weight = WEIGHT_DEFAULT;
  waitsClear(entity.index);
  return entity;
}

/** Does it want the engine? What was cancelled and is not off the engine yet does not. */
@inline
export function wanting(entity: Entity): bool {
  return entity.count != 0 && entity.cancelled == 0;
}

/** Does it take part in the policy? */
@inline
export function runnable(entity: Entity): bool {
  return wanting(entity) && entity.held == 0;
}
