// SPDX-License-Identifier: MIT
//
// Stands in for unikernel/core/vgpu/module.ts: the one module's manifest, as the packer wrote it.

import { MANIFEST_AT } from "../setup";

export function manifest(_module: u32): usize {
  return MANIFEST_AT;
}
