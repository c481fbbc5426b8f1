// SPDX-License-Identifier: MIT
//
// The scheduler alone, for the host: compiled with larger limits (size.ts) and run in simulated time by host/sched. The
// same sources as in the driver domain; only these exports are the host's own. Numbers in, numbers out.

import { textAt } from "../text";
import { admits } from "./admission";
import { schedulerCheck } from "./checker";
import {
  engineAt, engineAttach, engineCancel, engineDetach, engineDone, engineInit, engineLook, enginePolicy,
  engineRan, engineResetDone, engineSet, engineSlot, engineStopped, engineSubmit, engineThrottle,
  engineTick,
  engineUsed,
} from "./engine";
import { PARAMETERS_BYTES, Parameters, entityAt, parametersCopy } from "./entity";
import { PARAMETER_COUNT, parameterSet, parametersFit } from "./parameter";
import { WORKLOADS_MAX } from "./size";
import { stepsSoFar } from "./steps";
import { waitsPercentile, waitsRecent } from "./waits";
import { workloadAt } from "./workload";

const WANTED: usize = memory.data(PARAMETERS_BYTES, 8);
const TEXT_BYTES: u32 = 512;
const ERROR_TEXT: usize = memory.data(TEXT_BYTES, 8);

export function init(engine: u32, policy: u32, stepped: u32): void {
  engineInit(engine, policy, stepped != 0);
}

export function attach(engine: u32, vgpu: u32, now: u64): void {
  engineAttach(engineAt(engine), vgpu, WORKLOADS_MAX, now);
}

export function detach(engine: u32, vgpu: u32, now: u64): u32 {
  return engineDetach(engineAt(engine), vgpu, now) ? 1 : 0;
}

export function cancel(engine: u32, vgpu: u32): u32 {
  return engineCancel(engineAt(engine), vgpu) ? 1 : 0;
}

export function submit(engine: u32, vgpu: u32, cookie: u64, cost: u64, now: u64): i32 {
  return engineSubmit(engineAt(engine), vgpu, cookie, cost, now);
}

export function tick(engine: u32, now: u64): u32 {
  return engineTick(engineAt(engine), now);
}

export function look(engine: u32, now: u64): u64 {
  return engineLook(engineAt(engine), now);
}

export function ran(engine: u32, ns: u64): void {
  engineRan(engineAt(engine), ns);
}

export function done(engine: u32, now: u64): u32 {
  return engineDone(engineAt(engine), now) ? 1 : 0;
}

export function stopped(engine: u32, now: u64): u32 {
  return engineStopped(engineAt(engine), now) ? 1 : 0;
}

export function reset_done(engine: u32, now: u64): void {
  engineResetDone(engineAt(engine), now);
}

export function policy(engine: u32, policy: u32, now: u64): void {
  enginePolicy(engineAt(engine), policy, now);
}

/** One parameter (parameter.ts) of an attached vGPU, then apply(). 0: refused, words in the text. */
export function wanted(engine: u32, vgpu: u32): void {
  parametersCopy(entityAt(engine, vgpu), changetype<Parameters>(WANTED));
}

export function want(which: u32, value: u64): u32 {
  const error = textAt(ERROR_TEXT, TEXT_BYTES);
  return which < PARAMETER_COUNT && parameterSet(changetype<Parameters>(WANTED), which, value, error) ? 1 : 0;
}

export function apply(engine: u32, vgpu: u32, now: u64): u32 {
  const error = textAt(ERROR_TEXT, TEXT_BYTES);
  const to = changetype<Parameters>(WANTED);
  if (!parametersFit(to, error) || !admits(engine, vgpu, to, error)) return 0;
  engineSet(engineAt(engine), vgpu, to, now);
  return 1;
}

export function throttle(engine: u32, vgpu: u32, percent: u32, now: u64): void {
  engineThrottle(engineAt(engine), vgpu, percent, now);
}

/** Where the words of the last refusal are: their length (u32), 4 bytes from here, then they. */
export function error_text(): u32 {
  return <u32>ERROR_TEXT;
}

export function running(engine: u32): u32 {
  return engineAt(engine).running;
}

export function running_cookie(engine: u32): u64 {
  return workloadAt(engineSlot(engineAt(engine))).cookie;
}

export function queued(engine: u32, vgpu: u32): u32 {
  return entityAt(engine, vgpu).count;
}

export function used_ns(engine: u32, vgpu: u32, now: u64): u64 {
  return engineUsed(engineAt(engine), vgpu, now);
}

export function busy_ns(engine: u32): u64 {
  return engineAt(engine).busy_ns;
}

export function finished(engine: u32, vgpu: u32): u64 {
  return entityAt(engine, vgpu).done;
}

export function decisions(engine: u32): u64 {
  return engineAt(engine).decisions;
}

export function steps(): u64 {
  return stepsSoFar();
}

export function wait_us(engine: u32, vgpu: u32, percent: u32): u64 {
  return waitsPercentile(entityAt(engine, vgpu).index, percent);
}

export function recent_wait_us(engine: u32, vgpu: u32, percent: u32, now: u64): u64 {
  return waitsRecent(entityAt(engine, vgpu).index, percent, now);
}

export function state(engine: u32): u32 {
  return engineAt(engine).state;
}

export function check(engine: u32): u32 {
  return schedulerCheck(engineAt(engine));
}
