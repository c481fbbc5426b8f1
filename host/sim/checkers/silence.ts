// SPDX-License-Identifier: MIT
//
// A lost vGPU is silent: its instance is not called again before it is made anew, a guest that has only lost ones gets
// no interrupt, and in the end its scanouts are off and its configuration space reads as ones. Which are lost, and in
// which slots they are, is what the mediator said, not what the tree says: an input's Dom0 writes into it, too.

import { shim } from "../contract.js";
import type { Domain } from "../domain.js";
import { configRead } from "../guest.js";
import { guarded, type Machine } from "../play/machine.js";
import { settle } from "../world.js";
import { absolute, parentOf, storeRead, storeWrite } from "../xenstore.js";
import type { Checker } from "./checker.js";

interface Known {
  domid: number;
  number: string;
  state: string;
}

export function silence(): Checker {
  const faulted = new Set<number>();
  /** Those that were lost when everybody rested last: what the tree says lags behind otherwise. */
  let lostAtRest = new Set<string>();
  const isAllLost = (machine: Machine, domid: number): boolean => {
    const all = vgpus(machine).filter((one) => one.domid === domid);
    return all.length > 0 && all.every((one) => lostAtRest.has(keyOf(one)) && one.state === "lost");
  };
  return {
    name: "silence",
    entry(machine, entry) {
      if (entry.kind === "restarted") faulted.clear();
      if (entry.kind === "interrupt" && isAllLost(machine, entry.domid)) {
        return `guest ${entry.domid} has lost all its vGPUs and was interrupted`;
      }
      if (entry.kind !== "called") return undefined;
      const anew = entry.entry === shim("ENTRY_ATTACH");
      if (faulted.has(entry.handle) && !anew)
        return `the instance of lost vGPU ${entry.tag} was called, entry ${entry.entry}`;
      if (entry.fault === shim("FAULT_NONE")) faulted.delete(entry.handle);
      else faulted.add(entry.handle);
      return undefined;
    },
    state(machine, atRest) {
      if (atRest) lostAtRest = lost(machine);
      return undefined;
    },
  };
}

const keyOf = (one: Known): string => `${one.domid}/${one.number}`;

/** By what the mediator itself said, of those that Dom0 wants still: Dom0 may write over any node. */
function vgpus(machine: Machine): Known[] {
  const { nodes, said } = machine.world.store;
  const found: Known[] = [];
  for (const [path, state] of said) {
    const [, domid, number] = /\/data\/glovebox\/vgpu\/(\d+)\/(\d+)\/state$/.exec(path) ?? [];
    if (domid === undefined || number === undefined || !nodes.has(parentOf(path))) continue;
    found.push({ domid: Number(domid), number, state });
  }
  return found;
}

function lost(machine: Machine): Set<string> {
  return new Set(
    vgpus(machine)
      .filter((one) => one.state === "lost")
      .map(keyOf),
  );
}

/** vGPUs in that state whose guests can ask them now. */
export function reachableVgpus(machine: Machine, state: string): { domain: Domain; number: string; slot: number }[] {
  if (machine.ended) return [];
  return vgpus(machine).flatMap((one) => {
    const domain = machine.world.domains.get(one.domid);
    const { store } = machine.world;
    const bdf = store.said.get(absolute(store, `data/glovebox/vgpu/${one.domid}/${one.number}/bdf`));
    if (one.state !== state || domain === undefined || domain.dying || bdf === undefined) return [];
    if (domain.vcpuStates[0]?.waits !== undefined || domain.paused) return [];
    return [{ domain, number: one.number, slot: Number.parseInt(bdf.slice(8, 10), 10) }];
  });
}

/** Asks the driver domain and the device itself; words when a lost vGPU is not silent. */
export function probeLost(machine: Machine): string | undefined {
  for (const { domain, number, slot } of reachableVgpus(machine, "lost")) {
    if (!isAttached(machine, domain.domid, number)) continue; // its slot may be another's by now
    const id = configRead(machine.world, domain, slot, 0, 4);
    if (id !== 0xffff_ffff) return `guest ${domain.domid} vgpu ${number} is lost and reads 0x${id.toString(16)}`;
  }
  for (const { domid, number, state } of vgpus(machine)) {
    const domain = machine.world.domains.get(domid);
    if (state !== "lost" || domain === undefined || domain.dying || machine.ended) continue;
    const shown = scanoutsShown(machine, domid, number);
    if (shown !== undefined) return `guest ${domid} vgpu ${number} is lost and shows ${shown}`;
  }
  return undefined;
}

function isAttached(machine: Machine, domid: number, number: string): boolean {
  return / ok /.test(statOf(machine, domid, number));
}

function scanoutsShown(machine: Machine, domid: number, number: string): string | undefined {
  const reply = statOf(machine, domid, number);
  if (!reply.includes("state=lost")) return undefined;
  return reply.split(" ").find((word) => /^scanout\d=(?!off)/.test(word));
}

function statOf(machine: Machine, domid: number, number: string): string {
  storeWrite(machine.world.store, "data/glovebox/request", `${++machine.requests} stat ${domid} ${number}`);
  guarded(machine, () => settle(machine.world));
  return storeRead(machine.world.store, "data/glovebox/reply") ?? "";
}
