// SPDX-License-Identifier: MIT
//
// Running xl: an xl that is ended in the middle of making a domain leaves one without a name behind. So it may come to
// its end when gbctl's own time is up, and is ended only when it does not.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BUILD, fromRoot } from "../../host/lab/paths.js";

/** native/dom0/gbctl/gbctl.h */
const GB_TIMED_OUT = Number(
  /GB_TIMED_OUT = (\d+)/.exec(readFileSync(fromRoot("native/dom0/gbctl/gbctl.h"), "utf8"))?.[1],
);
const GRACE_MS = 3000;
const folder = mkdtempSync(join(tmpdir(), "glovebox-xl-"));
const program = join(BUILD, "test-gbctl/xl_main");
test.after(() => rmSync(folder, { recursive: true, force: true }));

mkdirSync(join(BUILD, "test-gbctl"), { recursive: true });
const sources = ["test/gbctl/xl_main.c", "native/dom0/gbctl/xl.c", "native/dom0/gbctl/clock.c"].map((one) =>
  fromRoot(one),
);
const flags = ["-std=gnu11", "-g", "-Wall", "-Wextra", "-Werror", `-DXL_GRACE_MS=${GRACE_MS}`];
execFileSync("gcc", [...flags, "-iquote", fromRoot("native/dom0/gbctl"), ...sources, "-o", program]);

/** gbctl's xl_run() with a program of our own as xl. */
function xlRun(script: string, milliseconds: number) {
  writeFileSync(join(folder, "xl"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  rmSync(join(folder, "made"), { force: true });
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const { status, stdout } = spawnSync(program, [String(milliseconds)], { cwd: folder, encoding: "utf8", env });
  return { status, stdout, isMade: existsSync(join(folder, "made")) };
}

test("one that ends in time", () => {
  const { status, stdout, isMade } = xlRun("echo made >made", 20_000);
  assert.equal([status, stdout, isMade], [0, "", true]);
});

test("one that fails says why, on one line", () => {
  const { status, stdout } = xlRun("echo no memory; echo at all >&2; exit 3", 20_000);
  assert.is(status, 1);
  assert.is(stdout, "xl create failed (exit code 3): no memory;at all\n");
});

test("one that takes longer comes to its end all the same, and the time was up", () => {
  const { status, stdout, isMade } = xlRun("sleep 1; echo made >made", 100);
  assert.equal([status, isMade], [GB_TIMED_OUT, true]);
  assert.is(stdout, "xl create did not end within 1 s\n");
});

test("one that never ends is ended", () => {
  const { status, isMade } = xlRun("sleep 1000 & echo $! >sleeper; wait; echo made >made", 100);
  process.kill(Number(readFileSync(join(folder, "sleeper"), "utf8")));
  assert.equal([status, isMade], [GB_TIMED_OUT, false]);
});

test.run();
