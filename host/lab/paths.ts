// SPDX-License-Identifier: MIT
//
// Where things are. The project's root is the first folder upwards that holds our package.json, so that bundles
// find it wherever they lie.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function findRoot(): string {
  for (let dir = dirname(fileURLToPath(import.meta.url)); dir !== dirname(dir); dir = dirname(dir)) {
    const file = join(dir, "package.json");
    if (existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { name?: string }).name === "glovebox")
      return dir;
  }
  throw new Error("glovebox: no package.json named glovebox above this program");
}

export const ROOT = findRoot();
export const BUILD = join(ROOT, "build");
/** Downloads and images: dear to make, kept by `clean`, removed by `clean --cache`. */
export const CACHE = process.env.GLOVEBOX_CACHE ?? join(BUILD, "cache");
export const LAB_RUNS = join(BUILD, "lab");

export function fromRoot(...parts: string[]): string {
  return join(ROOT, ...parts);
}
