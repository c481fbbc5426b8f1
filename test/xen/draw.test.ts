// SPDX-License-Identifier: MIT
//
// The promise of the whole: on Debian's own Xen a PVH guest with Debian's own kernel binds its own bochs driver to
// the mediated display and draws in two modes. The driver domain sees the very bytes that the guest wrote, and
// nothing traps between the first pixel and the last.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { guestLog, readOutput, runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import { type DemoReport, demo, MODES, readDemo } from "../../host/lab/scenarios/demo.js";
import { beforeAll } from "./before-all.js";
import { PATTERN_CRC32 } from "./pattern.js";

let result: ScenarioResult;
let report: DemoReport;

beforeAll(test, async () => {
  result = await runScenario(demo());
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
  report = readDemo(result);
});

test("the guest's own driver is bound to 1234:1111", () => {
  assert.is(report.display, "0000:00:01.0 0x1234:0x1111 driver=bochs-drm");
});

test("nothing helps from Dom0: no device model runs", () => {
  assert.not.match(readOutput(result, "xenstore.txt"), "device-model/2/state");
});

for (const [index, mode] of MODES.entries()) {
  test(`${mode}: the same bytes on both sides, and no trap while drawing`, () => {
    const drawing = report.drawings[index];
    assert.is(drawing?.guestCrc, PATTERN_CRC32[mode]);
    assert.is(drawing?.domainCrc, drawing?.guestCrc);
    assert.is(drawing?.traps, 0);
  });
}

test("traps are counted, so that zero means something", () => {
  assert.ok(Number(report.vgpu.traps) > 0, JSON.stringify(report.vgpu));
  assert.ok(Number(report.vgpu.mmio_writes) > 0);
  assert.ok(Number(report.vgpu.fuel_used) > 0);
});

test("the screenshot is a picture of 1024x768, and not of one colour", () => {
  const png = PNG.sync.read(readFileSync(join(result.outputs, "screen.png")));
  assert.equal([png.width, png.height], [1024, 768]);
  const colours = new Set<number>();
  for (let at = 0; at < png.data.length; at += 4 * 1021) colours.add(png.data.readUInt32LE(at));
  assert.ok(colours.size > 50, `${colours.size} colours`);
});

test("the driver domain has 16 MiB and an image below 512 KiB", () => {
  assert.is(report.domain.memory_pages, 4096);
  assert.ok(Number(report.domain.image_bytes) < 512 * 1024, String(report.domain.image_bytes));
});

test("nothing is left behind", () => {
  assert.match(readOutput(result, "xl-list.txt"), "Domain-0");
  assert.not.match(readOutput(result, "xl-list.txt"), "demo");
  assert.not.match(guestLog(result, "glovebox-demo"), /panic/i);
});

test.run();
