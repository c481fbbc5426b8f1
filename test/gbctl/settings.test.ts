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
  await fails(["set", "demo", `weight=${"4".repeat(230)}`], { scenario: RUNNING }, 2, /too many words/);
  const all = ["weight=1000", "cap=100", "priority=normal", "exec-quantum-us=1000000", "preempt-timeout-us=10000000"];
  all.push("period-us=10000000", "runtime-us=9000000");
  const whole = `${RUNNING}on request set 2 0 ${all.join(" ")} :: reply ok weight=1000\n`;
  assert.is((await run(["set", "demo", "0", ...all], { scenario: whole })).code, 0, "all seven words in one request");
  const sum = "deadline cannot be met: runtime-us=9000 and 100 us to switch, of period-us=10000, are 91.00 %";
  const late = `${RUNNING}on request set 2 0 period-us=10000 :: reply error ${sum}, limit 95.00 %\n`;
  await fails(["set", "demo", "period-us=10000", "runtime-us=9000"], { scenario: late }, 1, /are 91\.00 %, limit 95/);
  await fails(["set", "nobody", "weight=4"], { scenario: RUNNING }, 3, /no domain with the name or number "nobody"/);
  await fails(["set", "demo", "3", "weight=4"], { scenario: RUNNING }, 3, /guest 2 has no vGPU 3/);
});

settings("policy", async () => {
  const scenario = `${RUNNING}on request policy :: reply ok policy=deadline deadlines=0 promised_ppm=0\n`;
  const good = await run(["policy", "deadline"], { scenario });
  assert.is(good.stdout, "policy\tdeadline\ndeadlines\t0\npromised_ppm\t0\n");
  assert.match(good.stderr, /no vGPU has a deadline yet/);
  assert.is((await run(["policy"], { scenario })).stderr, "");
  const names = /no such policy: "fastest", there are best-effort, equal-share, fixed-share, weighted, deadline/;
  await fails(["policy", "fastest"], { scenario }, 2, names);
});

settings("policy with words of a vGPU: both or none", async () => {
  const words = ["deadline", "demo", "period-us=16667", "runtime-us=6000"];
  const set = "on request set 2 0 period-us=16667 runtime-us=6000 :: reply";
  const scenario = `${RUNNING}${set} ok weight=1\non request policy deadline :: reply ok policy=deadline deadlines=1\n`;
  const good = await run(["policy", ...words], { scenario });
  assert.is(good.stdout, "policy\tdeadline\ndeadlines\t1\n");
  assert.is(good.stderr, "");
  const bad = await fails(["policy", ...words], { scenario: `${RUNNING}${set} error too much\n` }, 1, /too much/);
  assert.match(bad.nodes.get(`${DD}/request`) ?? "", / set 2 0 /, "the policy was not asked for");
  await fails(["policy", "deadline", "demo"], { scenario }, 2, /too few words/);
  await fails(["policy", "quick", ...words.slice(1)], { scenario }, 2, /no such policy: "quick"/);
});

settings("reset", async () => {
  const good = await run(["reset", "demo"], { scenario: `${RUNNING}on request reset 2 0 :: reply ok\n` });
  assert.is(good.code, 0, good.stderr);
  const bad = `${RUNNING}on request reset 2 0 :: reply error lost again in reset\n`;
  await fails(["reset", "demo"], { scenario: bad }, 1, /reset 2 0: lost again in reset/);
});
settings.run();
