// SPDX-License-Identifier: MIT
//
// Stands in for unikernel/core/display/scanout.ts.

import { scanoutForgetBuffer } from "../scanout";
import { Vgpu } from "./vgpu";

export function scanoutsForget(_vgpu: Vgpu, buffer: u32): void {
  scanoutForgetBuffer(buffer);
}
