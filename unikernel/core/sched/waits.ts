// SPDX-License-Identifier: MIT
//
// How long workloads waited, as a histogram for each queue: four steps to each doubling, from 1 us to 2^24 us (16.8 s).
// A percentile is read from it with an error of at most a quarter, upwards.

import { NS_PER_US } from "./limits";
import { ENGINES_MAX, SCHED_VGPUS_MAX } from "./size";

const STEPS: u32 = 4;
const BUCKETS: u32 = 24 * STEPS;

const TABLE: usize = memory.data(ENGINES_MAX * SCHED_VGPUS_MAX * BUCKETS * 4, 8);

@inline
function rowOf(queue: u32): usize {
  return TABLE + queue * BUCKETS * 4;
}

export function waitsClear(queue: u32): void {
  memory.fill(rowOf(queue), 0, BUCKETS * 4);
}

export function waitsCount(queue: u32, wait_ns: u64): void {
  const at = rowOf(queue) + bucketOf(wait_ns / NS_PER_US) * 4;
  const count = load<u32>(at);
  if (count != u32.MAX_VALUE) store<u32>(at, count + 1);
}

/** 0 and 1 us in the first; above, the two bits behind the leading one choose the step. */
function bucketOf(us: u64): u32 {
  if (us < 2) return 0;
  const doubling = 63 - <u32>clz(us);
  const step = <u32>((us << 2) >> doubling) & 3;
  return min<u32>(doubling * STEPS + step, BUCKETS - 1);
}

/** Microseconds that `percent` of the waits did not exceed; 0: there were none. */
export function waitsPercentile(queue: u32, percent: u32): u64 {
  const row = rowOf(queue);
  let total: u64 = 0;
  for (let i: u32 = 0; i < BUCKETS; i++) total += load<u32>(row + i * 4);
  let left = (total * percent + 99) / 100;
  if (left == 0) return 0;
  let i: u32 = 0;
  for (; i < BUCKETS - 1; i++) {
    const count: u64 = load<u32>(row + i * 4);
    if (count >= left) break;
    left -= count;
  }
  return endOf(i);
}

/** The first microsecond that does not belong to the bucket any more. */
function endOf(bucket: u32): u64 {
  const doubling = bucket / STEPS;
  const step: u64 = bucket % STEPS;
  return doubling == 0 ? 2 : max<u64>(((STEPS + step + 1) << doubling) >> 2, 2);
}
