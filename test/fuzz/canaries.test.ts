// SPDX-License-Identifier: MIT
//
// Every planted bug is found, within a number of executions that one seed needs: no clock decides. And nothing is found
// where nothing is planted.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { canaryMachine, canaryModule } from "../../host/fuzz/canaries/build.js";
import { huntCore, huntModule } from "../../host/fuzz/canaries/hunt.js";
import { CORE_CANARIES, MODULE_CANARIES } from "../../host/fuzz/canaries/list.js";

const SEED = 1;
const EXECUTIONS = 1_500_000;
const SOUND_EXECUTIONS = 300_000;
const CORE_EXECUTIONS = 1500;
const SOUND_CORE_EXECUTIONS = 150;

test("there are twenty at least, no two of one name", () => {
  const names = [...MODULE_CANARIES, ...CORE_CANARIES].map((one) => one.name);
  assert.ok(names.length >= 20);
  assert.is(new Set(names).size, names.length);
});

for (const canary of MODULE_CANARIES) {
  test(`module: ${canary.name}`, async () => {
    const executions = canary.executions ?? EXECUTIONS;
    const { story } = await huntModule(await canaryModule(canary), SEED, { executions, cpuSeconds: 600 });
    assert.ok(story !== undefined, `not found in ${executions} executions`);
  });
}

for (const canary of CORE_CANARIES) {
  test(`core: ${canary.name}`, async () => {
    const limits = { executions: CORE_EXECUTIONS, cpuSeconds: 600 };
    const { story, checker } = huntCore(await canaryMachine(canary), SEED, limits);
    assert.ok(story !== undefined, `not found in ${CORE_EXECUTIONS} executions`);
    assert.ok(canary.checkers.includes(checker ?? ""), story);
  });
}

for (const folder of ["device", "memory"] as const) {
  test(`nothing is found in the sound ${folder}`, async () => {
    const file = await canaryModule({ folder, bug: 0 });
    const { story } = await huntModule(file, SEED, { executions: SOUND_EXECUTIONS, cpuSeconds: 600 });
    assert.is(story, undefined);
  });
}

test("nothing is found in the sound core", async () => {
  const limits = { executions: SOUND_CORE_EXECUTIONS, cpuSeconds: 600 };
  assert.is(huntCore(await canaryMachine(), SEED, limits).story, undefined);
});

test.run();
