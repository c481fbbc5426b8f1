// SPDX-License-Identifier: MIT
//
// Doorbell storms: a guest that traps without pause. Every STORM_TRAPS traps of a guest, of all its vCPUs and vGPUs,
// the clock is looked at; less than storm_ms since the last time is a storm. So a trap costs a look at a counter that
// is counted anyway, and a storm is counted once for STORM_TRAPS traps, however fast they come.

import { shim_time_ns } from "../../abi/shim";
import { GUESTS_MAX, STORM_TRAPS } from "../limits";
import { Guest } from "./guest";
import { quarantineCount } from "./quarantine";
import { THRESHOLD_DOORBELL_STORMS, stormNs } from "./threshold";

/** When the last STORM_TRAPS were full, by guest; 0: not yet. */
const FULL: usize = memory.data(GUESTS_MAX * 8, 8);

export function doorbellsClear(guest: u32): void {
  store<u64>(FULL + guest * 8, 0);
}

/** `traps` of this guest so far. */
@inline
export function doorbell(guest: Guest, traps: u64): void {
  if (((<u32>traps) & (STORM_TRAPS - 1)) == 0) full(guest);
}

function full(guest: Guest): void {
  const now = shim_time_ns();
  const at = FULL + guest.index * 8;
  const before = load<u64>(at);
  store<u64>(at, now);
  if (before != 0 && now - before < stormNs()) quarantineCount(guest.domid, THRESHOLD_DOORBELL_STORMS);
}
