// SPDX-License-Identifier: MIT
//
// Steps of a scenario become stages: in order, skipping allowed, and an error reaches the one that runs.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { Stages } from "../../../host/cli/stages.js";

test("a later stage ends the earlier ones", async () => {
  const stages = new Stages(["boot", "guest", "draw"]);
  assert.equal(stages.enter("loading"), { stage: 0, text: "loading" });
  assert.equal(stages.enter("draw: at once"), { stage: 2, text: "at once" });
  await stages.wait(0);
  await stages.wait(1);
  assert.equal(stages.enter("guest: too late"), { stage: 2, text: "too late" });
  stages.finish();
  await stages.wait(2);
});

test("the running stage takes the error", async () => {
  const stages = new Stages(["boot", "guest"]);
  stages.enter("guest: starts");
  stages.fail(new Error("gone"));
  await stages.wait(0);
  const error = await stages.wait(1).catch((caught: Error) => caught);
  assert.is((error as Error).message, "gone");
});

test.run();
