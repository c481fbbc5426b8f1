// SPDX-License-Identifier: MIT
//
// What a throttled guest's vGPUs lose while it lasts: the engine but for a few percent (sched/throttle.ts), and being
// polled (poll.ts). Their own parameters stay beside it, so nothing has to be put back.

import { VGPUS_PER_GUEST_MAX } from "../limits";
import { THROTTLE_PERCENT } from "../sched/limits";
import { workThrottle } from "../work/work";
import { guestFind } from "./guest";
import { pollThrottle } from "./poll";
import { isThrottled } from "./quarantine";
import { Vgpu, vgpuNumbered } from "./vgpu";

/** As its guest's book has it now. */
export function throttleVgpu(vgpu: Vgpu): void {
  const on = isThrottled(vgpu.domid);
  workThrottle(vgpu, on ? THROTTLE_PERCENT : 0);
  pollThrottle(vgpu.index, on);
}

export function throttleGuest(domid: u32): void {
  const guest = guestFind(domid);
  if (guest == null) return;
  for (let number: u32 = 0; number < VGPUS_PER_GUEST_MAX; number++) {
    const vgpu = vgpuNumbered(guest, number);
    if (vgpu != null) throttleVgpu(vgpu);
  }
}
