// SPDX-License-Identifier: MIT
//
// The soak, a few seconds of it; `node build.mjs lab soak` is the ten minutes (docs/SOAK.md).

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runScenario } from "../../host/lab/scenario.js";
import { readSoak, type SoakReport, soak } from "../../host/lab/scenarios/soak.js";
import { beforeAll } from "./before-all.js";

const SECONDS = 8;
const SEED = Number(process.env.GLOVEBOX_SEED ?? Math.floor(Math.random() * 0x7fffffff));
const test = suite("soak on Xen");
let report: SoakReport;

beforeAll(test, async () => {
  console.log(`seed ${SEED} (GLOVEBOX_SEED=${SEED} does the same again)`);
  const result = await runScenario(soak({ seed: SEED, seconds: SECONDS, icount: true }));
  assert.is(result.exitCode, 0, result.failure);
  report = readSoak(result);
});

test("nothing was wrong", () => assert.equal(report.faults, [], `seed ${SEED}`));

test("something was done", () => {
  assert.is(report.seed, SEED);
  assert.ok(report.operations > 500, `${report.operations} operations`);
  assert.ok(report.interrupts > 0);
  assert.ok(Number(report.display.traps) > 0);
});

test.run();
