// SPDX-License-Identifier: MIT
//
// A module's way from its folder (index.ts, manifest.json) or from its .wasm file to C, step by step. The core goes
// the same way, with the other border and without fuel: it is ours, and its loops are bounded by limits.ts.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type CheckReport, check } from "./check.js";
import { compile } from "./compile.js";
import { compileToC, type GeneratedC } from "./compile-c.js";
import { coreBorder, MODULE_BORDER } from "./contract.js";
import { PipelineError } from "./error.js";
import { instrument } from "./instrument.js";
import { capabilityBits, type Manifest, parseManifest } from "./manifest.js";
import { checkFuel } from "./manifest-rules.js";
import { inBuild, inProject } from "./paths.js";
import { attachManifest, detachManifest, withoutCustomSections } from "./section.js";
import { type Bytes, writeWhole } from "./store.js";

export interface Prepared {
  name: string;
  report: CheckReport;
  /** What wasm2c was given: checked, canonical, for modules with fuel. */
  wasm: Bytes;
  c: GeneratedC;
}

export interface PreparedModule extends Prepared {
  manifest: Manifest;
}

/** A module's folder to the one file that is handed around: WebAssembly with the manifest inside. */
export async function buildModule(folder: string): Promise<Bytes> {
  const name = basename(folder);
  const json = readText(name, inProject(folder, "manifest.json"));
  const manifest = parseManifest(name, json);
  if (manifest.name !== name) {
    throw new PipelineError(name, "manifest", `the name is "${manifest.name}", but the folder is "${name}"`);
  }
  const entry = join(folder, "index.ts");
  const wasm = attachManifest(await compile({ name, entry, memoryPages: manifest.memoryPages }), json);
  writeWhole(inBuild("modules", `${name}.wasm`), wasm);
  return wasm;
}

function readText(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new PipelineError(name, "manifest", `there is no file ${path}`);
  }
}

/** A module's file, from anybody, to instrumented WebAssembly: what the fuzzer and the simulator run. */
export async function prepareWasm(
  subject: string,
  file: Bytes,
): Promise<{ manifest: Manifest; wasm: Bytes; report: CheckReport }> {
  const manifest = parseManifest(subject, detachManifest(subject, file));
  const options = {
    name: manifest.name,
    border: MODULE_BORDER,
    capabilities: capabilityBits(manifest),
    memoryPages: manifest.memoryPages,
    tableEntries: manifest.tables ?? 0,
  };
  const report = check(file, options);
  checkFuel(manifest.name, manifest, report.exports);
  const wasm = await instrument(manifest.name, file);
  const { globals, fuelPoints } = check(wasm, { ...options, instrumented: true });
  return { manifest, wasm, report: { ...report, globals, fuelPoints } };
}

/** ... and on to C. */
export async function prepareModule(subject: string, file: Bytes): Promise<PreparedModule> {
  const { manifest, wasm, report } = await prepareWasm(subject, file);
  const { header, source } = await compileToC(manifest.name, wasm);
  const entries = `#define WASM_TABLE_ENTRIES ${Math.max(report.tableEntries, 1)} /* for wasm-rt.h */\n`;
  return { name: manifest.name, manifest, report, wasm, c: { header: entries + header, source } };
}

const CORE_ENTRY = "unikernel/core/main.ts";
const CORE_LIMITS = "unikernel/core/limits.ts";
const CORE_MEMORY_PAGES_DEFAULT = 16;

/** The core to C. Its memory is as large as its limits.ts says. */
export async function prepareCore(): Promise<Prepared> {
  const memoryPages = coreMemoryPages();
  const compiled = await compile({ name: "core", entry: CORE_ENTRY, memoryPages });
  const report = check(compiled, { name: "core", border: coreBorder(), capabilities: 0, memoryPages });
  const wasm = withoutCustomSections(compiled);
  writeWhole(inBuild("core.wasm"), wasm);
  return { name: "core", report, wasm, c: await compileToC("core", wasm) };
}

/** `export const CORE_MEMORY_PAGES: u32 = 16;` in limits.ts, or that many when it says nothing. */
export function coreMemoryPages(): number {
  const text = readText("core", inProject(CORE_LIMITS));
  return Number(/\bCORE_MEMORY_PAGES\b[^=]*=\s*(\d+)/.exec(text)?.[1] ?? CORE_MEMORY_PAGES_DEFAULT);
}
