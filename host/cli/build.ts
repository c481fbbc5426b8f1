// SPDX-License-Identifier: MIT
//
// `glovebox build`: the driver domain's image with its modules, gbctl and friends, the guests' test programs.

import { join } from "node:path";
import { buildNative } from "../lab/native.js";
import { BUILD } from "../lab/paths.js";

/** The driver domain, as xl boots it. */
export const GLOVEBOX_ELF = join(BUILD, "unikernel/glovebox.elf");

export async function build(): Promise<void> {
  await buildNative();
}
