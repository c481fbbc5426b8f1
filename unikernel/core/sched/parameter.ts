// SPDX-License-Identifier: MIT
//
// The scheduler's parameters of a vGPU: their words, their ranges, and a set of them with all its values. The names are
// those that GPU people know from Intel Xe's SR-IOV and NVIDIA's vGPU. What is wrong is said with word, value and
// limit.

import { Text } from "../text";
import { Parameters, PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_NORMAL } from "./entity";
import {
  CAP_MAX, NS_PER_US, PERIOD_US_MAX, PERIOD_US_MIN, QUANTUM_US_DEFAULT, QUANTUM_US_MAX, QUANTUM_US_MIN,
  TIMEOUT_US_DEFAULT, TIMEOUT_US_MAX, TIMEOUT_US_MIN, WEIGHT_DEFAULT, WEIGHT_MAX,
} from "./limits";

export const PARAMETER_WEIGHT: u32 = 0;
export const PARAMETER_CAP: u32 = 1;
export const PARAMETER_PRIORITY: u32 = 2;
export const PARAMETER_QUANTUM: u32 = 3;
export const PARAMETER_TIMEOUT: u32 = 4;
export const PARAMETER_PERIOD: u32 = 5;
export const PARAMETER_RUNTIME: u32 = 6;
export const PARAMETER_COUNT: u32 = 7;


export function parameterName(which: u32): string {
  switch (which) {
    case PARAMETER_WEIGHT: return "weight";
    case PARAMETER_CAP: return "cap";
    case PARAMETER_PRIORITY: return "priority";
    case PARAMETER_QUANTUM: return "exec-quantum-us";
    case PARAMETER_TIMEOUT: return "preempt-timeout-us";
    case PARAMETER_PERIOD: return "period-us";
    default: return "runtime-us";
  }
}

function least(which: u32): u64 {
  switch (which) {
    case PARAMETER_WEIGHT: return 1;
    case PARAMETER_CAP: return 1;
    case PARAMETER_QUANTUM: return QUANTUM_US_MIN;
    case PARAMETER_TIMEOUT: return TIMEOUT_US_MIN;
    default: return 0;
  }
}

function most(which: u32): u64 {
  switch (which) {
    case PARAMETER_WEIGHT: return WEIGHT_MAX;
    case PARAMETER_CAP: return CAP_MAX;
    case PARAMETER_PRIORITY: return PRIORITY_HIGH;
    case PARAMETER_QUANTUM: return QUANTUM_US_MAX;
    case PARAMETER_TIMEOUT: return TIMEOUT_US_MAX;
    default: return PERIOD_US_MAX;
  }
}

/** False, with words in `error`, and nothing changed: the value is out of range. Times are microseconds. */
export function parameterSet(to: Parameters, which: u32, value: u64, error: Text): bool {
  if (value < least(which) || value > most(which)) {
    error.put(parameterName(which)).put("=").number(value).put(": must be ");
    putRange(error, which);
    return false;
  }
  switch (which) {
    case PARAMETER_WEIGHT: to.weight = <u32>value; break;
    case PARAMETER_CAP: to.cap = <u32>value; break;
    case PARAMETER_PRIORITY: to.priority = <u32>value; break;
    case PARAMETER_QUANTUM: to.quantum_ns = value * NS_PER_US; break;
    case PARAMETER_TIMEOUT: to.timeout_ns = value * NS_PER_US; break;
    case PARAMETER_PERIOD: to.period_ns = value * NS_PER_US; break;
    default: to.runtime_ns = value * NS_PER_US;
  }
  return true;
}

/** "1 to 1000", or the words that there are. */
export function putRange(text: Text, which: u32): Text {
  if (which == PARAMETER_PRIORITY) return text.put("low, normal or high");
  return text.number(least(which)).put(" to ").number(most(which));
}

export function priorityName(priority: u32): string {
  switch (priority) {
    case PRIORITY_LOW: return "low";
    case PRIORITY_NORMAL: return "normal";
    default: return "high";
  }
}

function value(from: Parameters, which: u32): u64 {
  switch (which) {
    case PARAMETER_WEIGHT: return from.weight;
    case PARAMETER_CAP: return from.cap;
    case PARAMETER_PRIORITY: return from.priority;
    case PARAMETER_QUANTUM: return from.quantum_ns / NS_PER_US;
    case PARAMETER_TIMEOUT: return from.timeout_ns / NS_PER_US;
    case PARAMETER_PERIOD: return from.period_ns / NS_PER_US;
    default: return from.runtime_ns / NS_PER_US;
  }
}

/** Could parameterSet() and parametersFit() have made them? For those that come out of a record. */
export function parametersSound(from: Parameters): bool {
  for (let which: u32 = 0; which < PARAMETER_COUNT; which++) {
    if (value(from, which) < least(which) || value(from, which) > most(which)) return false;
  }
  if (from.period_ns == 0 || from.runtime_ns == 0) return from.period_ns == from.runtime_ns;
  return from.period_ns >= PERIOD_US_MIN * NS_PER_US && from.runtime_ns <= from.period_ns;
}

/** A deadline is both numbers or none, and what one asks for fits into its own period. */
export function parametersFit(to: Parameters, error: Text): bool {
  const period = to.period_ns / NS_PER_US;
  const runtime = to.runtime_ns / NS_PER_US;
  if (period == 0 && runtime == 0) return true;
  if (period == 0) error.put("runtime-us=").number(runtime).put(": needs period-us");
  else if (runtime == 0) error.put("period-us=").number(period).put(": needs runtime-us");
  else if (period < PERIOD_US_MIN) {
    error.put("period-us=").number(period).put(": must be 0, or ").number(PERIOD_US_MIN).put(" to ")
      .number(PERIOD_US_MAX);
  } else if (runtime > period) error.put("runtime-us=").number(runtime).put(": above period-us=").number(period);
  else return true;
  return false;
}
