// SPDX-License-Identifier: MIT
//
// A guest of the simulated machine with a virtio-gpu in a slot of its bus: the real core, the real module, the BARs and
// MSI-X set up as a guest's firmware and kernel do it, found by the capabilities in configuration space.

import { addMemory, type Domain, readMemory, writeMemory } from "../../host/sim/domain.js";
import { configRead, configWrite, memoryRead, memoryWrite, portRead, portWrite } from "../../host/sim/guest.js";
import { settle, type World } from "../../host/sim/world.js";
import * as P from "../../unikernel/abi/pci.js";
import { type Bus, Ram } from "./bus.js";

const BASE = 0xe0000000;
const SPACE = 0x8000000; // of each slot
const IO = 0xc000;
const RAM_FIRST = 0x100000n;
const RAM_PAGES = 4096;
const MSG = 0xfee00000;

export interface WorldBus extends Bus {
  world: World;
  domain: Domain;
  slot: number;
}

/** Gives the guest memory that `addGuest` has not: once for each guest. */
export function giveMemory(domain: Domain): void {
  addMemory(domain, RAM_FIRST >> 12n, RAM_PAGES);
}

/** The device in that slot: BARs placed and decoded, MSI-X on, vector v sends the message slot * 16 + v. */
export function setUp(world: World, domain: Domain, slot: number): WorldBus {
  const config = (offset: number, size: number) => configRead(world, domain, slot, offset, size);
  const setConfig = (offset: number, size: number, value: number) =>
    configWrite(world, domain, slot, offset, size, value);
  const places = [
    BASE + slot * SPACE,
    BASE + slot * SPACE + 0x1000,
    IO + slot * 16,
    0,
    BASE + slot * SPACE + 0x4000000,
  ];
  places.forEach((at, bar) => {
    if (at !== 0) setConfig(P.PCI_BASE_ADDRESS_0 + 4 * bar, 4, at);
  });
  setConfig(P.PCI_COMMAND, 2, P.PCI_COMMAND_IO | P.PCI_COMMAND_MEMORY | P.PCI_COMMAND_MASTER);
  let msix = config(P.PCI_CAPABILITY_LIST, 1);
  while (config(msix, 1) !== P.PCI_CAP_ID_MSIX) msix = config(msix + 1, 1);
  const vectors = (config(msix + P.PCI_MSIX_FLAGS, 2) & 0x7ff) + 1;
  for (let vector = 0; vector < vectors; vector++) {
    [MSG, 0, slot * 16 + vector, 0].forEach((value, i) => {
      memoryWrite(world, domain, BigInt((places[1] as number) + vector * 16 + i * 4), 4, BigInt(value));
    });
  }
  setConfig(msix + P.PCI_MSIX_FLAGS, 2, P.PCI_MSIX_FLAGS_ENABLE);
  const end = RAM_FIRST + BigInt(RAM_PAGES * 4096);
  // So that two devices of a guest have pages of their own.
  const share = BigInt((RAM_PAGES / 4) * 4096) * BigInt(slot - 1);
  const memory = {
    read: (gpa: bigint, length: number) => readMemory(domain, gpa, length),
    write: (gpa: bigint, bytes: Uint8Array) => writeMemory(domain, gpa, bytes),
  };
  return {
    world,
    domain,
    slot,
    ram: new Ram(memory, RAM_FIRST + share, end),
    read(bar, offset, size) {
      const at = (places[bar] as number) + offset;
      return bar === 2 ? portRead(world, domain, at, size) : memoryRead(world, domain, BigInt(at), size);
    },
    write(bar, offset, size, value) {
      const at = (places[bar] as number) + offset;
      if (bar === 2) portWrite(world, domain, at, size, BigInt(value));
      else memoryWrite(world, domain, BigInt(at), size, BigInt.asUintN(8 * size, BigInt(value)));
    },
    settle: () => settle(world),
    interrupts() {
      const own = domain.messages.filter((one) => one.data >> 4 === slot).map((one) => one.data & 15);
      domain.messages = domain.messages.filter((one) => one.data >> 4 !== slot);
      return own;
    },
  };
}
