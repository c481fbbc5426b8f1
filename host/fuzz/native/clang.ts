// SPDX-License-Identifier: MIT
//
// C to a program under clang's AddressSanitizer and UndefinedBehaviorSanitizer, for libFuzzer or plain. An object is
// kept by the hash of all that can change it.

import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { nativeSources } from "../../pipeline/gcc.js";
import { inBuild, inProject } from "../../pipeline/paths.js";
import { hashOf, kept } from "../../pipeline/store.js";

const run = promisify(execFile);

/** A source with one text in it replaced: a fault that is planted to see that it is found. */
export interface Change {
  file: string;
  from: string;
  to: string;
}

export interface Program {
  name: string;
  /** With a main of its own, or libFuzzer's. */
  main: "own" | "libfuzzer";
  /** Relative to the project. */
  sources: readonly string[];
  /** wasm2c's C: no warnings, and its own headers; absolute paths. */
  generated?: { folder: string; sources: readonly string[] };
  /** Sources that others include, so that a change in them is noticed. */
  included?: readonly string[];
  iquote: readonly string[];
  change?: Change;
}

const FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-g", "-O1", "-fno-strict-aliasing", "-fno-omit-frame-pointer"];
const WARNINGS = ["-Wall", "-Wextra", "-Werror"];
const CHECKS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const FUZZER = { compile: "-fsanitize=fuzzer-no-link", link: "-fsanitize=fuzzer" };

/** The shim without the processor's folder, and the fake hypervisor that it runs on. */
export function shimSources(): string[] {
  const { common, xen } = nativeSources();
  const fake = readdirSync(inProject("test/native/fake")).filter((name) => name.endsWith(".c"));
  return [...common, ...xen, ...fake.map((name) => `test/native/fake/${name}`)];
}

export function shimPaths(): string[] {
  return [...nativeSources().iquote, "test/native"];
}

/** Build it below `folder`; answers the program's path. */
export async function buildProgram(program: Program, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const { change, generated } = program;
  const first = change === undefined ? [] : [writeChanged(change, join(folder, `${program.name}-changed`))];
  const quoted = [...first, ...program.iquote.map((one) => inProject(one))].flatMap((one) => ["-iquote", one]);
  const around = hashOf(await version(), headers(), ...(program.included ?? []).map((one) => text(one)));
  const flags = [...FLAGS, ...CHECKS, FUZZER.compile];
  const jobs = program.sources.map((source) => {
    const path = source === change?.file ? join(first[0] as string, basename(source)) : inProject(source);
    return { path, flags: [...flags, ...WARNINGS, ...quoted] };
  });
  const std = nativeSources().include.flatMap((one) => ["-isystem", inProject(one)]);
  for (const path of generated?.sources ?? [])
    jobs.push({ path, flags: [...flags, "-w", "-iquote", generated?.folder ?? "", ...quoted, ...std] });
  const objects = await twoAtATime(jobs, ({ path, flags }) => compile(path, flags, around, generated?.folder));
  const out = join(folder, program.name);
  await clang([...CHECKS, ...(program.main === "libfuzzer" ? [FUZZER.link] : []), ...objects, "-o", out]);
  return out;
}

function writeChanged({ file, from, to }: Change, folder: string): string {
  const before = text(file);
  if (!before.includes(from)) throw new Error(`${file} no longer contains: ${from}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, basename(file)), before.replace(from, to));
  return folder;
}

async function compile(path: string, flags: string[], around: string, generated = ""): Promise<string> {
  const own = generated !== "" && path.startsWith(generated) ? headersOf(generated) : "";
  const key = hashOf(around, path, readFileSync(path), own, ...flags);
  await kept("clang.o", key, async () => {
    const object = inBuild("cache", `${key}.${process.pid}.o`);
    mkdirSync(dirname(object), { recursive: true });
    await clang([...flags, "-c", path, "-o", object]);
    return readFileSync(object);
  });
  return inBuild("cache", `${key}.clang.o`);
}

async function clang(args: string[]): Promise<void> {
  try {
    await run("clang", args, { maxBuffer: 1 << 26 });
  } catch (error) {
    throw new Error(`clang: ${(error as { stderr?: string }).stderr || (error as Error).message}`);
  }
}

let known: string | undefined;

async function version(): Promise<string> {
  known ??= (await run("clang", ["--version"])).stdout;
  return known;
}

function headers(): string {
  return hashOf(...["native", "test/native"].map((folder) => headersOf(inProject(folder))));
}

function headersOf(folder: string): string {
  const names = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((one) => one.isFile() && one.name.endsWith(".h"))
    .map((one) => join(one.parentPath ?? one.path, one.name))
    .sort();
  return hashOf(...names.flatMap((path) => [path, readFileSync(path)]));
}

function text(file: string): string {
  return readFileSync(inProject(file), "utf8");
}

async function twoAtATime<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(all.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < all.length; i = next++) results[i] = await work(all[i] as T);
  };
  await Promise.all([worker(), worker()]);
  return results;
}
