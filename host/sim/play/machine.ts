// SPDX-License-Identifier: MIT
//
// A simulated machine that inputs are played on: numbered guests, modules, what is planned, what was found. A panic
// that was planned restarts the driver domain as native/xen/restart.c does; any other is a finding.

import type { TraceRecord } from "../../trace/record.js";
import { type Checker, look, type Violation } from "../checkers/checker.js";
import { shim } from "../contract.js";
import { type Domain, putMemory } from "../domain.js";
import type { SimModule } from "../module.js";
import { type CoreCode, CorePanic, endDriver } from "../shim.js";
import { addDomain, createWorld, killDomain, restartDriver, startDriver, type World } from "../world.js";
import { filled, secretOf } from "./secret.js";

export interface MachineOptions {
  core: CoreCode;
  /** `ram`: the parameter that sizes its RAM, and what it is when an input does not say. */
  modules: { name: string; module: SimModule; ram?: { param: string; bytes: number } }[];
  commandLine?: string;
  checkers?: readonly (() => Checker)[];
  /** Another salt, other secrets: the same machine otherwise. */
  salt?: number;
  /** Which guests get other secrets by `salt`; undefined: all. */
  saltOf?: number;
}

export interface Guest {
  number: number;
  domain: Domain;
  secret: number;
}

export interface Machine {
  world: World;
  options: MachineOptions;
  guests: Map<number, Guest>;
  checkers: Checker[];
  texts: Map<number, string>;
  nextDomid: number;
  requests: number;
  /** The next panic is one of these, ordered by the input. */
  plannedPanics: number;
  /** What was played so far. */
  played: TraceRecord[];
  /** The third panic in a window: the driver domain is gone. */
  ended: boolean;
}

/** Something that must not be; what, and what noticed. */
export class Breach extends Error {
  constructor(readonly violation: Violation) {
    super(`${violation.checker}: ${violation.words}`);
    this.name = "Breach";
  }
}

export const FIRST_DOMID = 10;
/** RAM that every guest is born with: 16 pages from 0, and 16 from 1 MiB. */
export const RAM: readonly (readonly [gfn: bigint, pages: number])[] = [
  [0n, 16],
  [0x100n, 16],
];
const ALLOWANCE_PAGES = 1 << 14;
/** native/include/shim_limits.h, RESTART_WINDOW_NS. */
const RESTART_WINDOW_NS = 200_000_000n;

export function createMachine(options: MachineOptions): Machine {
  const modules = options.modules.map((one) => one.module);
  const world = createWorld({ core: options.core, modules, commandLine: options.commandLine ?? "" });
  const checkers = (options.checkers ?? []).map((make) => make());
  if (checkers.length > 0) world.journal = { entries: [] };
  const machine: Machine = {
    world,
    options,
    guests: new Map(),
    checkers,
    texts: new Map(),
    nextDomid: FIRST_DOMID,
    requests: 0,
    plannedPanics: 0,
    played: [],
    ended: false,
  };
  guarded(machine, () => startDriver(world));
  return machine;
}

export interface Birth {
  vcpus?: number;
  allowancePages?: number;
  ours?: boolean;
  domid?: number;
}

/** A guest with that number, new; the one before it dies. */
export function bear(machine: Machine, number: number, birth: Birth = {}): Guest {
  const old = machine.guests.get(number);
  if (old !== undefined) killDomain(machine.world, old.domain.domid);
  const domid = birth.domid ?? machine.nextDomid++;
  const { vcpus = 1, allowancePages = ALLOWANCE_PAGES, ours = true } = birth;
  const domain = addDomain(machine.world, domid, { vcpus, allowancePages, ours });
  const { salt = 0, saltOf } = machine.options;
  const secret = secretOf(domid, saltOf === undefined || saltOf === number ? salt : 0);
  for (const [gfn, pages] of RAM) {
    putMemory(domain, gfn, filled(gfn, pages, secret).slice());
  }
  const guest = { number, domain, secret };
  machine.guests.set(number, guest);
  return guest;
}

/** The guest with that number; born when it is needed first. */
export function guestOf(machine: Machine, number: number): Guest {
  return machine.guests.get(number) ?? bear(machine, number);
}

/** Runs the driver domain; a planned panic in it is survived, any other is a breach. */
export function guarded(machine: Machine, run: () => void): void {
  if (machine.ended) return;
  try {
    run();
  } catch (error) {
    if (!(error instanceof CorePanic)) throw error;
    if (error.code !== PLANNED || machine.plannedPanics === 0) {
      throw new Breach({ checker: "panic", words: error.message });
    }
    machine.plannedPanics--;
    restart(machine);
  }
}

/** The code of a panic that the input ordered. */
export const PLANNED = 0x9a71c;

function restart(machine: Machine): void {
  const { world } = machine;
  const { restart: last } = world.shim;
  const again = last.count > 0 && world.timeNs - last.ns < RESTART_WINDOW_NS;
  last.inWindow = again ? last.inWindow + 1 : 1;
  if (last.inWindow > 2) {
    machine.ended = true;
    endDriver(world);
    return;
  }
  const mode = shim(last.inWindow === 1 ? "RESTART_KEEP" : "RESTART_LOSE");
  guarded(machine, () => restartDriver(world, machine.options.core, mode, "a panic on order 0x1 0x2"));
}

/** Every checker looks at what happened since the last look. */
export function inspect(machine: Machine, atRest: boolean): void {
  const violation = look(machine.checkers, machine, atRest);
  if (violation !== undefined) throw new Breach(violation);
}
