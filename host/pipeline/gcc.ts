// SPDX-License-Identifier: MIT
//
// C to objects to an ELF file, with gcc and binutils as they come with Debian. What to compile and how stands in
// native/sources.json. An object is kept by the hash of everything that can change it.

import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { PipelineError } from "./error.js";
import { inBuild, inProject, projectRoot } from "./paths.js";
import { type Bytes, hashOf, kept, writeWhole } from "./store.js";

const run = promisify(execFile);
const TOOL_SECONDS = 120;

/** native/sources.json */
export interface NativeSources {
  include: string[];
  iquote: string[];
  archIquote: string[];
  cflags: string[];
  warnings: string[];
  generatedWarnings: string[];
  /** For the core's wasm2c C: it is on every trap's path, and many small functions there are worth inlining. */
  coreFlags: string[];
  ldflags: string[];
  archSources: string[];
  common: string[];
  xen: string[];
  bench: string[];
  probe: string[];
  probeLdflags: string[];
  plant: string[];
}

export interface Unit {
  /** Relative to the project. */
  source: string;
  /** Where generated headers are that it may include; none for native sources. */
  generated?: string;
  /** Made by wasm2c: no warnings, but a limit on its stack frames. */
  isWasm: boolean;
}

export function nativeSources(): NativeSources {
  return JSON.parse(readFileSync(inProject("native/sources.json"), "utf8")) as NativeSources;
}

/** Everything that headers can say, and which compiler reads them. */
async function surroundings(): Promise<string> {
  const { stdout } = await run("gcc", ["--version"]);
  return hashOf(stdout, ...["native", "test/probe"].flatMap((folder) => headersBelow(inProject(folder))));
}

/** [path, contents, path, contents, ...] */
function headersBelow(directory: string): (string | Bytes)[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((one) => one.isFile() && one.name.endsWith(".h"))
    .map((one) => join(one.parentPath ?? one.path, one.name))
    .sort()
    .flatMap((path) => [path.slice(projectRoot().length), readFileSync(path)]);
}

/** Compile all units, two at a time; answers the objects' paths in order. */
export async function compileAll(units: Unit[], sources: NativeSources): Promise<string[]> {
  const around = await surroundings();
  const objects: string[] = new Array(units.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < units.length; index = next++) {
      objects[index] = await compileUnit(units[index] as Unit, sources, around);
    }
  };
  await Promise.all([worker(), worker()]);
  return objects;
}

async function compileUnit(unit: Unit, sources: NativeSources, around: string): Promise<string> {
  const flags = [
    ...sources.cflags,
    ...(unit.isWasm ? sources.generatedWarnings : sources.warnings),
    ...(unit.source.endsWith("/w2c_core.c") ? sources.coreFlags : []),
    ...sources.include.flatMap((one) => ["-isystem", one]),
    ...[...sources.iquote, ...sources.archIquote].flatMap((one) => ["-iquote", one]),
  ];
  const own = unit.generated === undefined ? [] : headersBelow(unit.generated);
  const key = hashOf(around, unit.source, readFileSync(inProject(unit.source)), ...flags, ...own);
  await kept("o", key, async () => {
    const stem = inBuild("cache", `${key}.${process.pid}`);
    mkdirSync(dirname(stem), { recursive: true });
    try {
      await gcc(unit.source, [...flags, "-fstack-usage", "-c", unit.source, "-o", `${stem}.o`]);
      if (unit.isWasm) checkFrames(unit.source, `${stem}.su`);
      return readFileSync(`${stem}.o`);
    } finally {
      for (const suffix of ["o", "su"]) rmSync(`${stem}.${suffix}`, { force: true });
    }
  });
  return inBuild("cache", `${key}.o`);
}

async function gcc(subject: string, args: string[]): Promise<void> {
  try {
    await run("gcc", args, { cwd: projectRoot(), timeout: TOOL_SECONDS * 1000 });
  } catch (error) {
    const told = (error as { stderr?: string }).stderr;
    throw new PipelineError(subject, "gcc", told || (error instanceof Error ? error.message : String(error)));
  }
}

/** The stack holds the deepest nest of calls only if no frame is larger than native/include/shim_limits.h says. */
function checkFrames(subject: string, usage: string): void {
  const limits = readFileSync(inProject("native/include/shim_limits.h"), "utf8");
  const most = Number(/#define WASM_FRAME_BYTES (\d+)/.exec(limits)?.[1] ?? Number.NaN);
  for (const line of readFileSync(usage, "utf8").split("\n")) {
    const [place = "", bytes] = line.split("\t");
    if (Number(bytes) > most) {
      const name = place.split(":").at(-1);
      throw new PipelineError(subject, "gcc", `${name} has a stack frame of ${bytes} bytes; the limit is ${most}`);
    }
  }
}

/** Link to `elf`, with a map beside it; the symbols go to a file of their own and the image is stripped. */
export async function link(objects: string[], sources: NativeSources, elf: string): Promise<void> {
  const stem = elf.replace(/\.elf$/, "");
  const whole = `${stem}.${process.pid}.partial`;
  mkdirSync(dirname(elf), { recursive: true });
  try {
    await run("gcc", [...sources.ldflags, ...objects, `-Wl,-Map,${stem}.map`, "-o", whole], { cwd: projectRoot() });
    const { stdout } = await run("nm", ["--numeric-sort", whole]);
    writeWhole(`${stem}.sym`, stdout);
    await run("strip", [whole]);
    renameSync(whole, elf);
  } catch (error) {
    const told = (error as { stderr?: string }).stderr;
    throw new PipelineError(stem, "link", told || (error instanceof Error ? error.message : String(error)));
  } finally {
    rmSync(whole, { force: true });
  }
}
