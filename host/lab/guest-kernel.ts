// SPDX-License-Identifier: MIT
//
// The guest that is a few screens of C instead of Linux (test/guest-kernel): boots in milliseconds, does exactly the
// accesses that it is told. A PVH kernel: freestanding, one file, at 1 MiB.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { hashText } from "./cache.js";
import { exec } from "./exec.js";
import { BUILD, fromRoot } from "./paths.js";

const FOLDER = "test/guest-kernel";
export const GUEST_KERNEL = join(BUILD, "native/guest-kernel/guest-kernel");
const GCC_TIMEOUT_MS = 120_000;

const FLAGS = [
  ...["-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes"],
  ...["-ffreestanding", "-fno-pic", "-no-pie", "-static", "-nostdlib", "-mno-red-zone", "-mgeneral-regs-only"],
  // memset must not become a call of itself
  ...["-fno-stack-protector", "-fcf-protection=none", "-fno-tree-loop-distribute-patterns"],
  ...["-fno-asynchronous-unwind-tables", "-Wl,--build-id=none", "-Wl,-z,max-page-size=4096"],
  "-Wl,--no-warn-rwx-segments",
];

export async function buildGuestKernel(): Promise<void> {
  const names = readdirSync(fromRoot(FOLDER)).sort();
  const sources = names.filter((name) => /\.[cS]$/.test(name)).map((name) => join(FOLDER, name));
  const key = `${GUEST_KERNEL}.key`;
  const wanted = hashText(...FLAGS, ...names, ...names.map((name) => readFileSync(fromRoot(FOLDER, name), "utf8")));
  if (existsSync(GUEST_KERNEL) && existsSync(key) && readFileSync(key, "utf8") === wanted) return;
  mkdirSync(dirname(GUEST_KERNEL), { recursive: true });
  const partial = `${GUEST_KERNEL}.${process.pid}.partial`;
  try {
    const args = ["-o", partial, ...FLAGS, `-Wl,-T,${FOLDER}/kernel.ld`, ...sources];
    await exec("gcc", args, { cwd: fromRoot(), timeoutMs: GCC_TIMEOUT_MS });
    renameSync(partial, GUEST_KERNEL);
  } finally {
    rmSync(partial, { force: true });
  }
  writeFileSync(key, wanted);
}
