// SPDX-License-Identifier: MIT
//
// Ordered sets of vGPUs: a binary heap in static arrays for each engine and purpose. Knows where every member stands,
// so that any can be removed or get another key: all in O(log n) steps, which are counted.
//
//   a heap: ┌ size u32 ┬ 0 ┐ 8 ┌ key u64 of vGPU 0, 1, ... ┐ ┌ vGPU u32 at place 0, 1, ... ┐ ┌ place + 1 u32 of vGPU
//   ... ┐

import { PANIC_SCHED_HEAP, check } from "../panic";
import { ENGINES_MAX, SCHED_VGPUS_MAX } from "./size";
import { step } from "./steps";

/** What heaps are for; the key beside it. */
export const HEAP_FIFO: u32 = 0; // best-effort: number of the turn
export const HEAP_LOW: u32 = 1; // fair shares, one heap a priority: virtual time
export const HEAP_NORMAL: u32 = 2;
export const HEAP_HIGH: u32 = 3;
export const HEAP_CAPPED: u32 = 4; // over its cap: when it may run again
export const HEAP_DEADLINE: u32 = 5; // servers with budget: deadline
export const HEAP_SPENT: u32 = 6; // servers without: when they get a new one
export const HEAP_HELD: u32 = 7; // throttled: when it may run again
export const HEAPS: u32 = 8;

/** No vGPU. */
export const NOBODY: u32 = u32.MAX_VALUE;

const KEYS: u32 = 8;
const NODES: u32 = KEYS + SCHED_VGPUS_MAX * 8;
const PLACES: u32 = NODES + SCHED_VGPUS_MAX * 4;
const HEAP_BYTES: u32 = PLACES + SCHED_VGPUS_MAX * 4;

const TABLE: usize = memory.data(ENGINES_MAX * HEAPS * HEAP_BYTES, 8);

/** The heap of that engine and purpose: a handle for what follows. */
@inline
export function heapOf(engine: u32, purpose: u32): usize {
  return TABLE + (engine * HEAPS + purpose) * HEAP_BYTES;
}

@inline
export function heapSize(heap: usize): u32 {
  return load<u32>(heap);
}

@inline
export function heapKey(heap: usize, vgpu: u32): u64 {
  return load<u64>(heap + vgpu * 8, KEYS);
}

@inline
export function heapHas(heap: usize, vgpu: u32): bool {
  return load<u32>(heap + vgpu * 4, PLACES) != 0;
}

/** The member with the lowest key; NOBODY in an empty heap. */
@inline
export function heapTop(heap: usize): u32 {
  return heapSize(heap) == 0 ? NOBODY : node(heap, 0);
}

/** The lowest key. The heap is not empty. */
export function heapTopKey(heap: usize): u64 {
  return heapKey(heap, node(heap, 0));
}

export function heapInsert(heap: usize, vgpu: u32, key: u64): void {
  const size = heapSize(heap);
  check(!heapHas(heap, vgpu) && size < SCHED_VGPUS_MAX, PANIC_SCHED_HEAP, vgpu);
  store<u32>(heap, size + 1);
  store<u64>(heap + vgpu * 8, key, KEYS);
  rise(heap, vgpu, size);
}

export function heapRemove(heap: usize, vgpu: u32): void {
  check(heapHas(heap, vgpu), PANIC_SCHED_HEAP, vgpu);
  const at = place(heap, vgpu);
  const last = heapSize(heap) - 1;
  const moved = node(heap, last);
  store<u32>(heap, last);
  store<u32>(heap + vgpu * 4, 0, PLACES);
  if (at != last) settle(heap, moved, at);
}

/** Another key for a member. */
export function heapUpdate(heap: usize, vgpu: u32, key: u64): void {
  check(heapHas(heap, vgpu), PANIC_SCHED_HEAP, vgpu);
  store<u64>(heap + vgpu * 8, key, KEYS);
  settle(heap, vgpu, place(heap, vgpu));
}

@inline
function node(heap: usize, at: u32): u32 {
  return load<u32>(heap + at * 4, NODES);
}

@inline
function place(heap: usize, vgpu: u32): u32 {
  return load<u32>(heap + vgpu * 4, PLACES) - 1;
}

@inline
function put(heap: usize, vgpu: u32, at: u32): void {
  store<u32>(heap + at * 4, vgpu, NODES);
  store<u32>(heap + vgpu * 4, at + 1, PLACES);
}

/** `vgpu` is to stand at `at` or where its key belongs from there. */
function settle(heap: usize, vgpu: u32, at: u32): void {
  if (at != 0 && heapKey(heap, vgpu) < heapKey(heap, node(heap, (at - 1) >> 1))) rise(heap, vgpu, at);
  else sink(heap, vgpu, at);
}

function rise(heap: usize, vgpu: u32, from: u32): void {
  const key = heapKey(heap, vgpu);
  let at = from;
  while (at != 0) {
    step();
    const parent = (at - 1) >> 1;
    const above = node(heap, parent);
    if (heapKey(heap, above) <= key) break;
    put(heap, above, at);
    at = parent;
  }
  put(heap, vgpu, at);
}

function sink(heap: usize, vgpu: u32, from: u32): void {
  const key = heapKey(heap, vgpu);
  const size = heapSize(heap);
  let at = from;
  for (;;) {
    step();
    let child = at * 2 + 1;
    if (child >= size) break;
    if (child + 1 < size && heapKey(heap, node(heap, child + 1)) < heapKey(heap, node(heap, child))) child++;
    const below = node(heap, child);
    if (heapKey(heap, below) >= key) break;
    put(heap, below, at);
    at = child;
  }
  put(heap, vgpu, at);
}

/** For the checker: every place is right and nobody stands above a lower key. */
export function heapSound(heap: usize): bool {
  const size = heapSize(heap);
  let members: u32 = 0;
  for (let vgpu: u32 = 0; vgpu < SCHED_VGPUS_MAX; vgpu++) if (heapHas(heap, vgpu)) members++;
  if (members != size) return false;
  for (let at: u32 = 0; at < size; at++) {
    const vgpu = node(heap, at);
    if (vgpu >= SCHED_VGPUS_MAX || place(heap, vgpu) != at) return false;
    if (at != 0 && heapKey(heap, node(heap, (at - 1) >> 1)) > heapKey(heap, vgpu)) return false;
  }
  return true;
}
