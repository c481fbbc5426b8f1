// SPDX-License-Identifier: MIT
//
// The ordinary C programs around the driver domain: those for Dom0 and the static ones for the
// lab's guests. A sources.json in each folder names them, their sources and libraries.
// A program is compiled when its key - sources, headers, flags - is not the one it was made from.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { hashText } from "./cache.js";
import { exec } from "./exec.js";
import { buildGuestKernel } from "./guest-kernel.js";
import { BUILD, fromRoot } from "./paths.js";

export const DOM0_PROGRAMS = join(BUILD, "native/dom0");
export const GUEST_PROGRAMS = join(BUILD, "native/guest");

const FLAGS = ["-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes"];
const GCC_TIMEOUT_MS = 120_000;

interface Program {
  name: string;
  sources: string[];
  libs?: string[];
  includes?: string[];
  /** Flags of its own, e.g. hardening for what runs with Dom0's rights. */
  flags?: string[];
}

export async function buildNative(): Promise<void> {
  for (const program of programs("native/dom0")) await compile(program, "native/dom0", DOM0_PROGRAMS, []);
  for (const program of programs("native/guest")) await compile(program, "native/guest", GUEST_PROGRAMS, ["-static"]);
  await buildGuestKernel();
}

function programs(folder: string): Program[] {
  return (JSON.parse(text(join(folder, "sources.json"))) as { programs: Program[] }).programs;
}

async function compile(program: Program, folder: string, out: string, extra: readonly string[]): Promise<void> {
  const target = join(out, program.name);
  const key = join(BUILD, "native/keys", `${folder.replaceAll("/", "-")}-${program.name}`);
  const sources = program.sources.map((source) => join(folder, source));
  const libs = (program.libs ?? []).map((lib) => `-l${lib}`);
  const includes = ["native/include", folder, ...(program.includes ?? [])].map((dir) => `-I${dir}`);
  const flags = [...FLAGS, ...extra, ...(program.flags ?? []), ...includes, ...libs];
  const wanted = hashText(...flags, ...sources, ...[...sources, ...headers(folder)].map((path) => text(path)));
  if (existsSync(target) && existsSync(key) && readFileSync(key, "utf8") === wanted) return;
  mkdirSync(out, { recursive: true });
  mkdirSync(dirname(key), { recursive: true });
  const partial = `${target}.${process.pid}.partial`;
  try {
    await exec("gcc", ["-o", partial, ...sources, ...flags], { cwd: fromRoot(), timeoutMs: GCC_TIMEOUT_MS });
    renameSync(partial, target);
  } finally {
    rmSync(partial, { force: true });
  }
  writeFileSync(key, wanted);
}

const text = (path: string): string => readFileSync(fromRoot(path), "utf8");

function headers(folder: string): string[] {
  const own = readdirSync(fromRoot(folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
  const shared = readdirSync(fromRoot("native/include")).map((name) => join("native/include", name));
  return [...own, ...shared].filter((name) => name.endsWith(".h")).sort();
}
