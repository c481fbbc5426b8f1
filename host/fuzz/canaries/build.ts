// SPDX-License-Identifier: MIT
//
// Canaries as the fuzzers want them: a module's file, a machine with a core.

import { readFileSync } from "node:fs";
import { compile } from "../../pipeline/compile.js";
import { coreMemoryPages } from "../../pipeline/module.js";
import { inProject } from "../../pipeline/paths.js";
import { attachManifest } from "../../pipeline/section.js";
import type { Bytes } from "../../pipeline/store.js";
import { allCheckers } from "../../sim/checkers/all.js";
import { puppetModules } from "../../sim/fuzz/machine.js";
import type { MachineOptions } from "../../sim/play/machine.js";
import type { CoreCanary, ModuleCanary } from "./list.js";

/** The module with that bug, 0: with none. */
export async function canaryModule({ folder, bug }: Pick<ModuleCanary, "folder" | "bug">): Promise<Bytes> {
  const path = `test/canaries/${folder}`;
  const json = readFileSync(inProject(path, "manifest.json"), "utf8");
  const { memoryPages } = JSON.parse(json) as { memoryPages: number };
  const instead = new Map([[`${path}/bug.ts`, `export const BUG: u32 = ${bug};\n`]]);
  const wasm = await compile({ name: `canary ${bug}`, entry: `${path}/index.ts`, memoryPages, instead });
  return attachManifest(wasm, json);
}

/** The core with that bug; with none: as it is. */
export async function canaryCore(canary?: CoreCanary): Promise<Bytes> {
  const instead = new Map<string, string>();
  if (canary !== undefined) {
    const path = `unikernel/core/${canary.file}.ts`;
    const text = readFileSync(inProject(path), "utf8");
    if (text.split(canary.from).length !== 2 || canary.from === canary.to)
      throw new Error(`canary "${canary.name}": ${path} has not that text once, or it does not change`);
    instead.set(path, text.replace(canary.from, canary.to));
  }
  return compile({ name: "core", entry: "unikernel/core/main.ts", memoryPages: coreMemoryPages(), instead });
}

/** With the puppet and no other module, so that inputs are quick. */
export function canaryMachine(core: Bytes): MachineOptions {
  const code = new WebAssembly.Module(core as Uint8Array<ArrayBuffer>);
  return { core: code, modules: puppetModules(), checkers: allCheckers() };
}
