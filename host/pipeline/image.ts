// SPDX-License-Identifier: MIT
//
// The driver domain's image: core + native shim -> one ELF file that xl boots as a PV kernel. No module is in it: they
// come by ramdisk (module-images.ts) or while the domain runs.
//
//   variant   answers plain BAR accesses                  file
//   release   core and modules                            glovebox.elf
//   bare      a loop in C (native/bench)                  glovebox-bare.elf
//   probe     core and modules; tries what it must not do glovebox-probe.elf
//   panic     core and modules, or a bug on order         glovebox-panic.elf
//             (native/plant)

import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { identifierOf } from "./compile-c.js";
import { imageFacts } from "./elf.js";
import { PipelineError } from "./error.js";
import { compileAll, link, type NativeSources, nativeSources, type Unit } from "./gcc.js";
import { coreGlue } from "./glue.js";
import { type Prepared, prepareCore } from "./module.js";
import { inBuild, projectRoot } from "./paths.js";
import { prune, writeWhole } from "./store.js";

export type Variant = "release" | "bare" | "probe" | "panic";

export interface UnikernelOptions {
  variant?: Variant;
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
}

/** DESIGN's budget for the image. */
export const IMAGE_BYTES_MAX = 512 * 1024;
/** What the probe tries is beside what is shipped, not a part of it. */
const PROBE_BYTES_MAX = 64 * 1024;

const FILES = {
  release: "glovebox.elf",
  bare: "glovebox-bare.elf",
  probe: "glovebox-probe.elf",
  panic: "glovebox-panic.elf",
} as const;
/** Build one image; what has not changed since the last time is not made again. */
export async function buildUnikernel(options: UnikernelOptions = {}): Promise<Unikernel> {
  const variant = options.variant ?? "release";
  const log = options.log ?? (() => {});
  log("core: compile, check, to C");
  const units = writeGenerated(await prepareCore(), inBuild("gen", "core"));
  return linkImage(variant, units, log);
}

/** Write the C of the core with its glue; answers what there is to compile. */
function writeGenerated(core: Prepared, directory: string): Unit[] {
  const put = (file: string, text: string): string => {
    writeWhole(join(directory, file), text);
    return relative(projectRoot(), join(directory, file));
  };
  const id = identifierOf(core.name);
  put(`w2c_${id}.h`, core.c.header);
  return [
    { source: put(`w2c_${id}.c`, core.c.source), generated: directory, isWasm: true },
    { source: put("core_glue.c", coreGlue(core.report.imports)), generated: directory, isWasm: false },
  ];
}

function variantSources(variant: Variant, sources: NativeSources): string[] {
  if (variant === "bare") return sources.bench;
  if (variant === "panic") return sources.plant;
  return variant === "probe" ? [...sources.xen, ...sources.probe] : sources.xen;
}

async function linkImage(variant: Variant, generatedUnits: Unit[], log: (line: string) => void): Promise<Unikernel> {
  const sources = nativeSources();
  const native = [...sources.archSources, ...sources.common, ...variantSources(variant, sources)];
  const units = [...generatedUnits, ...native.map((source) => ({ source, isWasm: false }))];
  const elf = inBuild(FILES[variant]);
  log(`${FILES[variant]}: ${units.length} C files, link`);
  const ldflags = [...sources.ldflags, ...(variant === "probe" ? sources.probeLdflags : [])];
  await link(await compileAll(units, sources), { ...sources, ldflags }, elf);
  const { loadedBytes, memoryBytes, hasXenNotes } = imageFacts(readFileSync(elf));
  if (!hasXenNotes) throw new PipelineError(elf, "link", "no Xen notes: xl could not boot it");
  const most = IMAGE_BYTES_MAX + (variant === "probe" ? PROBE_BYTES_MAX : 0);
  if (loadedBytes > most) {
    throw new PipelineError(elf, "link", `${loadedBytes} bytes to load; the limit is ${most}`);
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
  };
}
