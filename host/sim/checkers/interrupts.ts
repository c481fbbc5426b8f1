// SPDX-License-Identifier: MIT
//
// No interrupt is lost: one that a module raised and was told to be delivered has reached a guest, and in the end no
// MSI is pending that its guest has enabled and not masked. And none is too many: within a second of simulated time no
// instance raises more than its manifest promises (CVE-2022-21816).

import {
  PCI_CAP_ID_MSI,
  PCI_MSI_FLAGS,
  PCI_MSI_FLAGS_ENABLE,
  PCI_MSI_MASK_64,
  PCI_MSI_PENDING_64,
} from "../../../unikernel/abi/pci.js";
import { configRead } from "../guest.js";
import type { Machine } from "../play/machine.js";
import type { Checker } from "./checker.js";
import { reachableVgpus } from "./silence.js";

const CAPABILITY_OK = 0;
const SECOND_NS = 1_000_000_000n;
/** unikernel/core/vgpu/config_space.ts. */
const MSI_CAP = 0x40;

export function interrupts(): Checker {
  let since = 0;
  let raised = new Map<number, { second: bigint; count: number }>();
  return {
    name: "interrupts",
    entry(_machine, entry) {
      if (entry.kind === "serving") since = 0;
      if (entry.kind === "restarted") raised = new Map();
      if (entry.kind === "interrupt") since++;
      if (entry.kind !== "raised") return undefined;
      const reached = since > 0;
      since = 0;
      if (entry.answer !== CAPABILITY_OK) return undefined;
      if (!reached) return `vGPU ${entry.tag} raised an interrupt that no guest got`;
      const second = entry.ns / SECOND_NS;
      const known = raised.get(entry.handle);
      const count = known?.second === second ? known.count + 1 : 1;
      raised.set(entry.handle, { second, count });
      return count > entry.promised
        ? `vGPU ${entry.tag} raised ${count} interrupts within a second, promised ${entry.promised}`
        : undefined;
    },
  };
}

/** Asks each device by its configuration space; words when an MSI waits that nothing holds back. */
export function probePending(machine: Machine): string | undefined {
  for (const { domain, slot, number } of reachableVgpus(machine, "ready")) {
    const read = (register: number, size: number): number => configRead(machine.world, domain, slot, register, size);
    if (read(MSI_CAP, 1) !== PCI_CAP_ID_MSI || !(read(MSI_CAP + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_ENABLE)) continue;
    const due = read(MSI_CAP + PCI_MSI_PENDING_64, 4) & ~read(MSI_CAP + PCI_MSI_MASK_64, 4);
    if (due !== 0) return `guest ${domain.domid} vgpu ${number}: MSI 0x${due.toString(16)} is pending and not masked`;
  }
  return undefined;
}
