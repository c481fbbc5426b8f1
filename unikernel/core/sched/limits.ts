// SPDX-License-Identifier: MIT
//
// Limits of the scheduler's parameters, with what justifies them. Times are nanoseconds here, microseconds for people.

export const NS_PER_US: u64 = 1000;

/** Shares down to a thousandth; more would only be noise beside one slice. */
export const WEIGHT_MAX: u32 = 1000;
/** Percent of the engine; 100 is no cap. There is no 0: a guest that may never run is to be detached. */
export const CAP_MAX: u32 = 100;
/** Below 100 us a slice is shorter than 64 KiB copied page by page; above 1 s nobody else's picture would move. */
export const QUANTUM_US_MIN: u64 = 100;
export const QUANTUM_US_MAX: u64 = 1_000_000;
/** Ten slices of the copy engine at least, so that a busy domain is not taken for a hang; at most ten seconds. */
export const TIMEOUT_US_MIN: u64 = 1000;
export const TIMEOUT_US_MAX: u64 = 10_000_000;
/** A deadline's period: 1000 frames a second, to one in ten seconds. */
export const PERIOD_US_MIN: u64 = 1000;
export const PERIOD_US_MAX: u64 = 10_000_000;

export const WEIGHT_DEFAULT: u32 = 1;
/** A fifth of a frame at 60 Hz is 3.3 ms; two guests then wait less than a frame for each other. */
export const QUANTUM_US_DEFAULT: u64 = 2000;
export const TIMEOUT_US_DEFAULT: u64 = 100_000;

/** Engine time that one workload may take in all, even when nobody else waits: ten of drivers' usual half seconds. */
export const WORKLOAD_NS_MAX: u64 = 5_000_000_000;

/** What a guest under its cap may be ahead of it: six frames of 16 ms, so that one long frame is not cut. */
export const CAP_WINDOW_NS: u64 = 100_000_000;

/** Lower priorities get one part in twenty of the engine while they wait, whatever the higher ones ask for. */
export const PRIORITY_RESERVE: u64 = 20;
/** What a lower priority ran beyond that, and pays back, at most: then it waits two seconds, not for ever. */
export const PRIORITY_DEBT_NS: i64 = 100_000_000;

/** Promised to deadlines at most, in millionths of the engine: the rest is for those without one. */
export const DEADLINE_PPM_MAX: u64 = 950_000;
/** Each period pays one change of the engine from somebody else: a slice of 64 KiB, measured below 100 us. */
export const DEADLINE_SWITCH_NS: u64 = 100_000;

/** Entities whose waiting for a cap or a new budget ends in one decision: one comes in a decision, so two suffice. */
export const RELEASES_MAX: u32 = 2;

/** Recent waits are those of the last one to two seconds: what somebody who watches takes for now. */
export const WAITS_WINDOW_NS: u64 = 1_000_000_000;

/** A throttled vGPU's part of the engine, in percent: a picture a second still moves, and nobody feels it. */
export const THROTTLE_PERCENT: u32 = 2;
/** Its slices, so that what it runs at once is small beside anybody's quantum: half of the default one. */
export const THROTTLE_SLICE_NS: u64 = 1_000_000;
