// SPDX-License-Identifier: MIT
//
// Requests: slots go forward, each step by whom it belongs to; every request is answered once, by us, before its server
// goes; when everybody rests, nobody waits who may run.

import { isStep } from "../slot.js";
import type { Checker } from "./checker.js";

export function transport(): Checker {
  const open = new Set<number>();
  return {
    name: "transport",
    entry(_machine, entry) {
      if (entry.kind === "slot") {
        if (isStep(entry.by, entry.from, entry.to)) return undefined;
        const who = entry.by === "us" ? "the mediator" : "Xen";
        return `guest ${entry.domid} vCPU ${entry.vcpu}: ${who} took its slot from state ${entry.from} to ${entry.to}`;
      }
      if (entry.kind === "asked") open.add(entry.ask);
      if (entry.kind !== "answered") return undefined;
      if (!open.delete(entry.ask))
        return `guest ${entry.domid} vCPU ${entry.vcpu}: request ${entry.ask} answered twice`;
      if (entry.lost)
        return `guest ${entry.domid} vCPU ${entry.vcpu}: its server went before request ${entry.ask} was answered`;
      return undefined;
    },
    state(machine, atRest) {
      if (!atRest) return undefined;
      for (const domain of machine.world.domains.values()) {
        const waits = domain.paused ? undefined : domain.vcpuStates.find((one) => one.waits !== undefined);
        if (waits !== undefined) return `guest ${domain.domid} vCPU ${waits.index} waits and nobody is at work`;
      }
      return undefined;
    },
  };
}
