// SPDX-License-Identifier: MIT
//
// Capability "poll": a module that has just worked looks for more by itself for a short while, instead of being called
// by a trap. It asks with a time; until that is over, and once at least, the loop calls its event(EVENT_POLL, 0) again
// and again, the last time with 1. While anybody polls, the domain does not block, but yields its pCPU.
//
//   quiet ──poll(ns)──> asked ──loop──> EVENT_POLL 0 ... ──time over──> EVENT_POLL 1 ──> quiet
//                         └── poll(0), lost, reset, detached ──> quiet
//
// A throttled one (throttle.ts) is called once only, THROTTLE_POLL_NS after it asked, and the domain sleeps meanwhile.

import { MANIFEST_CAPABILITIES } from "../../abi/manifest";
import { CAPABILITY_OK, CAPABILITY_POLL, EVENT_POLL } from "../../abi/module";
import { CAPABILITY_FATAL, shim_time_ns } from "../../abi/shim";
import { POLLS_PER_SLICE, POLL_NS_MAX, THROTTLE_POLL_NS, VGPUS_MAX } from "../limits";
import { wakeBy } from "../timer";
import { deviceEvent } from "./device";
import { manifest } from "./module";
import { VGPU_READY, Vgpu, vgpuAt } from "./vgpu";

/** The time at which it is over. */
const UNTIL: usize = memory.data(VGPUS_MAX * 8, 8);
let asked: u64 = 0; // a bit for each vGPU
let slow: u64 = 0; // the throttled ones
let next: u32 = 0;

@inline
function untilOf(vgpu: u32): u64 {
  return load<u64>(UNTIL + vgpu * 8);
}

@inline
function bitOf(vgpu: u32): u64 {
  return (<u64>1) << vgpu;
}

function ask(vgpu: u32, until: u64): void {
  asked |= bitOf(vgpu);
  store<u64>(UNTIL + vgpu * 8, until);
}

export function pollForget(vgpu: u32): void {
  asked &= ~bitOf(vgpu);
}

/** From now on it is called once only when it asks, and not at once. */
export function pollThrottle(vgpu: u32, on: bool): void {
  slow = on ? slow | bitOf(vgpu) : slow & ~bitOf(vgpu);
}

function mayPoll(vgpu: Vgpu): bool {
  return (load<u32>(manifest(vgpu.module), MANIFEST_CAPABILITIES) & CAPABILITY_POLL) != 0;
}

/** After a restart nobody knows who was being polled: once more for each, and for the last time. */
export function pollResume(vgpu: Vgpu): void {
  if (mayPoll(vgpu)) ask(vgpu.index, 1);
}

/** What modules call. */
export function poll(tag: u32, ns: u64): i32 {
  const vgpu = vgpuAt(tag);
  if (!mayPoll(vgpu)) return CAPABILITY_FATAL;
  const time = slow & bitOf(tag) ? THROTTLE_POLL_NS : min<u64>(ns, POLL_NS_MAX);
  if (ns == 0) pollForget(tag);
  else ask(tag, shim_time_ns() + time);
  return CAPABILITY_OK;
}

/** A bounded slice: the next few that asked, in turn. True: somebody still asks who is not to wait. */
export function pollWork(): bool {
  if (asked == 0) return false;
  const ready = asked & slow ? asked & ~waiting() : asked;
  for (let looked: u32 = 0, called: u32 = 0; looked < VGPUS_MAX && called < POLLS_PER_SLICE; looked++) {
    next = next + 1 < VGPUS_MAX ? next + 1 : 0;
    if (!(ready & asked & bitOf(next))) continue;
    call(vgpuAt(next));
    called++;
  }
  return (asked & ~slow) != 0;
}

/** Throttled ones whose time has not come; the timer rings when it does. */
function waiting(): u64 {
  const now = shim_time_ns();
  let some: u64 = 0;
  for (let left = asked & slow; left != 0; left &= left - 1) {
    const vgpu = <u32>ctz(left);
    if (untilOf(vgpu) <= now) continue;
    some |= bitOf(vgpu);
    wakeBy(untilOf(vgpu));
  }
  return some;
}

function call(vgpu: Vgpu): void {
  const last = shim_time_ns() >= untilOf(vgpu.index);
  if (last) pollForget(vgpu.index);
  if (vgpu.state == VGPU_READY) deviceEvent(vgpu, EVENT_POLL, last ? 1 : 0);
}
