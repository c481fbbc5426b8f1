// SPDX-License-Identifier: MIT
//
// What has a limit keeps it: servers, instances, arena pages, ranges, ports, fuel, nodes, scanouts by number.

import { ARENA_PAGES } from "../calls/instance.js";
import { SERVER_RANGES_MAX } from "../calls/server.js";
import { shim } from "../contract.js";
import { EVENT_PORTS_MAX } from "../event.js";
import type { Machine } from "../play/machine.js";
import { NODE_BYTES_MAX, NODES_MAX } from "../xenstored.js";
import type { Checker } from "./checker.js";

export function limits(): Checker {
  return {
    name: "limits",
    entry(_machine, entry) {
      if (entry.kind === "called" && entry.fuel > entry.budget) {
        return `a call of entry point ${entry.entry} took ${entry.fuel} fuel of ${entry.budget}`;
      }
      if (entry.kind === "showed" && entry.answer === 0 && entry.scanout >= entry.scanouts) {
        return `vGPU ${entry.tag} named scanout ${entry.scanout}, it has ${entry.scanouts}`;
      }
      if (entry.kind === "node" && (entry.value?.length ?? 0) > NODE_BYTES_MAX) {
        return `node ${entry.path} has ${entry.value?.length} bytes, limit ${NODE_BYTES_MAX}`;
      }
      return undefined;
    },
    state(machine) {
      const beyond = counts(machine).find(([, count, most]) => count > most);
      return beyond && `${beyond[1]} ${beyond[0]}, limit ${beyond[2]}`;
    },
  };
}

function counts(machine: Machine): [string, number, number][] {
  const { shim: state, store } = machine.world;
  const servers = [...state.servers.values()];
  const instances = [...state.instances.values()];
  return [
    ["ioreq servers", servers.length, shim("SHIM_SERVERS_MAX")],
    ["instances", instances.length, shim("SHIM_INSTANCES_MAX")],
    ["arena pages", instances.reduce((sum, one) => sum + one.pages, 0), ARENA_PAGES],
    ["ranges of a server", Math.max(0, ...servers.map((one) => one.ranges.size)), SERVER_RANGES_MAX],
    ["event ports", state.events.ports.size, EVENT_PORTS_MAX],
    ["records", Math.max(0, ...[...state.records.keys()].map((one) => one + 1)), shim("SHIM_RECORDS_MAX")],
    ["nodes of the domain", store.nodes.size, NODES_MAX],
  ];
}
