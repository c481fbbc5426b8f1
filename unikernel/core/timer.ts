// SPDX-License-Identifier: MIT
//
// The one timer of the domain, for all who want to be called again: it rings for the earliest, and who is not due then
// asks anew. The loop's background part runs after it.

import { shim_set_timer } from "../abi/shim";

let armed_ns: u64 = 0; // 0: it is not

/** Look again at that time, or before. */
export function wakeBy(time_ns: u64): void {
  if (armed_ns != 0 && armed_ns <= time_ns) return;
  armed_ns = time_ns;
  shim_set_timer(time_ns);
}

/** It rang. */
export function timerRang(): void {
  armed_ns = 0;
}
