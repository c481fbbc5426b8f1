// SPDX-License-Identifier: MIT
//
// What `fuzz --core` found in our own core, made short: each kept file plays from beginning to end with all checkers on
// and finds nothing any more. The file's story says what it found once.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inProject } from "../../host/pipeline/paths.js";
import { fuzzMachine } from "../../host/sim/fuzz/machine.js";
import { isInput, replayInput } from "../../host/sim/replay/input.js";
import { decodeTrace } from "../../host/trace/index.js";

const FOLDER = inProject("test/corpus/core");
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith(".gbt"));
const machine = await fuzzMachine();

for (const name of NAMES) {
  test(`${name} finds nothing any more`, () => {
    const trace = decodeTrace(name, readFileSync(join(FOLDER, name)));
    assert.ok(isInput(trace) && trace.story !== "", "an input of fuzz --core with its story");
    const replay = replayInput(machine, trace);
    assert.is(replay.difference, undefined);
  });
}

test("there are kept files", () => {
  assert.ok(NAMES.length >= 2, `${NAMES.length} files`);
});

test.run();
