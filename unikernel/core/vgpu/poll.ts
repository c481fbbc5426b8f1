// SPDX-License-Identifier: MIT
//
// Capability "poll": a module that has just worked looks for more by itself for a short while, instead of being called
// by a trap. It asks with a time; until that is over, and once at least, the loop calls its event(EVENT_POLL, 0) again
// and again, the last time with 1. While anybody polls, the domain does not block, but yields its pCPU.
//
//   quiet ──poll(ns)──> asked ──loop──> EVENT_POLL 0 ... ──time over──> EVENT_POLL 1 ──> quiet
//                         └── poll(0), lost, reset, detached ──> quiet

import { MANIFEST_CAPABILITIES } from "../../abi/manifest";
import { CAPABILITY_OK, CAPABILITY_POLL, EVENT_POLL } from "../../abi/module";
import { CAPABILITY_FATAL, shim_time_ns } from "../../abi/shim";
import { POLLS_PER_SLICE, POLL_NS_MAX, VGPUS_MAX } from "../limits";
import { deviceEvent } from "./device";
import { manifest } from "./module";
import { VGPU_READY, Vgpu, vgpuAt } from "./vgpu";

/** The time at which it is over; 0: nobody asked. */
const UNTIL: usize = memory.data(VGPUS_MAX * 8, 8);
let asked: u32 = 0;
let next: u32 = 0;

@inline
function untilOf(vgpu: u32): u64 {
  return load<u64>(UNTIL + vgpu * 8);
}

function setUntil(vgpu: u32, until: u64): void {
  if (untilOf(vgpu) != 0) asked--;
  if (until != 0) asked++;
  store<u64>(UNTIL + vgpu * 8, until);
}

export function pollForget(vgpu: u32): void {
  setUntil(vgpu, 0);
}

function mayPoll(vgpu: Vgpu): bool {
  return (load<u32>(manifest(vgpu.module), MANIFEST_CAPABILITIES) & CAPABILITY_POLL) != 0;
}

/** After a restart nobody knows who was being polled: once more for each, and for the last time. */
export function pollResume(vgpu: Vgpu): void {
  if (mayPoll(vgpu)) setUntil(vgpu.index, 1);
}

/** What modules call. */
export function poll(tag: u32, ns: u64): i32 {
  const vgpu = vgpuAt(tag);
  if (!mayPoll(vgpu)) return CAPABILITY_FATAL;
  setUntil(tag, ns == 0 ? 0 : shim_time_ns() + min<u64>(ns, POLL_NS_MAX));
  return CAPABILITY_OK;
}

/** A bounded slice: the next few that asked, in turn. True: somebody still asks. */
export function pollWork(): bool {
  for (let looked: u32 = 0, called: u32 = 0; asked != 0 && looked < VGPUS_MAX && called < POLLS_PER_SLICE; looked++) {
    next = next + 1 < VGPUS_MAX ? next + 1 : 0;
    if (untilOf(next) == 0) continue;
    call(vgpuAt(next));
    called++;
  }
  return asked != 0;
}

function call(vgpu: Vgpu): void {
  const last = shim_time_ns() >= untilOf(vgpu.index);
  if (last) pollForget(vgpu.index);
  if (vgpu.state == VGPU_READY) deviceEvent(vgpu, EVENT_POLL, last ? 1 : 0);
}
