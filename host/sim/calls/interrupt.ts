// SPDX-License-Identifier: MIT
//
// Interrupts into guests.

import { XEN_ESRCH } from "../../../unikernel/abi/xen/errno.js";
import type { World } from "../world.js";
import { type Imports, unsigned } from "./state.js";

export function interruptImports(world: () => World): Imports {
  return {
    inject_msi(domid: number, address: bigint, data: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      domain.messages.push({ address: unsigned(address), data: data >>> 0 });
      return 0;
    },
    set_pci_intx_level(domid: number, device: number, intx: number, level: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      domain.lines.push([device, intx, level]);
      return 0;
    },
  };
}
