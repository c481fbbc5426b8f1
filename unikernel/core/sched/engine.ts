// SPDX-License-Identifier: MIT
//
// Engines: each runs one workload at a time; the policy decides whose. What an engine really is stays behind this file:
// a driver asks engineTick() what to do and reports what became of it. Time comes in as arguments.
//
//             START                 PREEMPT                     RESET
//   IDLE ──────────────> RUNNING ──────────────> PREEMPTING ─────────────> RESETTING
//    ^  ^                  │  slice over and          │   not gone within      │
//    │  └── engineDone ────┘  somebody else's turn    │   preempt_timeout      │
//    ├───── engineDone, engineStopped ────────────────┘                        │
//    └───── engineResetDone: its vGPU is to be lost, the others' queues go on ─┘

import { PANIC_SCHED_ENGINE, check } from "../panic";
import { choice } from "./choice";
import { Entity, Parameters, entityAt, entityInit, parametersCopy, runnable, wanting } from "./entity";
import { fixedShareChanged, fixedShareStart } from "./fixed_share";
import { NOBODY } from "./heap";
import { WORKLOAD_NS_MAX } from "./limits";
import {
  POLICY_FIXED_SHARE, policyCharge, policyLeave, policyPick, policyPreempts, policyReturn, policySleep, policyWake,
} from "./policy";
import { ENGINES_MAX, SCHED_VGPUS_MAX } from "./size";
import {
  throttleCharge, throttleForget, throttleNext, throttleRelease, throttleSlice, throttleWake,
} from "./throttle";
import { waitsCount } from "./waits";
import { queueDrop, queuePop, queuePush, queueSlot, workloadAt } from "./workload";

export const ENGINE_IDLE: u32 = 0;
export const ENGINE_RUNNING: u32 = 1;
export const ENGINE_PREEMPTING: u32 = 2;
export const ENGINE_RESETTING: u32 = 3;

/** What engineTick() asks of the driver. */
export const ACTION_NONE: u32 = 0;
export const ACTION_START: u32 = 1; // run engineSlot(), from where it was stopped
export const ACTION_PREEMPT: u32 = 2; // stop it; then engineStopped(), or engineDone() when it was finished first
export const ACTION_RESET: u32 = 3; // it did not stop; then engineResetDone()

@unmanaged
export class Engine {
  index: u32;
  policy: u32;
  state: u32;
  running: u32; // vGPU; counts while not IDLE
  stepped: u32; // the driver tells the engine time (engineRan); else it is the time that passes
  asked: u32; // somebody wants it to be looked at before its slice is over
  overlong: u32; // the running workload took more than any may
  started_ns: u64; // of what is not charged yet
  ran_ns: u64; // told by engineRan, not charged yet
  slice_ns: u64;
  until_ns: u64;
  look_ns: u64;
  stop_ns: u64; // when it was asked to stop
  busy_ns: u64;
  decisions: u64;
  resets: u64;
}
const ENGINE_BYTES: u32 = 112;

const TABLE: usize = memory.data(ENGINES_MAX * ENGINE_BYTES, 8);

export function engineAt(index: u32): Engine {
  if (offsetof<Engine>() > ENGINE_BYTES) ERROR("ENGINE_BYTES");
  check(index < ENGINES_MAX, PANIC_SCHED_ENGINE, index);
  return changetype<Engine>(TABLE + index * ENGINE_BYTES);
}

export function engineInit(index: u32, policy: u32, stepped: bool): void {
  const engine = engineAt(index);
  memory.fill(changetype<usize>(engine), 0, ENGINE_BYTES);
  engine.index = index;
  engine.policy = policy;
  engine.stepped = stepped ? 1 : 0;
}

/** Whose workload it is that runs. */
@inline
export function engineEntity(engine: Engine): Entity {
  return entityAt(engine.index, engine.running);
}

/** The running workload's number (workload.ts). */
export function engineSlot(engine: Engine): u32 {
  return queueSlot(engineEntity(engine), 0);
}

// --- who takes part ---

export function engineAttach(engine: Engine, vgpu: u32, quota: u32, now: u64): void {
  check(!engineRuns(engine, vgpu), PANIC_SCHED_ENGINE, vgpu);
  entityInit(engine.index, vgpu, quota);
  if (engine.policy == POLICY_FIXED_SHARE) fixedShareChanged(engine.index, now);
}

@inline
export function engineRuns(engine: Engine, vgpu: u32): bool {
  return engine.state != ENGINE_IDLE && engine.running == vgpu;
}

/**
 * All that the vGPU wanted is not wanted any more. True: one of its workloads is on the engine still, and must be
 * stopped (ACTION_PREEMPT comes next) before the vGPU can be attached again.
 */
