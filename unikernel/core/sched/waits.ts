// SPDX-License-Identifier: MIT
//
// How long workloads waited, as a histogram for each queue: four steps to each doubling, from 1 us to 2^24 us (16.8 s).
// A percentile is read from it with an error of at most a quarter, upwards. One histogram counts from the beginning;
// two beside it take turns, a window each, so that together they are the last one to two windows.

import { NS_PER_US, WAITS_WINDOW_NS } from "./limits";
import { ENGINES_MAX, SCHED_VGPUS_MAX } from "./size";

const STEPS: u32 = 4;
const BUCKETS: u32 = 24 * STEPS;

//  a row: ┌ since u64: when the window began ┬ all: u32 a bucket ┬ this window: u16 ┬ the one before: u16 ┐
const ALL: u32 = 8;
const THIS: u32 = ALL + BUCKETS * 4;
const BEFORE: u32 = THIS + BUCKETS * 2;
const ROW_BYTES: u32 = BEFORE + BUCKETS * 2;
const TABLE: usize = memory.data(ENGINES_MAX * SCHED_VGPUS_MAX * ROW_BYTES, 8);

@inline
function rowOf(queue: u32): usize {
  return TABLE + queue * ROW_BYTES;
}

export function waitsClear(queue: u32): void {
  memory.fill(rowOf(queue), 0, ROW_BYTES);
}

export function waitsCount(queue: u32, wait_ns: u64, now: u64): void {
  turn(rowOf(queue), now);
  const bucket = bucketOf(wait_ns / NS_PER_US);
  const all = rowOf(queue) + ALL + bucket * 4;
  if (load<u32>(all) != u32.MAX_VALUE) store<u32>(all, load<u32>(all) + 1);
  const recent = rowOf(queue) + THIS + bucket * 2;
  if (load<u16>(recent) != u16.MAX_VALUE) store<u16>(recent, load<u16>(recent) + 1);
}

/** A new window when this one is over. */
function turn(row: usize, now: u64): void {
  const since = load<u64>(row);
  if (now - since < WAITS_WINDOW_NS) return;
  if (now - since < 2 * WAITS_WINDOW_NS) memory.copy(row + BEFORE, row + THIS, BUCKETS * 2);
  else memory.fill(row + BEFORE, 0, BUCKETS * 2);
  memory.fill(row + THIS, 0, BUCKETS * 2);
  store<u64>(row, now - since < 2 * WAITS_WINDOW_NS ? since + WAITS_WINDOW_NS : now);
}

/** 0 and 1 us in the first; above, the two bits behind the leading one choose the step. */
function bucketOf(us: u64): u32 {
  if (us < 2) return 0;
  const doubling = 63 - <u32>clz(us);
  const step = <u32>((us << 2) >> doubling) & 3;
  return min<u32>(doubling * STEPS + step, BUCKETS - 1);
}

@inline
function countIn(row: usize, recent: bool, bucket: u32): u64 {
  if (!recent) return load<u32>(row + ALL + bucket * 4);
  return <u64>load<u16>(row + THIS + bucket * 2) + load<u16>(row + BEFORE + bucket * 2);
}

/** Microseconds that `percent` of the waits did not exceed; 0: there were none. */
export function waitsPercentile(queue: u32, percent: u32): u64 {
  return percentile(rowOf(queue), false, percent);
}

/** The same of the last one to two windows. */
export function waitsRecent(queue: u32, percent: u32, now: u64): u64 {
  turn(rowOf(queue), now);
  return percentile(rowOf(queue), true, percent);
}

function percentile(row: usize, recent: bool, percent: u32): u64 {
  let total: u64 = 0;
  for (let i: u32 = 0; i < BUCKETS; i++) total += countIn(row, recent, i);
  let left = (total * percent + 99) / 100;
  if (left == 0) return 0;
  let i: u32 = 0;
  for (; i < BUCKETS - 1; i++) {
    const count = countIn(row, recent, i);
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
