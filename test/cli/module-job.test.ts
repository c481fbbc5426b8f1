// SPDX-License-Identifier: MIT
//
// Who reads a vendor's file may not take the machine with it: processor time, memory and time on the clock end for
// the job and for what it starts, and the verb says so in words.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { PROCESS_LIMITS, type ProcessLimits, underLimits } from "../../host/cli/module-job.js";
import { inProject } from "../../host/pipeline/paths.js";

const SPIN = "for (;;) {}";
const TAKE = "Buffer.alloc(Number(process.argv[1]) * 1048576, 1); console.log('taken')";
const node = (text: string, ...words: string[]): string[] => [process.execPath, "-e", text, ...words];

function run(command: string[], limits?: ProcessLimits) {
  const [program = "", ...words] = underLimits(command, limits);
  const { status, signal, stdout } = spawnSync(program, words, { encoding: "utf8", timeout: 60_000 });
  return { status, signal, stdout };
}

const isKilled = (signal: string | null): boolean => signal === "SIGKILL" || signal === "SIGXCPU";

test("a job that spins ends with its processor time", () => {
  const { signal } = run(node(SPIN), { ...PROCESS_LIMITS, cpuSeconds: 1 });
  assert.ok(isKilled(signal), `${signal}`);
});

test("so does what a job starts", () => {
  const child = `const { signal } = require("node:child_process").spawnSync(process.execPath, ["-e", "${SPIN}"]);
    console.log(signal)`;
  const { stdout } = run(node(child), { ...PROCESS_LIMITS, cpuSeconds: 2 });
  assert.ok(isKilled(stdout.trim()), stdout);
});

test("a job gets memory, but not more than its limit", () => {
  const limits = { ...PROCESS_LIMITS, dataMib: 1024 };
  assert.is(run(node(TAKE, "64"), limits).stdout, "taken\n");
  const { status, signal, stdout } = run(node(TAKE, "1200"), limits);
  assert.is(stdout, "");
  assert.ok(status !== 0 || signal !== null);
});

test("the limits are those that the table of the threat model gives", () => {
  assert.equal(PROCESS_LIMITS, { cpuSeconds: 200, dataMib: 3072 });
  const shown = run(["sh", "-c", "ulimit -t; ulimit -d"]).stdout;
  assert.is(shown, `200\n${3072 * 1024}\n`);
});

test("check refuses in words what needs too much of either", () => {
  const home = mkdtempSync(join(tmpdir(), "glovebox-test-job-"));
  const glovebox = (words: string, env: Record<string, string>) =>
    spawnSync(process.execPath, [inProject("build/host/glovebox.mjs"), ...words.split(" ")], {
      cwd: home,
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
  try {
    assert.is(glovebox("new module job", {}).status, 0);
    for (const env of [{ GLOVEBOX_JOB_CPU_SECONDS: "0" }, { GLOVEBOX_JOB_MIB: "128" }]) {
      const { status, stderr } = glovebox("check job", env);
      assert.is(status, 1, JSON.stringify(env));
      assert.match(stderr, /job: refused: what looked at it ended with .*; it may take \d+ s and \d+ MiB/);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test.run();
