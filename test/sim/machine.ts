// SPDX-License-Identifier: MIT
//
// For tests of checkers, inputs and scenarios: the real core, the puppet, and short ways to write records.

import { allCheckers } from "../../host/sim/checkers/all.js";
import * as K from "../../host/sim/play/kinds.js";
import { bear, createMachine, type Guest, type Machine, type MachineOptions } from "../../host/sim/play/machine.js";
import { rest } from "../../host/sim/play/operation.js";
import { puppet } from "../../host/sim/play/puppet.js";
import { storeWrite } from "../../host/sim/xenstore.js";
import { FLAG_READ, KIND_CONFIG, KIND_MMIO, record, type TraceRecord } from "../../host/trace/index.js";
import { CORE } from "../core/support.js";

export const BAR = 0xf000_0000n;
export const RAM_AT = 0xe000_0000n;

export function options(): MachineOptions {
  const ram = { param: "ram_bytes", bytes: 0x4000 };
  return { core: CORE, modules: [{ name: "puppet", module: puppet(), ram }], checkers: allCheckers() };
}

/** Guests 0 and 1 with a puppet each. */
export function twoGuests(): Machine & { first: Guest; second: Guest } {
  const machine = createMachine(options());
  const guests = [0, 1].map((number) => bear(machine, number));
  for (const { domain } of guests) {
    storeWrite(machine.world.store, `data/glovebox/vgpu/${domain.domid}/0`, "module=puppet guest=pvh");
  }
  rest(machine);
  return Object.assign(machine, { first: guests[0] as Guest, second: guests[1] as Guest });
}

export const attach = (domid = 0, vgpu = 0): TraceRecord => record({ kind: K.KIND_ATTACH, domid, vgpu });

export const config = (register: number, size: number, data: bigint, domid = 0): TraceRecord =>
  record({ kind: KIND_CONFIG, domid, size, count: 1, addr: (8n << 32n) | BigInt(register), data });

export const write = (offset: number, data: bigint, more: Partial<TraceRecord> = {}): TraceRecord =>
  record({ kind: KIND_MMIO, size: 8, count: 1, addr: BAR + BigInt(offset), data, ...more });

export const read = (offset: number, more: Partial<TraceRecord> = {}): TraceRecord =>
  record({ kind: KIND_MMIO, size: 8, count: 1, flags: FLAG_READ, addr: BAR + BigInt(offset), ...more });

/** A guest that has found its puppet. */
export const found = (domid = 0): TraceRecord[] => [
  attach(domid),
  config(0x10, 4, BAR, domid),
  config(0x18, 4, RAM_AT, domid),
  config(0x04, 2, 6n, domid),
];
