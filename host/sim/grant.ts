// SPDX-License-Identifier: MIT
//
// The driver domain's grant table, version 1 (xen/grant_table.h), one frame of it as native/xen/grant.c sets it up. An
// entry that the other side has mapped cannot be ended.

import { XEN_ENOSPC } from "../../unikernel/abi/xen/errno.js";

export const GRANT_ENTRIES = 512; // 4096 bytes of 8
const RESERVED = 8; // GNTTAB_NR_RESERVED_ENTRIES

export interface Grant {
  domid: number;
  /** Which page of the share. */
  page: number;
  mapped: number;
}

export type Grants = Map<number, Grant>;

export function createGrants(): Grants {
  return new Map();
}

/** The first of `count` free entries in a row, or a negated errno. */
export function findRun(grants: Grants, count: number): number {
  let run = 0;
  for (let ref = RESERVED; ref < GRANT_ENTRIES; ref++) {
    run = grants.has(ref) ? 0 : run + 1;
    if (run === count) return ref + 1 - count;
  }
  return -XEN_ENOSPC;
}

/** GNTTABOP_map_grant_ref by `domid`: the page of the share, undefined when it is not granted to it. */
export function mapGrant(grants: Grants, ref: number, domid: number): number | undefined {
  const grant = grants.get(ref);
  if (grant === undefined || grant.domid !== domid) return undefined;
  grant.mapped++;
  return grant.page;
}

export function unmapGrant(grants: Grants, ref: number): void {
  const grant = grants.get(ref);
  if (grant !== undefined && grant.mapped > 0) grant.mapped--;
}

/** False: the other side has it mapped. */
export function endGrant(grants: Grants, ref: number): boolean {
  if ((grants.get(ref)?.mapped ?? 0) > 0) return false;
  grants.delete(ref);
  return true;
}
