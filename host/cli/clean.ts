// SPDX-License-Identifier: MIT
//
// Removes build/; the cache in it only when asked, because it is dear to make again.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BUILD } from "../lab/paths.js";

export async function clean(options: { cache?: boolean }): Promise<void> {
  if (!existsSync(BUILD)) return;
  for (const name of readdirSync(BUILD)) {
    if (name !== "cache" || options.cache) rmSync(join(BUILD, name), { recursive: true, force: true });
  }
}
