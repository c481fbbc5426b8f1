// SPDX-License-Identifier: MIT
//
// Files that `sim`, `replay` and `minimize` cannot play are wrong usage (exit code 2), told in one line; 1 is left for
// what they found.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inProject } from "../../host/pipeline/paths.js";

const folder = mkdtempSync(join(tmpdir(), "glovebox-bad-"));
const at = (name: string, bytes: string): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};

const CASES: readonly (readonly [verb: string, path: string, words: RegExp])[] = [
  ["sim", join(folder, "none.txt"), /there is no file/],
  ["sim", at("words.txt", "guest a puppet\nnobody knows this\n"), /words\.txt.*2.*no step and no guest/],
  ["sim", at("time.txt", "time soon\n"), /"soon" is no time/],
  ["replay", join(folder, "none.gbt"), /there is no file/],
  ["replay", at("empty.gbt", ""), /empty\.gbt/],
  ["replay", at("bytes.gbt", "\u0001".repeat(300)), /bytes\.gbt/],
  ["minimize", at("other.gbt", "no trace"), /other\.gbt/],
];

for (const [verb, path, words] of CASES) {
  test(`${verb} ${path.slice(folder.length + 1)}`, () => {
    const { status, stderr } = spawnSync(process.execPath, [inProject("build/host/glovebox.mjs"), verb, path], {
      encoding: "utf8",
    });
    assert.is(status, 2, stderr);
    assert.match(stderr, words);
    assert.is(stderr.trim().split("\n").length, 1);
  });
}

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
