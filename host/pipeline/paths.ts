// SPDX-License-Identifier: MIT
//
// Where things lie. The same code runs from the source tree and from a bundle under build/, so the root is found by
// looking upwards for the contract file, not by counting "..".

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const LANDMARK = "unikernel/abi/shim.ts";

let found: string | undefined;

/** The root of the checkout that this code belongs to. */
export function projectRoot(): string {
  if (found !== undefined) return found;
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    if (existsSync(join(at, LANDMARK))) {
      found = at;
      return at;
    }
    if (dirname(at) === at) throw new Error(`no directory above ${import.meta.url} holds ${LANDMARK}`);
  }
}

/** A path inside the checkout. */
export function inProject(...parts: string[]): string {
  return join(projectRoot(), ...parts);
}

/** A path inside build/unikernel, where everything of this pipeline is made. */
export function inBuild(...parts: string[]): string {
  return inProject("build", "unikernel", ...parts);
}
