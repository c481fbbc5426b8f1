// SPDX-License-Identifier: MIT
//
// The share: pages of ours that one other domain may read.

import { XEN_EBUSY, XEN_EFAULT, XEN_EINVAL, XEN_ESRCH } from "../../../unikernel/abi/xen/errno.js";
import { shim } from "../contract.js";
import { visitMemory } from "../domain.js";
import type { World } from "../world.js";
import { coreBytes, type Imports, type ShimState, unsigned } from "./state.js";

const FIRST_GREF = 8; // below: reserved entries (GNTTAB_NR_RESERVED_ENTRIES, xen/grant_table.h)

export function shareImports(world: () => World, state: ShimState): Imports {
  const inside = (offset: number, length: number) => (offset >>> 0) + (length >>> 0) <= state.share.length;
  return {
    share_grant(domid: number, pages: number) {
      if (state.granted !== undefined) return -XEN_EBUSY;
      if (pages === 0 || pages > shim("SHIM_SHARE_PAGES")) return -XEN_EINVAL;
      state.granted = { domid, pages, mapped: false };
      return FIRST_GREF;
    },
    share_revoke() {
      if (state.granted?.mapped) return -XEN_EBUSY;
      state.granted = undefined;
      return 0;
    },
    share_copy_guest(domid: number, gpa: bigint, offset: number, length: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      if (!inside(offset, length)) return -XEN_EINVAL;
      const copied = visitMemory(domain, unsigned(gpa), length, (piece, at) => state.share.set(piece, offset + at));
      return copied ? 0 : -XEN_EFAULT;
    },
    share_write(offset: number, at: number, length: number) {
      if (!inside(offset, length)) return -XEN_EINVAL;
      state.share.set(coreBytes(world(), at, length), offset);
      return 0;
    },
  };
}
