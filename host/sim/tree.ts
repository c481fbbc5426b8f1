// SPDX-License-Identifier: MIT
//
// The machine that verbs run on: this tree's core and modules, the test modules too, built if need be, and all
// checkers.

import { existsSync, readdirSync } from "node:fs";
import { type CompileOptions, compile } from "../pipeline/compile.js";
import { countDepth } from "../pipeline/depth.js";
import { encodeManifest, type Manifest } from "../pipeline/manifest.js";
import { buildModule, coreMemoryPages, prepareWasm } from "../pipeline/module.js";
import { inProject } from "../pipeline/paths.js";
import { wasmHash } from "../trace/index.js";
import { allCheckers } from "./checkers/all.js";
import { wasmModule } from "./module.js";
import type { MachineOptions } from "./play/machine.js";

const FOLDERS = ["unikernel/modules", "test/modules"];

export type TreeModule = MachineOptions["modules"][number] & { manifest: Manifest; wasmSha256: string };

export function coreSource(): CompileOptions {
  return { name: "core", entry: "unikernel/core/main.ts", memoryPages: coreMemoryPages() };
}

export async function coreBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return (await compile(coreSource())) as Uint8Array<ArrayBuffer>;
}

/** A module's file, instrumented, and what sizes its RAM. */
export async function moduleOf(name: string, file: Uint8Array): Promise<TreeModule> {
  const { manifest, wasm } = await prepareWasm(name, file as Parameters<typeof prepareWasm>[1]);
  const module = wasmModule(new Uint8Array(encodeManifest(manifest)), await countDepth(wasm));
  const param = manifest.bars.find((one) => one.kind === "ram")?.sizeParam;
  const bytes = manifest.params.find((one) => one.name === param)?.min;
  const ram = param === undefined || bytes === undefined ? {} : { ram: { param, bytes } };
  return { name: manifest.name, manifest, module, wasmSha256: wasmHash(file), ...ram };
}

export async function treeModules(): Promise<TreeModule[]> {
  const modules: TreeModule[] = [];
  for (const folder of FOLDERS) {
    for (const name of readdirSync(inProject(folder)).sort()) {
      const path = `${folder}/${name}`;
      if (!existsSync(inProject(path, "manifest.json"))) continue;
      modules.push(await moduleOf(name, await buildModule(path)));
    }
  }
  return modules;
}

export async function treeMachine(): Promise<MachineOptions> {
  return { core: new WebAssembly.Module(await coreBytes()), modules: await treeModules(), checkers: allCheckers() };
}
