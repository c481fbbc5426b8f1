// SPDX-License-Identifier: MIT
//
// C to objects to an ELF file, with gcc and binutils as they come with Debian. What to compile and how stands in
// native/sources.json. An object is kept by the hash of everything that can change it.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { PipelineError, type Step } from "./error.js";
import { inBuild, inProject, projectRoot } from "./paths.js";
import { type Bytes, hashOf, kept, writeWhole } from "./store.js";

const run = promisify(execFile);
/** By the clock, against one that hangs: the core takes 18 s of a processor, which a busy machine makes 120. */
const TOOL_SECONDS = 600;

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
  /** The whole set for a .gbx file: position-independent, nothing seen but what says so. */
  gbxCflags: string[];
  gbxLdflags: string[];
  /** Helpers of the compiler that each .gbx file carries. */
  gbxSources: string[];
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

export interface Compiled {
  object: string;
  /** Of its largest stack frame. */
  frameBytes: number;
}

/** Compile all units, two at a time; answers the objects' paths in order. */
export async function compileAll(units: Unit[], sources: NativeSources): Promise<string[]> {
  return (await compileUnits(units, sources)).map((one) => one.object);
}

/** The same, telling the stack frames too. */
export async function compileUnits(units: Unit[], sources: NativeSources): Promise<Compiled[]> {
  const around = await surroundings();
  const objects: Compiled[] = new Array(units.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < units.length; index = next++) {
      objects[index] = await compileUnit(units[index] as Unit, sources, around);
    }
  };
  await Promise.all([worker(), worker()]);
  return objects;
}

async function compileUnit(unit: Unit, sources: NativeSources, around: string): Promise<Compiled> {
  const flags = [
    ...sources.cflags,
    ...(unit.isWasm ? sources.generatedWarnings : sources.warnings),
    ...(unit.source.endsWith("/w2c_core.c") ? sources.coreFlags : []),
    ...sources.include.flatMap((one) => ["-isystem", one]),
    ...[...sources.iquote, ...sources.archIquote].flatMap((one) => ["-iquote", one]),
  ];
  const own = unit.generated === undefined ? [] : headersBelow(unit.generated);
  const key = hashOf(around, unit.source, readFileSync(inProject(unit.source)), ...flags, ...own);
  let made: Promise<Made> | undefined;
  const make = (): Promise<Made> => {
    made ??= runGcc(unit.source, flags, inBuild("cache", `${key}.${process.pid}`));
    return made;
  };
  await kept("o", key, async () => (await make()).object);
  const usage = await kept("su", key, async () => (await make()).usage);
  const frames = framesOf(Buffer.from(usage).toString());
  if (unit.isWasm) checkFrames(unit.source, frames);
  return { object: inBuild("cache", `${key}.o`), frameBytes: Math.max(0, ...frames.map((one) => one.bytes)) };
}

interface Made {
  object: Bytes;
  usage: Bytes;
}

async function runGcc(source: string, flags: string[], stem: string): Promise<Made> {
  mkdirSync(dirname(stem), { recursive: true });
  try {
    await gcc(source, [...flags, "-fstack-usage", "-c", source, "-o", `${stem}.o`]);
    const usage = existsSync(`${stem}.su`) ? readFileSync(`${stem}.su`) : Buffer.alloc(0); // none for assembly
    return { object: readFileSync(`${stem}.o`), usage };
  } finally {
    for (const suffix of ["o", "su"]) rmSync(`${stem}.${suffix}`, { force: true });
  }
}

async function gcc(subject: string, args: string[]): Promise<void> {
  try {
    await run("gcc", args, { cwd: projectRoot(), timeout: TOOL_SECONDS * 1000 });
  } catch (error) {
    throw toolError(subject, "gcc", error);
  }
}

function toolError(subject: string, step: Step, error: unknown): PipelineError {
  const { stderr: told, killed } = error as { stderr?: string; killed?: boolean };
  if (killed) return new PipelineError(subject, step, `not done with it after ${TOOL_SECONDS} s`);
  const reason = told || (error instanceof Error ? error.message : String(error));
  return new PipelineError(subject, step, reason.replace("spawn ", "cannot run "));
}

interface Frame {
  name: string;
  bytes: number;
  /** Bytes is all that it can be. (gcc says "static", "dynamic,bounded" or "dynamic".) */
  isBounded: boolean;
}

/** "file.c:line:column:function<TAB>bytes<TAB>static" */
function framesOf(usage: string): Frame[] {
  const lines = usage.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [place = "", bytes, kind = ""] = line.split("\t");
    return { name: place.split(":").at(-1) ?? "", bytes: Number(bytes), isBounded: kind !== "dynamic" };
  });
}

/** The largest stack frame of wasm2c's C; the deepest nest of calls fits the stack only because there is a limit. */
export function frameBytesMax(): number {
  return shimLimit("WASM_FRAME_BYTES");
}

/** A number of native/include/shim_limits.h. */
export function shimLimit(name: string): number {
  const found = new RegExp(`#define ${name} (\\d+)`).exec(shimLimits());
  if (found === null) throw new Error(`native/include/shim_limits.h has no ${name}`);
  return Number(found[1]);
}

function shimLimits(): string {
  return readFileSync(inProject("native/include/shim_limits.h"), "utf8");
}

function checkFrames(subject: string, frames: Frame[]): void {
  const most = frameBytesMax();
  for (const { name, bytes, isBounded } of frames) {
    if (bytes <= most && isBounded) continue;
    const size = isBounded ? `${bytes} bytes` : `${bytes} bytes and more`;
    throw new PipelineError(subject, "gcc", `${name} has a stack frame of ${size}; the limit is ${most}`);
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
    throw toolError(stem, "link", error);
  } finally {
    rmSync(whole, { force: true });
  }
}

/** Link a shared object with binutils' ld alone; answers its bytes. */
export async function linkShared(subject: string, objects: string[], sources: NativeSources): Promise<Bytes> {
  const whole = inBuild("cache", `${hashOf(subject, ...objects)}.${process.pid}.so`);
  try {
    await run("ld", [...sources.gbxLdflags, ...objects, "-o", whole], { cwd: projectRoot() });
    return readFileSync(whole);
  } catch (error) {
    throw toolError(subject, "link", error);
  } finally {
    rmSync(whole, { force: true });
  }
}

/** The first line of what each tool says of itself. */
export async function compilerVersions(): Promise<{ gcc: string; ld: string }> {
  const firstLine = async (tool: string): Promise<string> =>
    run(tool, ["--version"]).then(
      ({ stdout }) => stdout.split("\n")[0] ?? "",
      (error) => {
        throw toolError(tool, "gcc", error);
      },
    );
  return { gcc: await firstLine("gcc"), ld: await firstLine("ld") };
}
