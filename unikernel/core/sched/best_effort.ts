// SPDX-License-Identifier: MIT
//
// Policy best-effort: by turns, a whole workload each, nothing cut but what runs longer than its preempt timeout. The
// most work done, and no promise to anybody.

import { choose, chooseNobody } from "./choice";
import { Entity, entityAt } from "./entity";
import { HEAP_FIFO, NOBODY, heapHas, heapInsert, heapOf, heapRemove, heapTop, heapUpdate } from "./heap";

let turn: u64 = 0;

export function bestEffortWake(entity: Entity): void {
  heapInsert(heapOf(entity.engine, HEAP_FIFO), entity.vgpu, turn++);
}

export function bestEffortSleep(entity: Entity): void {
  const heap = heapOf(entity.engine, HEAP_FIFO);
  if (heapHas(heap, entity.vgpu)) heapRemove(heap, entity.vgpu);
}

export function bestEffortPick(engine: u32): u32 {
  const vgpu = heapTop(heapOf(engine, HEAP_FIFO));
  if (vgpu == NOBODY) chooseNobody(0);
  else choose(entityAt(engine, vgpu).timeout_ns, 0);
  return vgpu;
}

/** Whoever ran goes to the end of the line. */
export function bestEffortCharge(entity: Entity): void {
  const heap = heapOf(entity.engine, HEAP_FIFO);
  if (heapHas(heap, entity.vgpu)) heapUpdate(heap, entity.vgpu, turn++);
}
