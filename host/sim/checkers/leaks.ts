// SPDX-License-Identifier: MIT
//
// Nothing is left at detach: a guest without vGPUs has no server of ours, none of our pages; at the end there is no
// instance, no event port, no grant, no arena page, no record of a vGPU.

import type { Machine } from "../play/machine.js";
import type { Checker } from "./checker.js";

/** Records 0 to 63 are vGPUs', the last one is the request's (unikernel/core/restart/record.ts). */
const VGPU_RECORDS = 64;

export function leaks(): Checker {
  return {
    name: "leaks",
    end(machine) {
      return guests(machine) ?? shim(machine);
    },
  };
}

function guests(machine: Machine): string | undefined {
  for (const domain of machine.world.domains.values()) {
    const ours = domain.servers.length;
    if (ours > 0) return `guest ${domain.domid}: ${ours} ioreq servers are left`;
    if (domain.given.size > 0) return `guest ${domain.domid}: ${domain.given.size} pages of its vGPUs are left`;
  }
  return undefined;
}

function shim(machine: Machine): string | undefined {
  const { servers, instances, events, grants, records } = machine.world.shim;
  if (servers.size > 0) return `${servers.size} ioreq servers are left in our books`;
  if (instances.size > 0) return `${instances.size} instances are left`;
  if (events.ports.size > 0) return `${events.ports.size} event ports are left`;
  if (grants.size > 0) return `${grants.size} grants are left`;
  const record = [...records].find(([index, bytes]) => index < VGPU_RECORDS && bytes.length > 0);
  return record && `the record of vGPU ${record[0]} is left`;
}
