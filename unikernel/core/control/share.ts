// SPDX-License-Identifier: MIT
//
// The share: pages of ours that one other domain may read, from the answer to one request until the next. It is filled
// while nobody sees it; what lies behind the data in its last page is zero.

import { shim_share_grant, shim_share_revoke, shim_share_write } from "../../abi/shim";

const ZEROS: usize = memory.data(4096, 8);

let granted: bool = false;

/** After a restart: there may be a grant from before; the next shareClose() ends it. */
export function shareRecover(): void {
  granted = true;
}

/** 0: nobody sees the share now; else a negated errno, -EBUSY while the peer has it mapped. */
export function shareClose(): i32 {
  if (!granted) return 0;
  const result = shim_share_revoke();
  if (result == 0) granted = false;
  return result;
}

export function shareWrite(offset: u32, from: usize, bytes: u32): i32 {
  return shim_share_write(offset, <u32>from, bytes);
}

/** Pages for so many bytes: one at least, so that there is a gref. */
export function sharePages(bytes: u32): u32 {
  return bytes == 0 ? 1 : (bytes + 4095) / 4096;
}

/** Lets `domid` read the first `bytes` bytes; answers the first gref. */
export function shareOpen(domid: u32, bytes: u32): i32 {
  const pages = sharePages(bytes);
  const result = shim_share_write(bytes, <u32>ZEROS, pages * 4096 - bytes);
  if (result < 0) return result;
  const gref = shim_share_grant(domid, pages);
  granted = gref >= 0;
  return gref;
}
