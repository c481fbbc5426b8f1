// SPDX-License-Identifier: MIT
//
// Policy fixed-share: time slots for mixed criticality. Each attached vGPU owns one window as long as its exec quantum
// in a frame that repeats; its window is idle when it has no work. So nobody's timing depends on what another one does.
// Who is not off the engine at the end of its window pays for that out of its next ones.
//
// A change (attach, detach, a quantum) takes effect at the end of the frame.

import { choose, chooseNobody } from "./choice";
import { Entity, entityAt, runnable } from "./entity";
import { NOBODY } from "./heap";
import { ENGINES_MAX, SCHED_VGPUS_MAX } from "./size";
import { step } from "./steps";

@unmanaged
class Frame {
  epoch_ns: u64; // when the windows were laid out
  length_ns: u64; // 0: there are none
  count: u32; // of windows
  changed: u32;
  changed_frame: u64; // number of the frame in which that was
}
const WINDOW_BYTES: u32 = 16; // ┌ start u64 ┬ vGPU u32 ┬ 0 ┐
const HEAD_BYTES: u32 = 32;
const FRAME_BYTES: u32 = HEAD_BYTES + SCHED_VGPUS_MAX * WINDOW_BYTES;

const TABLE: usize = memory.data(ENGINES_MAX * FRAME_BYTES, 8);

@inline
function frameOf(engine: u32): Frame {
  return changetype<Frame>(TABLE + engine * FRAME_BYTES);
}

@inline
function windowOf(engine: u32, i: u32): usize {
  return TABLE + engine * FRAME_BYTES + HEAD_BYTES + i * WINDOW_BYTES;
}

@inline
function startOf(engine: u32, i: u32): u64 {
  return load<u64>(windowOf(engine, i));
}

/** Windows are to be laid out anew. */
export function fixedShareChanged(engine: u32, now: u64): void {
  const frame = frameOf(engine);
  frame.changed = 1;
  frame.changed_frame = frame.length_ns == 0 ? 0 : (now - frame.epoch_ns) / frame.length_ns;
}

/** At the first frame's end after the change; at once when there is no frame, or the policy is new. */
function layOutIfDue(engine: u32, now: u64): void {
  const frame = frameOf(engine);
  if (!frame.changed) return;
  if (frame.length_ns == 0) return layOut(engine, now);
  const number = (now - frame.epoch_ns) / frame.length_ns;
  if (number != frame.changed_frame) layOut(engine, frame.epoch_ns + number * frame.length_ns);
}

function layOut(engine: u32, epoch_ns: u64): void {
  const frame = frameOf(engine);
  frame.changed = 0;
  frame.epoch_ns = epoch_ns;
  frame.length_ns = 0;
  frame.count = 0;
  for (let vgpu: u32 = 0; vgpu < SCHED_VGPUS_MAX; vgpu++) {
    const entity = entityAt(engine, vgpu);
    if (!entity.attached) continue;
    store<u64>(windowOf(engine, frame.count), frame.length_ns);
    store<u32>(windowOf(engine, frame.count), vgpu, 8);
    frame.length_ns += entity.quantum_ns;
    frame.count++;
  }
}

export function fixedShareStart(engine: u32, now: u64): void {
  layOut(engine, now);
}

export function fixedSharePick(engine: u32, now: u64): u32 {
  layOutIfDue(engine, now);
  const frame = frameOf(engine);
  if (frame.length_ns == 0) {
    chooseNobody(0);
    return NOBODY;
  }
  const begin = now - ((now - frame.epoch_ns) % frame.length_ns);
  const i = windowAt(engine, now - begin);
  const end = begin + (i + 1 == frame.count ? frame.length_ns : startOf(engine, i + 1));
  const entity = entityAt(engine, load<u32>(windowOf(engine, i), 8));
  if (entity.attached && runnable(entity) && paid(entity, begin + startOf(engine, i), end, now)) {
    choose(end - now, end);
    return entity.vgpu;
  }
  chooseNobody(entity.paid_until_ns > now ? min<u64>(entity.paid_until_ns, end) : end);
  return NOBODY;
}

/** The window that the moment belongs to: the last that begins at or before it. */
function windowAt(engine: u32, within_ns: u64): u32 {
  let low: u32 = 0;
  let high = frameOf(engine).count;
  while (high - low > 1) {
    step();
    const middle = (low + high) >> 1;
    if (startOf(engine, middle) <= within_ns) low = middle;
    else high = middle;
  }
  return low;
}

/** False while the beginning of this window, or all of it, goes to those whose time it took. */
function paid(entity: Entity, start: u64, end: u64, now: u64): bool {
  if (entity.debt_ns != 0 && entity.paid_until_ns <= start) {
    const price = min<u64>(entity.debt_ns, end - start);
    entity.debt_ns -= price;
    entity.paid_until_ns = start + price;
  }
  return now >= entity.paid_until_ns;
}

/** `until_ns` is the end of the window in which it was to run. */
export function fixedShareCharge(entity: Entity, ran_ns: u64, until_ns: u64, now: u64): void {
  if (until_ns != 0 && now > until_ns) entity.debt_ns += min<u64>(ran_ns, now - until_ns);
}
