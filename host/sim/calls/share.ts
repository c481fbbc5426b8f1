// SPDX-License-Identifier: MIT
//
// The share: pages of ours that one other domain may read, by grants. Revoking is all or nothing and wipes the pages,
// as native/xen/share.c does it.

import { XEN_EBUSY, XEN_EINVAL } from "../../../unikernel/abi/xen/errno.js";
import { shim } from "../contract.js";
import { isDomid } from "../domain.js";
import { endGrant, findRun } from "../grant.js";
import type { World } from "../world.js";
import { copyGuest } from "./memory.js";
import { coreBytes, type Imports, type ShimState, unsigned } from "./state.js";

export function shareImports(world: () => World, state: ShimState): Imports {
  return {
    share_grant: (domid: number, pages: number) => grant(state, domid, pages >>> 0),
    share_revoke: () => revoke(state),
    share_copy_guest(domid: number, gpa: bigint, offset: number, length: number) {
      if (!isDomid(domid) || !inside(state, offset, length)) return -XEN_EINVAL;
      const part = state.share.subarray(offset >>> 0, (offset >>> 0) + (length >>> 0));
      const rc = copyGuest(world(), domid, unsigned(gpa), part, true);
      if (rc === 0) world().journal?.entries.push({ kind: "shared", from: domid, offset, bytes: part.slice() });
      return rc;
    },
    share_write(offset: number, at: number, length: number) {
      if (!inside(state, offset, length)) return -XEN_EINVAL;
      const bytes = coreBytes(world(), at, length);
      state.share.set(bytes, offset >>> 0);
      world().journal?.entries.push({ kind: "shared", from: undefined, offset, bytes: bytes.slice() });
      return 0;
    },
  };
}

function inside(state: ShimState, offset: number, length: number): boolean {
  return (offset >>> 0) + (length >>> 0) <= state.share.length;
}

function grant(state: ShimState, domid: number, pages: number): number {
  if (!isDomid(domid) || pages === 0 || pages > shim("SHIM_SHARE_PAGES")) return -XEN_EINVAL;
  if (state.granted !== undefined) return -XEN_EBUSY;
  const first = findRun(state.grants, pages);
  if (first < 0) return first;
  for (let page = 0; page < pages; page++) state.grants.set(first + page, { domid, page, mapped: 0 });
  state.firstRef = first;
  state.granted = { domid, pages, mapped: false };
  return first;
}

function revoke(state: ShimState): number {
  const { granted, firstRef } = state;
  if (granted === undefined) return 0;
  for (let page = 0; page < granted.pages; page++) {
    if (!granted.mapped && endGrant(state.grants, firstRef + page)) continue;
    while (page-- > 0) state.grants.set(firstRef + page, { domid: granted.domid, page, mapped: 0 });
    return -XEN_EBUSY;
  }
  state.granted = undefined;
  state.share.fill(0);
  return 0;
}