export function engineCancel(engine: Engine, vgpu: u32): bool {
  const entity = entityAt(engine.index, vgpu);
  const runs = engineRuns(engine, vgpu);
  if (runnable(entity)) policySleep(engine.policy, entity);
  throttleForget(entity);
  queueDrop(entity, runs ? 1 : 0);
  if (runs) entity.cancelled = 1;
  return runs;
}

/** It does not take part any more. As engineCancel(). */
export function engineDetach(engine: Engine, vgpu: u32, now: u64): bool {
  const entity = entityAt(engine.index, vgpu);
  if (!entity.attached) return false;
  const runs = engineCancel(engine, vgpu);
  entity.attached = 0;
  if (engine.policy == POLICY_FIXED_SHARE) fixedShareChanged(engine.index, now);
  return runs;
}

// --- work ---

/** The workload's number; -1: the queue is full. The vGPU is attached. */
export function engineSubmit(engine: Engine, vgpu: u32, cookie: u64, cost: u64, now: u64): i32 {
  const entity = entityAt(engine.index, vgpu);
  check(entity.attached != 0, PANIC_SCHED_ENGINE, vgpu);
  if (entity.cancelled) return -1;
  const slept = !wanting(entity);
  const slot = queuePush(entity, cookie, cost, now);
  if (slot < 0 || !slept || entity.held) return slot;
  throttleWake(engine.policy, entity, now);
  if (!runnable(entity)) return slot;
  const busy = engine.state == ENGINE_RUNNING;
  if (busy && policyPreempts(engine.policy, engineEntity(engine), entity)) engine.asked = 1;
  return slot;
}

/** What the driver must do now. */
export function engineTick(engine: Engine, now: u64): u32 {
  switch (engine.state) {
    case ENGINE_IDLE: return startNext(engine, now);
    case ENGINE_RUNNING: return lookAtRunning(engine, now);
    case ENGINE_PREEMPTING: return lookAtStop(engine, now);
    default: return ACTION_NONE;
  }
}

/** When to ask again, if nothing happens before: a time; 0: not before something is submitted. */
export function engineLook(engine: Engine, now: u64): u64 {
  switch (engine.state) {
    case ENGINE_IDLE: return engine.look_ns;
    case ENGINE_RUNNING: return endOfSlice(engine, now);
    case ENGINE_PREEMPTING: return engine.stop_ns + engineEntity(engine).timeout_ns;
    default: return 0;
  }
}

function endOfSlice(engine: Engine, now: u64): u64 {
  const ran = uncharged(engine, now);
  const left = min<u64>(engine.slice_ns - min<u64>(engine.slice_ns, ran), workloadLeft(engine, ran));
  const end = now + left;
  if (engine.asked || engineEntity(engine).cancelled) return now;
  return engine.until_ns != 0 ? min<u64>(end, engine.until_ns) : end;
}

function workloadLeft(engine: Engine, ran: u64): u64 {
  const total = workloadAt(engineSlot(engine)).ran_ns + ran;
  return total < WORKLOAD_NS_MAX ? WORKLOAD_NS_MAX - total : 0;
}

@inline
function uncharged(engine: Engine, now: u64): u64 {
  return engine.stepped ? engine.ran_ns : now - engine.started_ns;
}

function decide(engine: Engine, now: u64): u32 {
  engine.decisions++;
  throttleRelease(engine.policy, engine.index, now);
  const vgpu = policyPick(engine.policy, engine.index, now);
  engine.asked = 0;
  engine.slice_ns = vgpu == NOBODY ? 0 : throttleSlice(entityAt(engine.index, vgpu), choice().slice_ns);
  engine.until_ns = choice().until_ns;
  engine.look_ns = vgpu == NOBODY ? earlier(choice().look_ns, throttleNext(engine.index)) : 0;
  return vgpu;
}

/** Of two times, where 0 is none. */
@inline
function earlier(a: u64, b: u64): u64 {
  if (a == 0) return b;
  return b == 0 ? a : min<u64>(a, b);
}

function startNext(engine: Engine, now: u64): u32 {
  const vgpu = decide(engine, now);
  if (vgpu == NOBODY) return ACTION_NONE;
  engine.running = vgpu;
  engine.state = ENGINE_RUNNING;
  engine.started_ns = now;
  engine.ran_ns = 0;
  const workload = workloadAt(engineSlot(engine));
  if (!workload.started) waitsCount(engineEntity(engine).index, now - workload.submitted_ns, now);
  workload.started = 1;
  return ACTION_START;
}

function lookAtRunning(engine: Engine, now: u64): u32 {
  const entity = engineEntity(engine);
  if (entity.cancelled) return askToStop(engine, now);
  if (endOfSlice(engine, now) > now) return ACTION_NONE;
  charge(engine, now);
  if (workloadLeft(engine, 0) == 0) {
    engine.overlong = 1;
    return askToStop(engine, now);
  }
  const before = engine.until_ns;
  if (decide(engine, now) == engine.running) return ACTION_NONE; // another slice
  engine.until_ns = before; // it pays for what it runs beyond
  return askToStop(engine, now);
}

