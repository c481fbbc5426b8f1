// SPDX-License-Identifier: MIT
//
// docs/TUTORIAL.md as written, but for its last command, which boots a machine (test/xen/tutorial.test.ts).

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { tutorialBoots, tutorialCommands, type } from "./tutorial.js";

test("the tutorial's commands do what it says", async () => {
  const commands = tutorialCommands();
  assert.ok(commands.length >= 10);
  assert.is(tutorialBoots().length, 1);
  const cwd = mkdtempSync(join(tmpdir(), "glovebox-tutorial-"));
  try {
    const { status, stdout, stderr } = await type(commands, cwd);
    assert.is(status, 0, stderr);
    assert.match(stdout, /my-c-device 0\.1\.0 keeps to module ABI 1/);
    for (const name of ["glovebox.elf", "modules.img", "glovebox.cfg"]) assert.ok(existsSync(join(cwd, "out", name)));
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
});

test.run();
