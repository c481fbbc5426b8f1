// SPDX-License-Identifier: MIT
//
// Versions of test/modules/tally from its one source: a folder for each, with another manifest and another
// version.ts, built and packed as everybody's module.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILD, fromRoot } from "../../host/lab/paths.js";
import { packModule } from "../../host/pipeline/gbx.js";
import { buildModule } from "../../host/pipeline/module.js";

const NAME = "tally";
const SOURCE = fromRoot("test/modules", NAME);

export interface Version {
  version: string;
  faultsAt?: number;
  refuses?: number;
}

/** Where the .gbx file of that version is. */
export async function tallyVersion(one: Version): Promise<string> {
  const parent = `replace-${one.version}`; // as deep as the source: its imports stay right
  const folder = join(BUILD, parent, NAME);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(SOURCE, folder, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(SOURCE, "manifest.json"), "utf8")) as Record<string, unknown>;
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ ...manifest, version: one.version }));
  writeFileSync(join(folder, "version.ts"), constants(one));
  const module = await packModule(NAME, await buildModule(join("build", parent, NAME)));
  const path = join(BUILD, parent, module.fileName);
  writeFileSync(path, module.bytes);
  return path;
}

export function versionNumber(version: string): number {
  return version.split(".").reduce((all, part) => all * 256 + Number(part), 0);
}

function constants(one: Version): string {
  return `export const VERSION: u32 = ${versionNumber(one.version)};
export const FAULTS_AT: u32 = ${one.faultsAt ?? 0};
export const REFUSES: i32 = ${one.refuses ?? 0};
`;
}
