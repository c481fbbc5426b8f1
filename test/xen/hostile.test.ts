// SPDX-License-Identifier: MIT
//
// Hostile modules on a real Xen: each misdeed of test/modules/hostile-runtime ends as its table says, and the second
// vGPU of the same guest, served by the same domain, keeps its answers and its latency. Then faults that come again and
// again end in quarantine, which the operator lifts.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";
import { BUILD } from "../../host/lab/paths.js";
import { guestLog, readOutput, runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import { MISDEEDS } from "../modules/hostile-runtime/table.js";
import dom0Script from "./hostile.sh";
import script from "./hostile-guest.sh";

const test = suite("hostile modules on Xen");
const ONES = "REGS 0xffffffff";
const SOUND = "REGS 0x47424448";

interface Watched {
  count: number;
  wrong: number;
  first_wrong: number;
  median_ns: number;
  p99_ns: number;
  max_ns: number;
}

let result: ScenarioResult;
let log = "";

test.before(async () => {
  const folder = join(BUILD, "test-hostile");
  mkdirSync(folder, { recursive: true });
  const list = join(folder, "misdeeds");
  writeFileSync(list, MISDEEDS.map((one) => `${one.number} ${one.name}\n`).join(""));
  const guest = { script, cfg: { vcpus: 2 } };
  result = await runScenario({
    name: "hostile",
    dom0Script,
    files: {
      gbctl: join(DOM0_PROGRAMS, "gbctl"),
      "glovebox.elf": join(BUILD, "unikernel/glovebox.elf"),
      "modules.img": join(BUILD, "unikernel/modules-test.img"),
      misdeeds: list,
    },
    guests: { h: guest, q: guest },
    timeoutMs: 1_800_000,
  });
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
  log = guestLog(result, "h").replaceAll("\r", "");
});

type Figures = Record<string, string | number>;
const figures = (name: string): Figures => JSON.parse(readOutput(result, name)) as Figures;
const said = (text: string, line: RegExp): string | undefined => line.exec(text)?.[1];

for (const { name, lost, counted } of MISDEEDS) {
  test(`${name}: ${lost === undefined ? (counted ?? "done, nothing happens") : `lost, ${lost.source}`}`, () => {
    assert.is(said(log, new RegExp(`^SIN ${name} (.*)$`, "m")), lost === undefined ? SOUND : ONES);
    const stat = figures(`deeds/${name}.stat`);
    assert.is(stat.state, lost === undefined ? "ready" : "lost");
    const [driver] = JSON.parse(readOutput(result, `deeds/${name}.list`));
    const [hostile, sound] = driver.guests[0].vgpus;
    assert.is(sound.state, "ready");
    if (lost !== undefined) assert.match(hostile.error, lost);
    if (counted !== undefined) assert.ok(Number(stat[counted]) > 0);
    assert.is(said(log, new RegExp(`^AGAIN ${name} (.*)$`, "m")), SOUND, "after the reset");
  });
}

test("the neighbour's answers are all right, and a budget of fuel bounds what it waits", () => {
  const watched = (name: string): Watched =>
    JSON.parse(said(log, new RegExp(`^WATCHED ${name} WATCH (.*)$`, "m")) ?? "{}") as Watched;
  const [alone, beside] = [watched("alone"), watched("beside")];
  console.log(`alone ${JSON.stringify(alone)}\nbeside ${JSON.stringify(beside)}`);
  assert.is(alone.wrong, 0);
  assert.is(beside.wrong, 0, `first wrong one 0x${beside.first_wrong.toString(16)}`);
  assert.ok(beside.count > 1000);
  assert.ok(beside.median_ns < 2 * alone.median_ns, "the median is as without");
  const neighbour = figures("neighbour.json");
  assert.is(neighbour.state, "ready");
  assert.ok(Number(neighbour.mmio_reads) >= alone.count + beside.count);
  assert.is(figures("domain.json").restarts, 0);
});

test("the trace has each loss", () => {
  const { records } = JSON.parse(readOutput(result, "trace.json")) as { records: { kind: string }[] };
  assert.ok(records.some((one) => one.kind === "lost" || one.kind === "reset"));
});

test("three faults: in quarantine, shown, refused, released", () => {
  const text = (name: string): string => readOutput(result, `${name}.txt`);
  assert.match(text("reset-1"), /exit 0/);
  assert.match(text("reset-2"), /exit 0/);
  assert.match(text("reset-3"), /is in quarantine \(3 faults within 60000 ms\): "gbctl release \d+" lifts it\nexit 1/);
  assert.match(text("list"), /quarantine {2}3 faults within 60000 ms/);
  assert.match(text("attach"), /is in quarantine/);
  assert.match(text("attach"), /exit 1/);
  assert.match(text("release"), /exit 0/);
  assert.match(text("reset-4"), /exit 0/);
  const guest = guestLog(result, "q").replaceAll("\r", "");
  assert.is(said(guest, /^AGAIN q3 (.*)$/m), ONES);
  assert.is(said(guest, /^AGAIN q4 (.*)$/m), SOUND);
});

test.run();
