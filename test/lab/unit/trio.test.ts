// SPDX-License-Identifier: MIT
//
// What the demo with three guests calls a fault: outputs of a good run, made here, have none; each thing that is wrong
// in them is named. A demo with a fault ends with exit code 1 (host/cli/start.ts).

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { trioSummary } from "../../../host/cli/summary.js";
import type { ScenarioResult } from "../../../host/lab/scenario.js";
import { GUEST_LABEL } from "../../../host/lab/scenarios/guests.js";
import { MODES, PAIR, readTrio, SCREENS, type TrioReport } from "../../../host/lab/scenarios/trio.js";

type Outputs = Record<string, string>;

const CRCS: Record<string, string> = Object.fromEntries(SCREENS.map((name, index) => [name, `0000000${index}`]));
const json = (value: object): string => JSON.stringify(value);

/** Left has twice the weight, and got twice the engine time. */
function engine(engine_ns: number, at: number): string {
  const fixed = { weight: engine_ns > 3e9 ? 8 : 4, wait_p50_us: 1000, wait_p99_us: 2000 };
  return json({ ...fixed, now_ns: at * 10e9, busy_ns: at * 9e9, engine_ns: at * engine_ns, done: at * 100 });
}

function goodRun(): Outputs {
  const outputs: Outputs = {
    "xl-info.txt": "xen_version            : 4.17.5\n",
    "driver.json": json({ guests: 3, memory_pages: 4096 }),
    "labels.txt": [...PAIR, "panel"].map((name) => `${name} 3 160 1 -b---- 9.0 ${GUEST_LABEL}\n`).join(""),
    "xen.txt": "(XEN) Flask:  Starting in enforcing mode.\n",
    "log/console/guest-panel.log":
      "GUEST up: Linux 6.1\nGUEST display 0000:00:01.0 0x1234:0x1111 driver=bochs-drm\n" +
      `DRAW done 1024x768 crc=${CRCS["panel-0"]}\n`,
    "crc-drawn-panel-0.json": json({ crc32: CRCS["panel-0"], width: 1024, height: 768 }),
    "stat-panel.json": json({ module: "bochs-display", traps: 500 }),
  };
  for (const when of ["before", "after"]) outputs[`stat-${when}-panel.json`] = json({ guest_traps: 700 });
  for (const name of PAIR) {
    const ns = name === "left" ? 6e9 : 3e9;
    outputs[`log/console/guest-${name}.log`] = "GUEST up: Linux 6.1\nGUEST display 0000:00:01.0 driver=virtio_gpu\n";
    outputs[`stat-${name}.json`] = json({ module: "virtio-gpu", traps: 450 });
    MODES.forEach((mode, output) => {
      const [width, height] = mode.split("x").map(Number);
      const screen = `${name}-${output}`;
      outputs[`log/console/guest-${name}.log`] += `KMS drawn ${output} ${mode} crc=${CRCS[screen]}\n`;
      for (const when of ["drawn", "flooded"])
        outputs[`crc-${when}-${screen}.json`] = json({ crc32: CRCS[screen], width, height });
    });
    ["begin", "end"].forEach((when, index) => {
      outputs[`engine-${when}-${name}.json`] = engine(ns, index + 1);
      outputs[`stat-${when}-${name}.json`] = json({ guest_traps: 900 });
    });
  }
  return outputs;
}

function read(change: Outputs): TrioReport {
  const dir = mkdtempSync(join(tmpdir(), "glovebox-"));
  mkdirSync(join(dir, "log/console"), { recursive: true });
  for (const [name, text] of Object.entries({ ...goodRun(), ...change })) writeFileSync(join(dir, name), text);
  const ran = { exitCode: 0, failure: "", lastStep: "", consoleLog: "" };
  const result: ScenarioResult = { ...ran, dir, outputs: dir };
  try {
    return readTrio(result);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test("a good run has no fault, and its figures are what they are", () => {
  const report = read({});
  assert.equal(report.faults, []);
  assert.equal(
    report.guests.map(({ share }) => share && [share.weight, share.got.toFixed(3), share.framesPerSecond]),
    [[8, "0.667", 10], [4, "0.333", 10], undefined],
  );
});

const panelLog = goodRun()["log/console/guest-panel.log"] ?? "";
const FAULTS: [string, Outputs, RegExp][] = [
  [
    "a picture that differs",
    { "crc-drawn-left-1.json": json({ crc32: "12345678", width: 1280, height: 720 }) },
    /^left-1, 1280x720: the guest drew CRC 00000001, the driver domain sees 12345678$/m,
  ],
  [
    "a mode that differs",
    { "crc-drawn-right-0.json": json({ crc32: CRCS["right-0"], width: 800, height: 600 }) },
    /^right-0, 1024x768: .* of a picture 800x600$/m,
  ],
  [
    "a picture that another guest's work has changed",
    { "crc-flooded-left-0.json": json({ crc32: "12345678", width: 1024, height: 768 }) },
    /^left-0: CRC 00000000 became 12345678 while its engine was shared$/m,
  ],
  ["what FLASK refused", { "xen.txt": "(XEN) avc:  denied  { x } for y\n" }, /^FLASK refused: avc: +denied/m],
  ["a trap while drawing", { "stat-after-panel.json": json({ guest_traps: 703 }) }, /^guest panel: 3 traps while/m],
  ["another driver", { "log/console/guest-panel.log": panelLog.replace("bochs-drm", "none") }, /its display is/],
  ["another label", { "labels.txt": "left 3 x system_u:system_r:domU_t\n" }, /^guest left: its label is ".*domU_t"$/m],
  [
    "a share that is not by weight",
    { "engine-end-left.json": engine(4e9, 2) },
    /^guest left: got 22.2 % of the engine instead of 66.7 %$/m,
  ],
  ["a guest too few", { "driver.json": json({ guests: 2 }) }, /serves 2 guests instead of 3/],
];

for (const [what, change, words] of FAULTS) {
  test(`a fault: ${what}`, () => assert.match(read(change).faults.join("\n"), words));
}

test("the summary has a line for each guest, screen and share, and the pictures' places", () => {
  const text = trioSummary(read({}), ["build/start/left-0.png"], "build/lab/run");
  for (const name of SCREENS) assert.match(text, new RegExp(`${name} +\\d+x\\d+ +CRC-32 ${CRCS[name]} in the guest`));
  assert.match(text, /left +8 +66\.7 % +66\.7 % +10\.0 +1\.0 ms +2\.0 ms +0\.000/);
  assert.match(text, /panel .*0 traps for a whole picture/);
  assert.match(text, /pictures build\/start\/left-0\.png/);
});

test.run();
