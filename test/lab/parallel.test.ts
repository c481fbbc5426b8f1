// SPDX-License-Identifier: MIT
//
// Two machines side by side do not know of each other.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { readOutput, runScenario } from "../../host/lab/scenario.js";

test("two runs at once keep their own files", async () => {
  const run = (word: string) => runScenario({ name: "parallel", dom0Script: `echo ${word} >$OUT/word; sleep 2\n` });
  const [a, b] = await Promise.all([run("one"), run("two")]);
  assert.is.not(a.dir, b.dir);
  assert.is(readOutput(a, "word").trim(), "one");
  assert.is(readOutput(b, "word").trim(), "two");
});

test.run();
