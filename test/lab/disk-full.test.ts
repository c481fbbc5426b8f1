// SPDX-License-Identifier: MIT
//
// A disk with next to no room: the message says so and names the place, nothing half-made stays.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { startProgram } from "./process.js";

/** In a mount namespace of its own, so that the small disk is nobody else's. */
const SCRIPT = `
mount -t tmpfs -o size=4m small "$1" || exit 77
node build.mjs lab hello
echo "code $?"
find "$1" -name 'tmp-*' -o -name '*.partial'
echo "listed"
`;

test("a cache on a full disk", async () => {
  const dir = mkdtempSync(join(tmpdir(), "glovebox-"));
  const words = ["--mount", "--", "sh", "-c", SCRIPT, "sh", dir];
  const run = startProgram("unshare", words, { GLOVEBOX_CACHE: join(dir, "cache") });
  const { code } = await run.ended;
  rmSync(dir, { recursive: true });
  if (code === 77 || code === 1) {
    process.stdout.write("(not root: cannot mount a small disk; not tried)\n");
    return;
  }
  assert.match(run.text(), /^glovebox: no space left on the disk that holds .*cache/m);
  assert.match(run.text(), /^code 1\nlisted$/m);
});

test.run();
