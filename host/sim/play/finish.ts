// SPDX-License-Identifier: MIT
//
// The end of an input: everybody may run, the driver domain comes to rest, lost vGPUs are asked whether they are
// silent, all are detached; then nothing may be left.

import { lookAtEnd } from "../checkers/checker.js";
import { probePending } from "../checkers/interrupts.js";
import { probeLost } from "../checkers/silence.js";
import { takeAnswers } from "../ioreq.js";
import { settle } from "../world.js";
import { storeRemove, storeWrite } from "../xenstore.js";
import { Breach, guarded, inspect, type Machine } from "./machine.js";

export function finish(machine: Machine): void {
  machine.world.faults.planned.clear();
  for (const { domain } of machine.guests.values()) {
    domain.paused = false;
    takeAnswers(machine.world, domain);
  }
  if (machine.world.shim.granted !== undefined) machine.world.shim.granted.mapped = false;
  settled(machine);
  if (machine.ended) return;
  const words = probeLost(machine);
  if (words !== undefined) throw new Breach({ checker: "silence", words });
  const pending = probePending(machine);
  if (pending !== undefined) throw new Breach({ checker: "interrupts", words: pending });
  storeRemove(machine.world.store, "data/glovebox/vgpu");
  storeWrite(machine.world.store, "data/glovebox/request", `${++machine.requests} release`);
  settled(machine);
  const violation = lookAtEnd(machine.checkers, machine);
  if (violation !== undefined) throw new Breach(violation);
}

/** Rest is reached in a bounded number of steps, or that is the breach. */
function settled(machine: Machine): void {
  try {
    guarded(machine, () => settle(machine.world));
  } catch (error) {
    if (error instanceof Breach || !(error instanceof Error)) throw error;
    throw new Breach({ checker: "liveness", words: error.message });
  }
  inspect(machine, !machine.ended);
}
