// SPDX-License-Identifier: MIT
//
// The driver domain's image: core + modules + native shim -> one ELF file that xl boots as a PV kernel.
//
//   variant   modules                                  answers plain BAR accesses     file
//   release   unikernel/modules/*                      core and modules               glovebox.elf
//   test      those and test/modules/*                 core and modules               glovebox-test.elf
//   bare      as test                                  a loop in C (native/bench)     glovebox-bare.elf
//   probe     as test; tries what it must not do       core and modules               glovebox-probe.elf
//   panic     as test                                  core and modules, or a bug     glovebox-panic.elf
//                                                      on order (native/plant)

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { identifierOf } from "./compile-c.js";
import { imageFacts } from "./elf.js";
import { PipelineError } from "./error.js";
import { compileAll, link, type NativeSources, nativeSources, type Unit } from "./gcc.js";
import { coreGlue, moduleGlue, moduleList } from "./glue.js";
import { buildModule, type Prepared, type PreparedModule, prepareCore, prepareModule } from "./module.js";
import { inBuild, inProject, projectRoot } from "./paths.js";
import { prune, writeWhole } from "./store.js";

export type Variant = "release" | "test" | "bare" | "probe" | "panic";

export interface UnikernelOptions {
  variant?: Variant;
  /** Folders, relative to the project; what the variant says when missing. */
  modules?: string[];
  /** Told one line for each step. */
  log?: (line: string) => void;
}

export interface Unikernel {
  variant: Variant;
  elf: string;
  map: string;
  symbols: string;
  /** Bytes that the domain builder loads (no zeroed memory); the limit is IMAGE_BYTES_MAX. */
  imageBytes: number;
  /** The same with zeroed memory. */
  memoryBytes: number;
  modules: string[];
}

/** DESIGN's budget for the image. */
export const IMAGE_BYTES_MAX = 512 * 1024;

const FILES = {
  release: "glovebox.elf",
  test: "glovebox-test.elf",
  bare: "glovebox-bare.elf",
  probe: "glovebox-probe.elf",
  panic: "glovebox-panic.elf",
} as const;
const MODULE_ROOTS = {
  release: ["unikernel/modules"],
  test: ["unikernel/modules", "test/modules"],
  bare: ["unikernel/modules", "test/modules"],
  probe: ["unikernel/modules", "test/modules"],
  panic: ["unikernel/modules", "test/modules"],
} as const;

/** Build one image; what has not changed since the last time is not made again. */
export async function buildUnikernel(options: UnikernelOptions = {}): Promise<Unikernel> {
  const variant = options.variant ?? "release";
  const log = options.log ?? (() => {});
  const folders = options.modules ?? moduleFolders(variant);
  log("core: compile, check, to C");
  const core = await prepareCore();
  const modules: PreparedModule[] = [];
  for (const folder of folders) {
    log(`${basename(folder)}: compile, check, fuel, to C`);
    modules.push(await prepareModule(basename(folder), await buildModule(folder)));
  }
  const generated = inBuild("gen", variant);
  const units = writeGenerated(core, modules, generated);
  return linkImage(variant, units, modules, log);
}

/** The folders under the variant's roots that hold a manifest, by name. */
export function moduleFolders(variant: Variant): string[] {
  return MODULE_ROOTS[variant].flatMap((root) =>
    readdirSync(inProject(root))
      .sort()
      .map((name) => join(root, name))
      .filter((folder) => existsSync(inProject(folder, "manifest.json"))),
  );
}

/** Write the C of core and modules with its glue; answers what there is to compile. */
export function writeGenerated(core: Prepared, modules: PreparedModule[], directory: string): Unit[] {
  const units: Unit[] = [];
  const put = (file: string, text: string, isWasm: boolean): void => {
    writeWhole(join(directory, file), text);
    const source = relative(projectRoot(), join(directory, file));
    if (file.endsWith(".c")) units.push({ source, generated: directory, isWasm });
  };
  for (const one of [core, ...modules]) {
    put(`w2c_${identifierOf(one.name)}.h`, one.c.header, true);
    put(`w2c_${identifierOf(one.name)}.c`, one.c.source, true);
  }
  put("core_glue.c", coreGlue(core.report.imports), false);
  for (const one of modules) put(`module_${identifierOf(one.name)}.c`, moduleGlue(one.manifest, one.report), false);
  const names = modules.map((one) => one.name);
  put("modules.c", moduleList(names), false);
  return units;
}

function variantSources(variant: Variant, sources: NativeSources): string[] {
  if (variant === "bare") return sources.bench;
  if (variant === "panic") return sources.plant;
  return variant === "probe" ? [...sources.xen, ...sources.probe] : sources.xen;
}

async function linkImage(
  variant: Variant,
  generatedUnits: Unit[],
  modules: PreparedModule[],
  log: (line: string) => void,
): Promise<Unikernel> {
  const sources = nativeSources();
  const native = [...sources.archSources, ...sources.common, ...variantSources(variant, sources)];
  const units = [...generatedUnits, ...native.map((source) => ({ source, isWasm: false }))];
  const elf = inBuild(FILES[variant]);
  log(`${FILES[variant]}: ${units.length} C files, link`);
  const ldflags = [...sources.ldflags, ...(variant === "probe" ? sources.probeLdflags : [])];
  await link(await compileAll(units, sources), { ...sources, ldflags }, elf);
  const { loadedBytes, memoryBytes, hasXenNotes } = imageFacts(readFileSync(elf));
  if (!hasXenNotes) throw new PipelineError(elf, "link", "no Xen notes: xl could not boot it");
  if (loadedBytes > IMAGE_BYTES_MAX) {
    throw new PipelineError(elf, "link", `${loadedBytes} bytes to load; the limit is ${IMAGE_BYTES_MAX}`);
  }
  prune();
  const stem = elf.replace(/\.elf$/, "");
  return {
    variant,
    elf,
    map: `${stem}.map`,
    symbols: `${stem}.sym`,
    imageBytes: loadedBytes,
    memoryBytes,
    modules: modules.map((one) => one.name),
  };
}
