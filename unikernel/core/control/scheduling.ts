// SPDX-License-Identifier: MIT
//
// The scheduler's words in specifications and in `set`: weight=, cap=, priority=, exec-quantum-us=,
// preempt-timeout-us=, period-us=, runtime-us=; and its figures for gbctl top.

import { ENGINE_COPY } from "../../abi/module";
import { shim_time_ns } from "../../abi/shim";
import { engineUsed } from "../sched/engine";
import { Parameters, entityAt } from "../sched/entity";
import { NS_PER_US } from "../sched/limits";
import {
  PARAMETER_COUNT, PARAMETER_PRIORITY, parameterName, parameterSet, priorityName, putRange,
} from "../sched/parameter";
import { POLICIES, policyName } from "../sched/policy";
import { waitsPercentile, waitsRecent } from "../sched/waits";
import { Text, equals, parseNumber, parsed } from "../text";
import { Vgpu } from "../vgpu/vgpu";
import { copyEngine } from "../work/work";
import { putPair } from "./reply";

/** The parameter of that name; PARAMETER_COUNT: it is none of the scheduler's. */
export function schedulingWord(key: usize, length: u32): u32 {
  let which: u32 = 0;
  while (which < PARAMETER_COUNT && !equals(key, length, parameterName(which))) which++;
  return which;
}

/** False with words in `error`: that cannot be its value. */
export function schedulingValue(to: Parameters, which: u32, value: usize, length: u32, error: Text): bool {
  if (which == PARAMETER_PRIORITY) return readPriority(to, value, length, error);
  if (parseNumber(value, length)) return parameterSet(to, which, parsed, error);
  error.put(parameterName(which)).put("=").quote(value, length).put(": must be ");
  putRange(error, which);
  return false;
}

function readPriority(to: Parameters, value: usize, length: u32, error: Text): bool {
  for (let priority: u32 = 0; priority <= 2; priority++) {
    if (!equals(value, length, priorityName(priority))) continue;
    to.priority = priority;
    return true;
  }
  error.put("priority=").quote(value, length).put(": must be ");
  putRange(error, PARAMETER_PRIORITY);
  return false;
}

/** POLICIES: there is none of that name. */
export function policyNamed(at: usize, length: u32): u32 {
  let policy: u32 = 0;
  while (policy < POLICIES && !equals(at, length, policyName(policy))) policy++;
  return policy;
}

export function putPolicies(text: Text): Text {
  for (let policy: u32 = 0; policy < POLICIES; policy++) text.put(policy == 0 ? "" : ", ").put(policyName(policy));
  return text;
}

/** The parameters of a vGPU and what it got of the engine. */
export function putEngine(text: Text, vgpu: Vgpu): void {
  const entity = entityAt(ENGINE_COPY, vgpu.index);
  const engine = copyEngine();
  const now = shim_time_ns();
  text.put(" policy=").put(policyName(engine.policy));
  putPair(text, "weight", entity.weight);
  putPair(text, "cap", entity.cap);
  text.put(" priority=").put(priorityName(entity.priority));
  putPair(text, "exec_quantum_us", entity.quantum_ns / NS_PER_US);
  putPair(text, "preempt_timeout_us", entity.timeout_ns / NS_PER_US);
  putPair(text, "period_us", entity.period_ns / NS_PER_US);
  putPair(text, "runtime_us", entity.runtime_ns / NS_PER_US);
  putPair(text, "throttle", entity.throttle);
  putPair(text, "now_ns", now);
  putPair(text, "busy_ns", engine.busy_ns);
  putPair(text, "engine_ns", engineUsed(engine, vgpu.index, now));
  putPair(text, "queue", entity.count);
  putPair(text, "queue_max", entity.quota);
  putPair(text, "done", entity.done);
  putPair(text, "preempted", entity.preempted);
  putPair(text, "dropped", entity.dropped);
  putPair(text, "wait_p50_us", waitsPercentile(entity.index, 50));
  putPair(text, "wait_p99_us", waitsPercentile(entity.index, 99));
  putPair(text, "recent_wait_p50_us", waitsRecent(entity.index, 50, now));
  putPair(text, "recent_wait_p99_us", waitsRecent(entity.index, 99, now));
}
