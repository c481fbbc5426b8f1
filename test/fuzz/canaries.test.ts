// SPDX-License-Identifier: MIT
//
// Every planted bug is found, within a number of executions that one seed needs: no clock decides. And nothing is found
// where nothing is planted. Several seeds and times are the bench's: `node build.mjs bench --only canaries`.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { canaryCore, canaryModule } from "../../host/fuzz/canaries/build.js";
import { huntCore, huntModule } from "../../host/fuzz/canaries/hunt.js";
import { CORE_CANARIES, MODULE_CANARIES } from "../../host/fuzz/canaries/list.js";

const SEED = 1;
const EXECUTIONS = 1_500_000;
const SOUND_EXECUTIONS = 300_000;
/** One with which no core takes long: an input of the core is a thousand times as dear as one of a module. */
const CORE_SEED = 3;
const CORE_EXECUTIONS = 2000;
const SOUND_CORE_EXECUTIONS = 300;
const NO_CLOCK = Number.POSITIVE_INFINITY;

test("there are twenty at least, five of the core, no two of one name", () => {
  const names = [...MODULE_CANARIES, ...CORE_CANARIES].map((one) => one.name);
  assert.ok(names.length >= 20 && CORE_CANARIES.length >= 5);
  assert.is(new Set(names).size, names.length);
});

for (const canary of MODULE_CANARIES) {
  test(`module: ${canary.name}`, async () => {
    const limits = { executions: EXECUTIONS, cpuSeconds: NO_CLOCK };
    const { story } = await huntModule(await canaryModule(canary), SEED, limits);
    assert.ok(story !== undefined, `not found in ${EXECUTIONS} executions`);
  });
}

for (const canary of CORE_CANARIES) {
  test(`core: ${canary.name}`, async () => {
    const limits = { executions: CORE_EXECUTIONS, cpuSeconds: NO_CLOCK };
    const { story, checker } = await huntCore(await canaryCore(canary), CORE_SEED, limits);
    assert.ok(story !== undefined, `not found in ${CORE_EXECUTIONS} executions`);
    assert.ok(canary.checkers.includes(checker ?? ""), story);
  });
}

for (const folder of ["device", "memory"] as const) {
  test(`nothing is found in the sound ${folder}`, async () => {
    const file = await canaryModule({ folder, bug: 0 });
    const { story } = await huntModule(file, SEED, { executions: SOUND_EXECUTIONS, cpuSeconds: NO_CLOCK });
    assert.is(story, undefined);
  });
}

test("nothing is found in the sound core", async () => {
  const limits = { executions: SOUND_CORE_EXECUTIONS, cpuSeconds: NO_CLOCK };
  assert.is((await huntCore(await canaryCore(), CORE_SEED, limits)).story, undefined);
});

test.run();
