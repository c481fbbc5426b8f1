// SPDX-License-Identifier: MIT
//
// Builds and runs load/main.c: the shim's real loader in a process under ASan and UBSan.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUILD, fromRoot } from "../../host/lab/paths.js";

const FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-g", "-O1", "-fno-strict-aliasing", "-fno-omit-frame-pointer"];
const CHECKS = ["-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

const sources = JSON.parse(readFileSync(fromRoot("native/sources.json"), "utf8")) as Record<string, string[]>;
const below = (folder: string): string[] =>
  readdirSync(fromRoot(folder))
    .filter((name) => name.endsWith(".c"))
    .map((name) => fromRoot(folder, name));

let program: string | undefined;

function built(): string {
  if (program !== undefined) return program;
  const scratch = join(BUILD, "test/native-load");
  mkdirSync(scratch, { recursive: true });
  program = join(scratch, "load");
  const quoted = [...(sources.iquote ?? []), "test/native"].flatMap((folder) => ["-iquote", fromRoot(folder)]);
  const shim = [...(sources.common ?? []), ...(sources.xen ?? [])].map((path) => fromRoot(path));
  const ours = ["test/native/fake", "test/native/double", "test/native/load"].flatMap(below);
  const partial = `${program}.${process.pid}`;
  execFileSync("gcc", [...FLAGS, ...CHECKS, ...quoted, ...shim, ...ours, "-o", partial]);
  renameSync(partial, program); // another test file may be running it
  return program;
}

/** Its lines; `operations` are what it should run. */
export function load(ramdisk: Uint8Array | undefined, operations?: Uint8Array, params: string[] = []): string[] {
  const folder = mkdtempSync(join(tmpdir(), "glovebox-load-"));
  try {
    const args = operations === undefined ? [] : [join(folder, "operations"), ...params];
    if (operations !== undefined) writeFileSync(join(folder, "operations"), operations);
    if (ramdisk !== undefined) writeFileSync(join(folder, "ramdisk"), ramdisk);
    const env = { ...process.env, ...(ramdisk === undefined ? {} : { FAKE_RAMDISK: join(folder, "ramdisk") }) };
    const { status, stdout, stderr } = spawnSync(built(), args, { encoding: "utf8", env, maxBuffer: 1 << 26 });
    if (status !== 0) throw new Error(`load ended with ${status}: ${stdout.slice(-500)}${stderr.slice(-2000)}`);
    return stdout.trimEnd().split("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
