// SPDX-License-Identifier: MIT
//
// The machine that core inputs run on: the puppet first, then the tree's modules, in an order that inputs count on.

import type { MachineOptions } from "../play/machine.js";
import { puppet } from "../play/puppet.js";
import { treeMachine } from "../tree.js";

export function puppetModules(): MachineOptions["modules"] {
  return [{ name: "puppet", module: puppet(), ram: { param: "ram_bytes", bytes: 0x4000 } }];
}

/** Which modules an input may attach, by index: those whose names stand here, no others, whatever the tree has. */
const NAMES = ["bochs-display", "register-file"];

export async function fuzzMachine(): Promise<MachineOptions> {
  const machine = await treeMachine();
  const others = NAMES.map((name) => machine.modules.find((one) => one.name === name)).filter(
    (one) => one !== undefined,
  );
  return { ...machine, modules: [...puppetModules(), ...others] };
}
