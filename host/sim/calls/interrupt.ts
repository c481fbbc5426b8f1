// SPDX-License-Identifier: MIT
//
// Interrupts into guests, refused as Xen refuses them (xen/arch/x86/hvm/irq.c, hvm_inject_msi; hvm/vmsi.c,
// vmsi_deliver; hvm/dm.c, set_pci_intx_level).

import { XEN_EINVAL, XEN_ERANGE, XEN_ESRCH } from "../../../unikernel/abi/xen/errno.js";
import type { World } from "../world.js";
import { reachable } from "./memory.js";
import { type Imports, unsigned } from "./state.js";

const DELIVERY_FIXED = 0;
const DELIVERY_LOWEST = 1;

/** 0, or what Xen answers to such a message. Without a vector it names a pirq by its address. */
export function judgeMessage(address: bigint, data: number): number {
  const vector = data & 0xff;
  const delivery = (data >>> 8) & 7;
  const destination = Number((address >> 12n) & 0xffn);
  if (vector === 0) return (Number((address >> 32n) & 0xffffff00n) | destination) > 0 ? 0 : -XEN_ERANGE;
  return delivery === DELIVERY_FIXED || delivery === DELIVERY_LOWEST ? 0 : -XEN_EINVAL;
}

export function interruptImports(world: () => World): Imports {
  return {
    inject_msi(domid: number, address: bigint, data: number) {
      const domain = reachable(world(), domid);
      if (typeof domain === "number") return domain;
      if (domain.dying) return -XEN_ESRCH;
      const refused = judgeMessage(unsigned(address), data >>> 0);
      if (refused !== 0) return refused;
      domain.messages.push({ address: unsigned(address), data: data >>> 0 });
      world().journal?.entries.push({ kind: "interrupt", domid, address: unsigned(address), data: data >>> 0 });
      return 0;
    },
    set_pci_intx_level(domid: number, device: number, intx: number, level: number) {
      const domain = reachable(world(), domid);
      if (typeof domain === "number") return domain;
      if (domain.dying) return -XEN_ESRCH;
      if (device > 31 || intx > 3 || level > 1) return -XEN_EINVAL;
      domain.lines.push([device, intx, level]);
      world().journal?.entries.push({
        kind: "interrupt",
        domid,
        address: 0n,
        data: (device << 8) | (intx << 4) | level,
      });
      return 0;
    },
  };
}
