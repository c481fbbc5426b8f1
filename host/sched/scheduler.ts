// SPDX-License-Identifier: MIT
//
// The scheduler's border, wrapped once: words for policies and parameters, numbers for times, and refusals as the
// sentences that the driver domain would say.

import type { SchedulerCode } from "./code.js";

/** By POLICY_* of unikernel/core/sched/policy.ts. */
export const POLICY_NAMES = ["best-effort", "equal-share", "fixed-share", "weighted", "deadline"] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

export const PRIORITIES = ["low", "normal", "high"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What an operator can set, as in docs/CONTROL.md; by PARAMETER_* of unikernel/core/sched/parameter.ts. */
export interface Parameters {
  weight?: number;
  cap?: number;
  priority?: Priority;
  execQuantumUs?: number;
  preemptTimeoutUs?: number;
  periodUs?: number;
  runtimeUs?: number;
}
export const PARAMETER_NAMES = [
  "weight",
  "cap",
  "priority",
  "execQuantumUs",
  "preemptTimeoutUs",
  "periodUs",
  "runtimeUs",
] as const;

export const ACTION_NONE = 0;
export const ACTION_START = 1;
export const ACTION_PREEMPT = 2;
export const ACTION_RESET = 3;

/** A refused parameter: the driver domain's own words. */
export class Refused extends Error {}

export function policyNumber(name: PolicyName): number {
  return POLICY_NAMES.indexOf(name);
}

/** All of them or none. */
export function setParameters(code: SchedulerCode, vgpu: number, parameters: Parameters, nowNs: number): void {
  code.wanted(0, vgpu);
  for (const [which, name] of PARAMETER_NAMES.entries()) {
    const value = parameters[name];
    if (value === undefined) continue;
    const number = typeof value === "string" ? PRIORITIES.indexOf(value) : value;
    if (!Number.isSafeInteger(number) || number < 0) throw new Refused(`${name}=${value}: must be a whole number`);
    if (!code.want(which, BigInt(number))) throw new Refused(errorText(code));
  }
  if (!code.apply(0, vgpu, BigInt(nowNs))) throw new Refused(errorText(code));
}

function errorText(code: SchedulerCode): string {
  const at = code.error_text();
  const length = new DataView(code.memory.buffer).getUint32(at + 4, true);
  return Buffer.from(code.memory.buffer, at + 8, length).toString("latin1");
}