function askToStop(engine: Engine, now: u64): u32 {
  engine.state = ENGINE_PREEMPTING;
  engine.stop_ns = now;
  return ACTION_PREEMPT;
}

function lookAtStop(engine: Engine, now: u64): u32 {
  if (now - engine.stop_ns < engineEntity(engine).timeout_ns) return ACTION_NONE;
  engine.state = ENGINE_RESETTING;
  return ACTION_RESET;
}

// --- what the driver reports ---

/** So much engine time more, of an engine that runs by steps. */
export function engineRan(engine: Engine, ran_ns: u64): void {
  engine.ran_ns += ran_ns;
}

function charge(engine: Engine, now: u64): void {
  const entity = engineEntity(engine);
  const ran = uncharged(engine, now);
  engine.started_ns = now;
  engine.ran_ns = 0;
  engine.busy_ns += ran;
  entity.used_ns += ran;
  workloadAt(engineSlot(engine)).ran_ns += ran;
  policyCharge(engine.policy, entity, ran, engine.until_ns, now);
  throttleCharge(engine.policy, entity, ran, now);
}

/** Engine time that the vGPU has had, with what runs right now. */
export function engineUsed(engine: Engine, vgpu: u32, now: u64): u64 {
  const used = entityAt(engine.index, vgpu).used_ns;
  return engineRuns(engine, vgpu) ? used + uncharged(engine, now) : used;
}

/** The running workload is finished. True: its submitter still wants to know. */
export function engineDone(engine: Engine, now: u64): bool {
  check(engine.state == ENGINE_RUNNING || engine.state == ENGINE_PREEMPTING, PANIC_SCHED_ENGINE, engine.state);
  const entity = engineEntity(engine);
  if (leaveEngine(engine, now)) return false;
  queuePop(entity);
  entity.done++;
  if (!runnable(entity)) policySleep(engine.policy, entity);
  return true;
}

/** It stopped before it was finished. False: no workload may take as long as this one did, its vGPU is to be lost. */
export function engineStopped(engine: Engine, now: u64): bool {
  check(engine.state == ENGINE_PREEMPTING, PANIC_SCHED_ENGINE, engine.state);
  const entity = engineEntity(engine);
  const overlong = engine.overlong != 0;
  if (!leaveEngine(engine, now)) entity.preempted++;
  return !overlong;
}

/** The engine was reset under the running workload, whose vGPU is to be lost. */
export function engineResetDone(engine: Engine, now: u64): void {
  check(engine.state == ENGINE_RESETTING, PANIC_SCHED_ENGINE, engine.state);
  engine.resets++;
  leaveEngine(engine, now);
}

/** IDLE again. True: what ran had been cancelled, and is gone. */
function leaveEngine(engine: Engine, now: u64): bool {
  const entity = engineEntity(engine);
  charge(engine, now);
  engine.state = ENGINE_IDLE;
  engine.overlong = 0;
  if (!entity.cancelled) return false;
  entity.cancelled = 0;
  queueDrop(entity, 0);
  return true;
}

// --- parameters ---

/** Another policy takes over; everybody who waits is handed over, whoever runs goes on to the end of its slice. */
export function enginePolicy(engine: Engine, policy: u32, now: u64): void {
  for (let vgpu: u32 = 0; vgpu < SCHED_VGPUS_MAX; vgpu++) {
    const entity = entityAt(engine.index, vgpu);
    if (!entity.attached || !runnable(entity)) continue;
    policySleep(engine.policy, entity);
    policyWake(policy, entity, now);
  }
  engine.policy = policy;
  engine.asked = 1;
  if (policy == POLICY_FIXED_SHARE) fixedShareStart(engine.index, now);
}

/** New parameters, checked before (parameter.ts). They count from the next decision on. */
export function engineSet(engine: Engine, vgpu: u32, to: Parameters, now: u64): void {
  const entity = entityAt(engine.index, vgpu);
  const promise = entity.period_ns != to.period_ns || entity.runtime_ns != to.runtime_ns;
  policyLeave(engine.policy, entity, to.weight);
  parametersCopy(to, entity);
  policyReturn(engine.policy, entity, promise, now);
  if (engine.state == ENGINE_RUNNING) engine.asked = 1;
}

/** So many percent at most, whatever its parameters say; 0: by these alone, as if nothing had been. */
export function engineThrottle(engine: Engine, vgpu: u32, percent: u32, now: u64): void {
  const entity = entityAt(engine.index, vgpu);
  if (entity.throttle == percent) return;
  policyLeave(engine.policy, entity, entity.weight);
  throttleForget(entity);
  entity.throttle = percent;
  entity.free_ns = 0;
  policyReturn(engine.policy, entity, true, now);
  if (engine.state == ENGINE_RUNNING) engine.asked = 1;
}
