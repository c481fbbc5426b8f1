// SPDX-License-Identifier: MIT
//
// De-privileged: a driver domain that tries what docs/THREAT_MODEL.md says it must not do (test/probe) is refused each
// time, in the way that the document says, and serves its guest as before. The rows that must be allowed keep the
// others honest: they run the same code on what the domain may touch.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BUILD } from "../../host/lab/paths.js";
import { guestLog, readOutput, type ScenarioResult } from "../../host/lab/scenario.js";
import { ALLOWED, documentedRows } from "../probe/table.js";
import { beforeAll } from "./before-all.js";
import { answersOf, logOf, runProbes, TARGETS_OWN } from "./privilege.js";

const REFUSALS_MIN = 30; // of the issue; there are many more
const CONTROLS_MIN = 10;
const test = suite("privilege");
let result: ScenarioResult;
/** Row -> answers, in the document's words. */
let answers: Map<string, string[]>;

beforeAll(test, async () => {
  result = await runProbes("privilege");
  answers = answersOf(result, "glovebox-probe");
});

test("the scenario ran to its end", () => assert.is(result.exitCode, 0, result.failure));

test("there is enough to try, and enough that must work", () => {
  const controls = documentedRows().filter((row) => row.answer === ALLOWED);
  assert.ok(controls.length >= CONTROLS_MIN, `${controls.length} controls`);
  assert.ok(documentedRows().length - controls.length >= REFUSALS_MIN);
});

for (const { name, answer } of documentedRows()) {
  test(`${name}: ${answer}`, () => assert.equal(answers.get(name), [answer]));
}

test("nothing else was tried, and no line was lost", () => {
  const known = new Set(documentedRows().map((row) => row.name));
  assert.equal(
    [...answers.keys()].filter((name) => !known.has(name)),
    [],
  );
  const end = /^PROBES end after (\d+)/m.exec(logOf(result, "glovebox-probe"));
  assert.is(Number(end?.[1]), known.size);
});

test("all domains outlived it", () => {
  for (const name of ["Domain-0", "target", "other", "glovebox-probe"])
    assert.match(readOutput(result, "during.txt"), new RegExp(`^${name} `, "m"));
});

test("the probes can tell: on a target the same requests go through", () => {
  const onTarget = answersOf(result, "glovebox-victim");
  assert.equal(
    TARGETS_OWN.filter((name) => onTarget.get(`${name}@other`)?.join() !== ALLOWED),
    [],
  );
  const refused = new Map(documentedRows().map((row) => [row.name, row.answer]));
  assert.equal(
    TARGETS_OWN.filter((name) => (refused.get(`${name}@other`) ?? ALLOWED) === ALLOWED),
    [],
  );
});

test("the shipped image has none of it", () => {
  const probes = (name: string): boolean => readFileSync(join(BUILD, "unikernel", name)).includes("PROBE ");
  assert.ok(probes("glovebox-probe.elf"));
  assert.not.ok(probes("glovebox.elf"));
});

test("the domain serves its guest afterwards", () => {
  assert.match(guestLog(result, "target"), "REGS 0x47425246");
  assert.match(guestLog(result, "target"), "REGS 0x4d"); // the seed, 77
  const stat = JSON.parse(readOutput(result, "guest.json"));
  assert.is(stat.state, "ready");
  assert.ok(stat.mmio_reads >= 2, JSON.stringify(stat));
});

test.run();
