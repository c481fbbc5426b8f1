// SPDX-License-Identifier: MIT
//
// Policy weighted: engine time in proportion to the weights of those who have work, nobody above its cap, the higher
// priority first (fair.ts says how the lower ones are kept alive).

import { capCharge, capForget, capNext, capRelease, capWait, capped } from "./cap";
import { choose, chooseNobody } from "./choice";
import { Entity, entityAt, runnable } from "./entity";
import { fairCharge, fairHas, fairInsert, fairPick, fairRemove } from "./fair";
import { NOBODY } from "./heap";
import { RELEASES_MAX } from "./limits";
import { levelOf } from "./throttle";

export function weightedWake(entity: Entity, now: u64): void {
  if (capped(entity, now)) capWait(entity);
  else fairInsert(entity, entity.weight, levelOf(entity));
}

export function weightedSleep(entity: Entity): void {
  capForget(entity);
  fairRemove(entity);
}

export function weightedPick(engine: u32, now: u64): u32 {
  for (let i: u32 = 0; i < RELEASES_MAX; i++) {
    const free = capRelease(engine, now);
    if (free == NOBODY) break;
    const entity = entityAt(engine, free);
    fairInsert(entity, entity.weight, levelOf(entity));
  }
  const vgpu = fairPick(engine);
  if (vgpu == NOBODY) chooseNobody(capNext(engine));
  else choose(entityAt(engine, vgpu).quantum_ns, 0);
  return vgpu;
}

export function weightedCharge(entity: Entity, ran_ns: u64, now: u64): void {
  fairCharge(entity, ran_ns);
  capCharge(entity, ran_ns, now);
  if (!runnable(entity) || !fairHas(entity) || !capped(entity, now)) return;
  fairRemove(entity);
  capWait(entity);
}

/** A higher priority does not wait for the end of a lower one's slice. */
export function weightedPreempts(running: Entity, woken: Entity): bool {
  return fairHas(woken) && woken.share_level > running.share_level;
}
