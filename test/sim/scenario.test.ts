// SPDX-License-Identifier: MIT
//
// Scenarios: the format's edges, the one in the tree that both worlds run, expectations that fail, steps that do not
// exist; each by line.

import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inProject } from "../../host/pipeline/paths.js";
import { durationOf, numberOf, parseScenario } from "../../host/sim/scenario/parse.js";
import { runScenarioText } from "../../host/sim/scenario/run.js";
import { treeMachine } from "../../host/sim/tree.js";
import { options } from "./machine.js";

const run = (text: string) => runScenarioText(options(), "test", parseScenario("test", text));
const answers = (text: string) => run(text).lines.map((one) => one.answer);

test("lines, comments, expectations", () => {
  const steps = parseScenario("x", "# all\n\nguest a vcpus=2   # one\na read 0x10 4 = 0x1\nerror a 0 ~ ^gu.st\n");
  assert.equal(
    steps.map((one) => [one.line, one.words.join(" ")]),
    [
      [3, "guest a vcpus=2"],
      [4, "a read 0x10 4"],
      [5, "error a 0"],
    ],
  );
  assert.equal(steps[1]?.expect, { is: "0x1" });
  assert.throws(() => parseScenario("x", "a b ~ (\n"), /x: line 1: "\(" is no regular expression/);
  assert.throws(() => parseScenario("x", `\n${"y".repeat(2000)}`), /x: line 2: 2000 characters, limit 1024/);
});

test("numbers and times", () => {
  assert.is(numberOf("0x1f"), 31n);
  assert.is(durationOf("250ms"), 250_000_000n);
  assert.is(durationOf("7"), 7n);
  assert.throws(() => numberOf("0x"), /is no number/);
  assert.throws(() => durationOf("5min"), /is no time/);
});

test("a guest, its device, requests, faults, death; all checkers on", () => {
  const log = run(`guest a puppet
state a 0 = ready
a setup
a read 0xe0000000 4 = 0x0
fail ioreq_range_map 1
attach a 1 module=puppet guest=pvh slot=3
error a 1 ~ slot 3 not claimed, error -12
panic guest_populate 1
attach a 2 module=puppet guest=pvh slot=4
a setup
state a 2 ~ lost|ready
time 1s
request stat a 0 ~ ^ok module=puppet
pause a
unpause a
die a
node state = ready
`);
  assert.equal([log.failed, log.breach], [0, undefined]);
});

test("what is not as expected is told by line; a checker's words end the run", () => {
  const log = run("guest a puppet\nstate a 0 = lost\n");
  assert.is(log.failed, 1);
  assert.equal(log.lines[1], { line: 2, step: "state a 0", answer: "ready", wrong: "lost" });
});

test("steps, guests and commands that do not exist are refused by line", () => {
  for (const [text, words] of [
    ["dance a", /test: line 1: no step and no guest is called "dance"/],
    ["state a 0", /test: line 1: no guest is called "a"/],
    ["guest a puppet\na sing 1", /test: line 2: guests know no command "sing"/],
    ["guest a puppet\na read x 4", /test: line 2: "x" is no number/],
    ["guest A", /a guest's name is a word of small letters/],
  ] as const) {
    assert.throws(() => run(text), words);
  }
  assert.is(answers("guest a puppet\na read 5")[1], "1 failed: read: too few numbers");
});

test("the scenario that a real Xen runs, too (test/xen/conformance.test.ts)", async () => {
  const path = "host/sim/scenarios/conformance.txt";
  const steps = parseScenario(path, readFileSync(inProject(path), "utf8"));
  const log = runScenarioText(await treeMachine(), path, steps);
  assert.equal(
    log.lines.filter((one) => one.wrong !== undefined),
    [],
  );
  assert.is(log.breach, undefined);
  assert.ok(log.lines.length > 100);
});

test.run();
