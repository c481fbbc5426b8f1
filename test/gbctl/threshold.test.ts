// SPDX-License-Identifier: MIT
//
// gbctl threshold: the table, what each guest has counted, and changes; and what followed, in list.

import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fromRoot } from "../../host/lab/paths.js";
import { DD, fails, RUNNING, run } from "./support.js";

const threshold = suite("gbctl threshold");

const TABLE = "faults=8:quarantine doorbell_storms=20:throttle window_ms=60000 storm_ms=10";
const WHY = "throttled: 20 doorbell_storms within 60000 ms";
const BOOK = `on request book 2 :: reply ok state=throttled faults=1 doorbell_storms=23 warnings=1 why="${WHY}"\n`;
const ASKED = `${RUNNING}on request threshold :: reply ok ${TABLE}\n${BOOK}`;

threshold("without words: the table, counts by guest, and what followed", async () => {
  const text = (await run(["threshold"], { scenario: ASKED })).stdout;
  assert.match(text, /^threshold +limit:action +demo\nfaults +8:quarantine +1 +\n/);
  assert.match(text, /\ndoorbell_storms +20:throttle +23 +\nwindow_ms +60000 +\n/);
  assert.match(text, new RegExp(`\\nguest 2 \\(demo\\): throttled: ${WHY}\\n$`));
  const told = JSON.parse((await run(["threshold", "--json"], { scenario: ASKED })).stdout);
  assert.equal(told.thresholds, {
    faults: "8:quarantine",
    doorbell_storms: "20:throttle",
    window_ms: 60000,
    storm_ms: 10,
  });
  const counts = { state: "throttled", faults: 1, doorbell_storms: 23, warnings: 1, why: WHY };
  assert.equal(told.guests, [{ name: "demo", domid: 2, ...counts }]);
});

threshold("words go to the domain, whose refusal is told", async () => {
  const set = "threshold faults=3:warn window_ms=1000";
  const scenario = `${RUNNING}on request ${set} :: reply ok faults=3:warn\n${BOOK}`;
  const good = await run(["threshold", "faults=3:warn", "window_ms=1000"], { scenario });
  assert.is(good.code, 0, good.stderr);
  assert.match(good.stdout, /\nfaults +3:warn /);
  const bad = `${RUNNING}on request threshold :: reply error "window_ms=0": must be faults|...\n`;
  await fails(["threshold", "window_ms=0"], { scenario: bad }, 1, /"window_ms=0": must be faults/);
});

for (const wrong of ["faults", "faults=", "fault=1", "faults=1:ban", "faults=-1", "faults=1 x=2", "=1:warn"]) {
  threshold(`refused: ${wrong}`, async () => {
    await fails(
      ["threshold", wrong],
      { scenario: ASKED },
      2,
      /must be faults, interrupt_storms, .* engine_timeouts, =/,
    );
  });
}

threshold("which domain, and too many words", async () => {
  await fails(["threshold"], {}, 3, /no driver domain runs/);
  const many = Array(11).fill("faults=1");
  await fails(["threshold", ...many], { scenario: ASKED }, 2, /too many words/);
  const long = Array(9).fill("interrupt_storms=86400000:quarantine");
  await fails(["threshold", ...long], { scenario: ASKED }, 2, /too many words for one request/);
});

threshold("list shows what a guest is throttled or warned for", async () => {
  const scenario = `${RUNNING}node ${DD}/breach/2 ${WHY}\n`;
  const text = (await run(["list"], { scenario })).stdout;
  assert.match(text, new RegExp(`glovebox-demo +1 +ready +demo +2 +- +${WHY}`));
  const [driver] = JSON.parse((await run(["list", "--json"], { scenario })).stdout);
  assert.is(driver.guests[0].breach, WHY);
});

threshold("names and actions are those of the driver domain, in the program, its help and the docs", async () => {
  const core = readFileSync(fromRoot("unikernel/core/vgpu/threshold.ts"), "utf8");
  const names = [...core.matchAll(/return "([a-z_]+)";/g)].map((match) => match[1] as string);
  assert.is(names.length, 8 + 3);
  const docs = readFileSync(fromRoot("docs/CONTROL.md"), "utf8");
  const help = (await run(["threshold", "--help"])).stdout;
  const program = readFileSync(fromRoot("native/dom0/gbctl/threshold.c"), "utf8");
  for (const name of names) {
    assert.ok(help.includes(name), name);
    assert.ok(docs.includes(`\`${name}\``), name);
    assert.ok(program.includes(`"${name}"`), name);
  }
});

threshold.run();
