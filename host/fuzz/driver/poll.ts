// SPDX-License-Identifier: MIT
//
// The import poll: for a while the module is called again and again (unikernel/core/vgpu/poll.ts). Whether the loop
// comes by, and how late it is then, the input says: records call-event of kind EVENT_POLL, and time.

import { CAPABILITY_OK } from "../../../unikernel/abi/module";
import { POLL_NS_MAX } from "../../../unikernel/core/limits";
import { note } from "./answers";

const ASKED_POLL: u64 = 0x6 << 56;

let now: u64 = 0;
let until: u64 = 0; // 0: nobody asked

export function pollReset(): void {
  now = 1;
  until = 0;
}

/** The device is reset; time goes on. */
export function pollForget(): void {
  until = 0;
}

export function poll(ns: u64): i32 {
  note(ASKED_POLL ^ ns);
  until = ns == 0 ? 0 : now + min<u64>(ns, POLL_NS_MAX);
  return CAPABILITY_OK;
}

export function isPolling(): bool {
  return until != 0;
}

export function timePasses(ns: u64): void {
  now += min<u64>(ns, <u64>1 << 48);
}

/** The loop comes by; what it says: 1 the time is over, else 0. `over`: the input wants it so. */
export function pollComes(over: bool): u32 {
  if (!over && now < until) return 0;
  now = max(now, until);
  until = 0;
  return 1;
}
