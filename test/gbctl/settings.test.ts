// SPDX-License-Identifier: MIT
//
// gbctl set, policy, reset, quarantine, release: the driver domain is asked, and its refusal is told.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DD, fails, RUNNING, run } from "./support.js";

const settings = suite("gbctl set, policy, reset, quarantine");

settings("quarantine and release: the domain is asked, its refusal is told, list shows why", async () => {
  const good = `${RUNNING}on request quarantine 2 :: reply ok\non request lift 2 :: reply ok\n`;
  assert.is((await run(["quarantine", "demo"], { scenario: good })).code, 0);
  assert.is((await run(["release", "demo"], { scenario: good })).code, 0);
  const bad = `${RUNNING}on request lift 2 :: reply error guest 2 is not in quarantine\n`;
  await fails(["release", "demo"], { scenario: bad }, 1, /lift 2: guest 2 is not in quarantine/);
  await fails(["release", "nobody"], { scenario: good }, 3, /nobody/);
  const confined = `${RUNNING}node ${DD}/quarantine/2 8 faults within 60000 ms\n`;
  const text = (await run(["list"], { scenario: confined })).stdout;
  assert.match(text, /glovebox-demo +1 +ready +demo +2 +- +quarantine +8 faults within 60000 ms/);
  const [driver] = JSON.parse((await run(["list", "--json"], { scenario: confined })).stdout);
  assert.is(driver.guests[0].quarantine, "8 faults within 60000 ms");
  assert.is(
    JSON.parse((await run(["list", "--json"], { scenario: RUNNING })).stdout)[0].guests[0].quarantine,
    undefined,
  );
});

settings("set", async () => {
  const scenario = `${RUNNING}on request set 2 0 weight=4 cap=50 :: reply ok policy=weighted weight=4 cap=50\n`;
  const good = await run(["set", "demo", "weight=4", "cap=50", "--json"], { scenario });
  assert.equal(JSON.parse(good.stdout), { policy: "weighted", weight: 4, cap: 50 });
  const bad = `${RUNNING}on request set 2 0 cap=101 :: reply error cap=101: must be 1 to 100\n`;
  await fails(["set", "demo", "0", "cap=101"], { scenario: bad }, 1, /cap=101: must be 1 to 100/);
  await fails(["set", "demo", "0"], { scenario: RUNNING }, 2, /too few words/);
  await fails(["set", "demo", "0", "weight"], { scenario: RUNNING }, 2, /"weight": must be WORD=VALUE/);
  await fails(["set", "demo", "a=1 reset 2 0"], { scenario: RUNNING }, 2, /must be WORD=VALUE/);
  await fails(["set", "demo", `weight=${"4".repeat(100)}`], { scenario: RUNNING }, 2, /too many words/);
});

settings("policy", async () => {
  const scenario = `${RUNNING}on request policy deadline :: reply ok policy=deadline\n`;
  const good = await run(["policy", "deadline"], { scenario });
  assert.is(good.stdout, "policy\tdeadline\n");
  const bad = `${RUNNING}on request policy fastest :: reply error no such policy: "fastest", there are weighted\n`;
  await fails(["policy", "fastest"], { scenario: bad }, 3, /no such policy/);
});

settings("reset", async () => {
  const good = await run(["reset", "demo"], { scenario: `${RUNNING}on request reset 2 0 :: reply ok\n` });
  assert.is(good.code, 0, good.stderr);
  const bad = `${RUNNING}on request reset 2 0 :: reply error lost again in reset\n`;
  await fails(["reset", "demo"], { scenario: bad }, 1, /reset 2 0: lost again in reset/);
});
settings.run();
