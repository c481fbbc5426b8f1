// SPDX-License-Identifier: MIT
//
// How many the scheduler can hold. The host compiles the same scheduler with another file in this one's place
// (host/sched/build.ts), so that 10,000 guests can be simulated; nothing else differs.

import { VGPUS_MAX } from "../limits";

/** Queues of an engine: one for each vGPU. */
export const SCHED_VGPUS_MAX: u32 = VGPUS_MAX;
/** The copy engine. A physical GPU will be the next. */
export const ENGINES_MAX: u32 = 1;
/** Workloads that wait in one queue: half of a ring of 64, whose commands need at most one each. */
export const WORKLOADS_MAX: u32 = 32;
