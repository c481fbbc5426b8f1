// SPDX-License-Identifier: MIT
//
// The interface of all policies: what the engine tells them and what it asks. A policy keeps those who are runnable in
// its own order; it never touches a queue or an engine.
//
//   wake    the entity has work now            sleep   it has none any more
//   pick    who is next, and how long (choice.ts); whoever was picked stays in the order until charged or asleep
//   charge  it ran so long                     preempts   must the one who woke up run before this slice is over?
//   change  parameters are others now, or somebody came or went
//
// Every one of them but change costs O(log n) steps.

import { bestEffortCharge, bestEffortPick, bestEffortSleep, bestEffortWake } from "./best_effort";
import { capChanged } from "./cap";
import {
  deadlineChanged, deadlineCharge, deadlinePick, deadlinePreempts, deadlineSleep, deadlineWake,
} from "./deadline";
import { Entity, runnable } from "./entity";
import { equalSharePick, equalShareWake } from "./equal_share";
import { fairCharge, fairRemove, fairScale } from "./fair";
import { fixedShareChanged, fixedShareCharge, fixedSharePick } from "./fixed_share";
import { weightedCharge, weightedPick, weightedPreempts, weightedSleep, weightedWake } from "./weighted";

export const POLICY_BEST_EFFORT: u32 = 0;
export const POLICY_EQUAL_SHARE: u32 = 1;
export const POLICY_FIXED_SHARE: u32 = 2;
export const POLICY_WEIGHTED: u32 = 3;
export const POLICY_DEADLINE: u32 = 4;
export const POLICIES: u32 = 5;

export function policyName(policy: u32): string {
  switch (policy) {
    case POLICY_BEST_EFFORT: return "best-effort";
    case POLICY_EQUAL_SHARE: return "equal-share";
    case POLICY_FIXED_SHARE: return "fixed-share";
    case POLICY_WEIGHTED: return "weighted";
    default: return "deadline";
  }
}

export function policyWake(policy: u32, entity: Entity, now: u64): void {
  switch (policy) {
    case POLICY_BEST_EFFORT: return bestEffortWake(entity);
    case POLICY_EQUAL_SHARE: return equalShareWake(entity);
    case POLICY_FIXED_SHARE: return;
    case POLICY_WEIGHTED: return weightedWake(entity, now);
    default: return deadlineWake(entity, now);
  }
}

export function policySleep(policy: u32, entity: Entity): void {
  switch (policy) {
    case POLICY_BEST_EFFORT: return bestEffortSleep(entity);
    case POLICY_EQUAL_SHARE: return fairRemove(entity);
    case POLICY_FIXED_SHARE: return;
    case POLICY_WEIGHTED: return weightedSleep(entity);
    default: return deadlineSleep(entity);
  }
}

export function policyPick(policy: u32, engine: u32, now: u64): u32 {
  switch (policy) {
    case POLICY_BEST_EFFORT: return bestEffortPick(engine);
    case POLICY_EQUAL_SHARE: return equalSharePick(engine);
    case POLICY_FIXED_SHARE: return fixedSharePick(engine, now);
    case POLICY_WEIGHTED: return weightedPick(engine, now);
    default: return deadlinePick(engine, now);
  }
}

/** `until_ns` as the pick said. */
export function policyCharge(policy: u32, entity: Entity, ran_ns: u64, until_ns: u64, now: u64): void {
  switch (policy) {
    case POLICY_BEST_EFFORT: return bestEffortCharge(entity);
    case POLICY_EQUAL_SHARE: return fairCharge(entity, ran_ns);
    case POLICY_FIXED_SHARE: return fixedShareCharge(entity, ran_ns, until_ns, now);
    case POLICY_WEIGHTED: return weightedCharge(entity, ran_ns, now);
    default: return deadlineCharge(entity, ran_ns, now);
  }
}

export function policyPreempts(policy: u32, running: Entity, woken: Entity): bool {
  if (policy == POLICY_WEIGHTED) return weightedPreempts(running, woken);
  if (policy == POLICY_DEADLINE) return deadlinePreempts(running, woken);
  return false;
}

/** Before the entity's parameters change: it leaves the order, what it is ahead counts by the new weight. */
export function policyLeave(policy: u32, entity: Entity, weight: u32): void {
  if (runnable(entity)) policySleep(policy, entity);
  if (policy == POLICY_WEIGHTED || policy == POLICY_DEADLINE) fairScale(entity, weight);
}

/** After that: it takes its place by the new ones. */
export function policyReturn(policy: u32, entity: Entity, promise: bool, now: u64): void {
  capChanged(entity, now);
  if (promise) deadlineChanged(entity);
  if (runnable(entity)) policyWake(policy, entity, now);
  if (policy == POLICY_FIXED_SHARE) fixedShareChanged(entity.engine, now);
}
