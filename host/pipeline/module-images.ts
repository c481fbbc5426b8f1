// SPDX-License-Identifier: MIT
//
// The tree's own modules as everybody's: packed to build/modules/NAME-VERSION.gbx and gathered into ramdisks.
//
//   build/unikernel/modules.img        unikernel/modules/*
//   build/unikernel/modules-test.img   those and test/modules/*

import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { type PackedModule, packModule } from "./gbx.js";
import { buildModule } from "./module.js";
import { inBuild, inProject } from "./paths.js";
import { makeRamdisk } from "./ramdisk.js";
import { writeWhole } from "./store.js";

const RAMDISKS = { release: "modules.img", test: "modules-test.img" } as const;
const ROOTS = { release: ["unikernel/modules"], test: ["unikernel/modules", "test/modules"] } as const;

/** The folders under the ramdisk's roots that hold a manifest, by name. */
export function moduleFolders(ramdisk: keyof typeof RAMDISKS): string[] {
  return ROOTS[ramdisk].flatMap((root) =>
    readdirSync(inProject(root))
      .sort()
      .map((name) => join(root, name))
      .filter((folder) => existsSync(inProject(folder, "manifest.json"))),
  );
}

export interface ModuleImage {
  path: string;
  modules: PackedModule[];
}

/** Make both ramdisks and the .gbx files in them; what has not changed is not compiled again. */
export async function buildModuleImages(log: (line: string) => void = () => {}): Promise<ModuleImage[]> {
  const packed = new Map<string, PackedModule>();
  const images: ModuleImage[] = [];
  for (const [variant, file] of Object.entries(RAMDISKS) as [keyof typeof RAMDISKS, string][]) {
    const modules: PackedModule[] = [];
    for (const folder of moduleFolders(variant)) {
      const one = packed.get(folder) ?? (await pack(folder, log));
      packed.set(folder, one);
      modules.push(one);
    }
    const path = inBuild(file);
    log(`${file}: ${modules.map((one) => one.fileName).join(", ")}`);
    writeWhole(path, makeRamdisk(modules));
    images.push({ path, modules });
  }
  return images;
}

async function pack(folder: string, log: (line: string) => void): Promise<PackedModule> {
  log(`${basename(folder)}: pack`);
  const module = await packModule(basename(folder), await buildModule(folder));
  writeWhole(inProject("build", "modules", module.fileName), module.bytes);
  return module;
}
