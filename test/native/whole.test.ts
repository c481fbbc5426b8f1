// SPDX-License-Identifier: MIT
//
// The driver domain as a whole on this machine: the shim, and the core as wasm2c made it into C, under ASan, on the
// fake hypervisor, with the modules from their ramdisk (whole/main.c says what happens there). Needs what the build
// leaves.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BUILD, fromRoot } from "../../host/lab/paths.js";

const GENERATED = join(BUILD, "unikernel/gen/core");
const SCRATCH = join(BUILD, "test/native-whole");
const FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-g", "-O1", "-fno-strict-aliasing", "-fno-omit-frame-pointer"];
/** wasm2c's C is not ours to warn about, and too much of it for UBSan. */
const OF_WASM2C = ["-w", "-fsanitize=address"];
const OURS = ["-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

const sources = JSON.parse(readFileSync(fromRoot("native/sources.json"), "utf8")) as Record<string, string[]>;
const list = (key: string): string[] => (sources[key] ?? []).map((path) => fromRoot(path));
const below = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".c"))
    .map((name) => join(folder, name));

function build(): string {
  if (!existsSync(GENERATED)) throw new Error(`${GENERATED} is not there: node build.mjs build`);
  mkdirSync(SCRATCH, { recursive: true });
  const program = join(SCRATCH, "whole");
  const quoted = [...list("iquote"), fromRoot("test/native"), GENERATED].flatMap((folder) => ["-iquote", folder]);
  const [wasm2c, glue] = [/\/w2c_/, /\/core_glue\.c$/].map((kind) =>
    below(GENERATED).filter((path) => kind.test(path)),
  ) as [string[], string[]];
  const native = [...list("common"), ...list("xen"), ...below(fromRoot("test/native/fake"))];
  const whole = [...native, ...below(fromRoot("test/native/whole")), ...glue];
  const archive = join(SCRATCH, "modules.o");
  execFileSync("gcc", [...FLAGS, ...OF_WASM2C, ...quoted, "-r", "-nostdlib", ...wasm2c, "-o", archive]);
  execFileSync("gcc", [...FLAGS, ...OURS, ...quoted, ...whole, archive, "-o", program]);
  return program;
}

test("the whole driver domain: random requests, then every hypercall failing once", () => {
  const { status, stdout, stderr } = spawnSync(build(), {
    encoding: "utf8",
    timeout: 300_000,
    env: { ...process.env, FAKE_RAMDISK: join(BUILD, "unikernel/modules-test.img") },
  });
  if (status !== 0) process.stdout.write(`${stdout}${stderr}`);
  assert.is(status, 0);
  assert.is(stdout.match(/^ok {3}random requests/gm)?.length, 5);
  assert.is(stdout.match(/hypercalls failed with/g)?.length, 2);
});

test.run();
