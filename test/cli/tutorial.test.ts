// SPDX-License-Identifier: MIT
//
// docs/TUTORIAL.md as written: every command of its `sh` blocks, one shell, one empty folder, in order.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inProject } from "../../host/pipeline/paths.js";

test("the tutorial's commands do what it says", () => {
  const text = readFileSync(inProject("docs/TUTORIAL.md"), "utf8");
  const commands = [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block).join("");
  assert.ok(commands.split("\n").length > 10);
  const cwd = mkdtempSync(join(tmpdir(), "glovebox-tutorial-"));
  try {
    const program = inProject("build/host/glovebox.mjs");
    const script = `set -e\nglovebox() { "${process.execPath}" "${program}" "$@"; }\n${commands}`;
    const { status, stdout, stderr } = spawnSync("sh", ["-c", script], { cwd, encoding: "utf8" });
    assert.is(status, 0, stderr);
    assert.match(stdout, /my-c-device 0\.1\.0 keeps to module ABI 1/);
    for (const name of ["glovebox.elf", "modules.img", "glovebox.cfg"]) assert.ok(existsSync(join(cwd, "out", name)));
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
});

test.run();
