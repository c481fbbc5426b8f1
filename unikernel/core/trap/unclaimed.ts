// SPDX-License-Identifier: MIT
//
// The one home of accesses that nobody answers: reads are all ones, writes vanish, both are counted.

import { GUEST_UNCLAIMED, countGuest } from "../trace/counters";
import { Guest } from "../vgpu/guest";
import { onesOf } from "./access";

export function unclaimedRead(guest: Guest, size: u32): u64 {
  countGuest(guest.index, GUEST_UNCLAIMED, 1);
  return onesOf(size);
}

export function unclaimedWrite(guest: Guest): void {
  countGuest(guest.index, GUEST_UNCLAIMED, 1);
}
