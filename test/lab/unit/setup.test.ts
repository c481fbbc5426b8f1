// SPDX-License-Identifier: MIT
//
// The door itself: help, wrong words, and missing packages without the means to install them.

import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { fromRoot } from "../../../host/lab/paths.js";
import { glovebox, startProgram } from "../process.js";

const WRONG: [string[], RegExp][] = [
  [["frobnicate"], /unknown verb "frobnicate"; the verbs are: setup build/],
  [["start", "--frob"], /unknown option '--frob'/],
  [["start", "--timeout", "soon"], /wanted: a number of seconds/],
  [["lab"], /missing required argument 'scenario'/],
  [["build", "extra"], /too many arguments/],
];

for (const [args, words] of WRONG) {
  test(`wrong usage: ${args.join(" ")}`, async () => {
    const run = glovebox(...args);
    assert.is((await run.ended).code, 2, run.text());
    assert.match(run.text(), words);
  });
}

test("an unknown scenario is named, and the known ones too", async () => {
  const run = glovebox("lab", "nosuch");
  assert.is((await run.ended).code, 1);
  assert.match(run.text(), /unknown scenario "nosuch"; the scenarios are: demo hello/);
});

test("help", async () => {
  const run = glovebox("--help");
  assert.is((await run.ended).code, 0);
  for (const word of ["setup", "start", "bench", "Exit codes"]) assert.match(run.text(), word);
});

/** The door in an empty folder, where only gcc is installed and nobody can install more; what it says. */
async function withoutPackages(...args: string[]): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "glovebox-"));
  const fake = (name: string, script: string): void => {
    writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, name), 0o755);
  };
  chmodSync(dir, 0o755);
  copyFileSync(fromRoot("build.mjs"), join(dir, "build.mjs")); // nobody may not look into root's home
  fake("dpkg-query", 'echo "gcc installed"');
  fake("sudo", "exit 1");
  fake("apt-get", `touch ${dir}/called`);
  const nobody =
    process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] : ["env"];
  const words = [...nobody.slice(1), process.execPath, join(dir, "build.mjs"), ...args];
  const run = startProgram(nobody[0] as string, words, { PATH: `${dir}:${process.env.PATH}` });
  assert.is((await run.ended).code, 3, run.text());
  rmSync(dir, { recursive: true });
  return run.text();
}

test("packages missing and no root: the command to type, and nothing done", async () => {
  const text = await withoutPackages("setup");
  assert.match(text, /^ {2}qemu-system-x86 /m);
  assert.match(
    text,
    /Type:\n {2}sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends .*libxen-dev/,
  );
  assert.not.match(text, /recommends gcc/);
});

test("what Xen with FLASK is built with is asked for by the demo, but not by the one on Debian's own Xen", async () => {
  assert.match(await withoutPackages("start"), /^ {2}checkpolicy /m);
  assert.not.match(await withoutPackages("start", "--stock"), /checkpolicy/);
});

test("two demos at once are refused, before anything is built", async () => {
  const run = glovebox("start", "--flask", "--stock");
  assert.is((await run.ended).code, 1);
  assert.match(run.text(), /--flask and --stock are two demos: choose one/);
});

test("npx in a checkout: a verb that compiles nothing asks for no Debian package", async () => {
  const dir = mkdtempSync(join(tmpdir(), "glovebox-"));
  writeFileSync(join(dir, "dpkg-query"), `#!/bin/sh\ntouch ${dir}/called\nexit 1\n`, { mode: 0o755 });
  const env = { PATH: `${dir}:${process.env.PATH}`, npm_config_cache: join(dir, "npm"), npm_config_offline: "true" };
  const run = startProgram("npx", ["glovebox", "check", join(dir, "none.wasm")], env);
  assert.is((await run.ended).code, 1, run.text());
  assert.match(run.text(), /^glovebox: there is no file .*none\.wasm$/m);
  assert.not(existsSync(join(dir, "called")), run.text());
  rmSync(dir, { recursive: true });
});

test.run();
