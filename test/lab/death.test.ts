// SPDX-License-Identifier: MIT
//
// Scenarios that go wrong: each end has its words, names the step and the log, and keeps what can be kept.

import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readOutput, runScenario, ScenarioError, type ScenarioOptions } from "../../host/lab/scenario.js";

async function death(options: ScenarioOptions): Promise<ScenarioError> {
  const error = await runScenario(options).catch((caught: unknown) => caught);
  assert.instance(error, ScenarioError, String(error));
  return error as ScenarioError;
}

test("a script that fails says why, and the logs are there", async () => {
  const dom0Script = 'step "trying"\nwait_for 1 false || fail "it is false"\n';
  const result = await runScenario({ name: "fails", dom0Script });
  assert.is(result.exitCode, 1);
  assert.is(result.failure, "it is false");
  assert.is(result.lastStep, "trying");
  assert.match(readOutput(result, "xl-list.txt"), "Domain-0");
});

test("Dom0 panics: the last lines, the step and the log's path", async () => {
  const dom0Script = 'step "poking"\nsleep 1\necho c >/proc/sysrq-trigger\nsleep 60\n';
  const error = await death({ name: "panics", dom0Script, timeoutMs: 120_000 });
  assert.is(error.step, "poking");
  assert.match(error.message, /^scenario panics died in the step "poking": .*Kernel panic/);
  assert.match(error.message, /\n {2}\| .*sysrq/);
  assert.match(error.message, error.consoleLog);
  assert.match(readFileSync(error.consoleLog, "utf8"), "Kernel panic");
});

test("the time limit: Dom0 hands over its logs first", async () => {
  const dom0Script = 'step "waiting for ever"\nwhile :; do sleep 1; done\n'; // no time is long where idling is skipped
  const error = await death({ name: "hangs", dom0Script, timeoutMs: 40_000 });
  assert.is(error.step, "waiting for ever");
  assert.match(error.message, "time limit of 40 s");
  assert.ok(existsSync(join(dirname(error.consoleLog), "outputs/xl-dmesg.txt")));
});

test("files that do not fit on their disk are refused, with both sizes, before anything starts", async () => {
  const dir = mkdtempSync(join(tmpdir(), "glovebox-"));
  writeFileSync(join(dir, "big"), "");
  truncateSync(join(dir, "big"), 300 << 20);
  const error = await runScenario({ name: "big", dom0Script: "", files: { big: join(dir, "big") } }).catch((e) => e);
  rmSync(dir, { recursive: true });
  assert.match((error as Error).message, /^the scenario's files take 300 MiB, their disk holds 256$/);
});

test("a file that was not built is named before anything starts", async () => {
  const error = await runScenario({ name: "lacks", dom0Script: "", files: { x: "/no/such/file" } }).catch(
    (e: Error) => e,
  );
  assert.match((error as Error).message, "/no/such/file is not there");
});

test.run();
