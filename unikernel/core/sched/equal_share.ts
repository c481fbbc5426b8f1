// SPDX-License-Identifier: MIT
//
// Policy equal-share: everybody who has work gets the same engine time, in slices of its own exec quantum. Weights,
// caps and priorities do not count.

import { choose, chooseNobody } from "./choice";
import { Entity, PRIORITY_NORMAL, entityAt } from "./entity";
import { fairInsert, fairPick } from "./fair";
import { NOBODY } from "./heap";

export function equalShareWake(entity: Entity): void {
  fairInsert(entity, 1, PRIORITY_NORMAL);
}

export function equalSharePick(engine: u32): u32 {
  const vgpu = fairPick(engine);
  if (vgpu == NOBODY) chooseNobody(0);
  else choose(entityAt(engine, vgpu).quantum_ns, 0);
  return vgpu;
}
