// SPDX-License-Identifier: MIT
//
// Live replacement on a real Xen, under a guest that reads a register of the device without a break. The register
// counts its own reads, so an answer that is lost, given twice or of another state shows. A version that does not take
// the state is refused, one that faults on trial is taken back: the guest notices neither. The longest gap is printed.

import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";
import { BUILD } from "../../host/lab/paths.js";
import { guestLog, readOutput, runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import { beforeAll } from "./before-all.js";
import dom0Script from "./replace.sh";
import script from "./replace-guest.sh";
import { tallyVersion, type Version, versionNumber } from "./tally.js";

const test = suite("live replacement on Xen");
const SWAPS = 21; // as replace.sh does
const GAP_MAX_NS = 1_000_000_000; // no guest's driver gives a register up in less
const FAULTS_AT = 50;

const VERSIONS: readonly Version[] = [
  { version: "1.1.0" },
  { version: "1.2.0", faultsAt: FAULTS_AT },
  { version: "1.3.0", refuses: 7 },
];

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

beforeAll(test, async () => {
  const files: Record<string, string> = {
    gbctl: join(DOM0_PROGRAMS, "gbctl"),
    "glovebox.elf": join(BUILD, "unikernel/glovebox.elf"),
    "modules.img": join(BUILD, "unikernel/modules-test.img"),
  };
  for (const one of VERSIONS) files[`tally-${one.version}.gbx`] = await tallyVersion(one);
  const guests = { r: { script, cfg: { vcpus: 2 } } };
  result = await runScenario({ name: "replace", dom0Script, files, guests });
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
  log = guestLog(result, "r").replaceAll("\r", "");
});

const text = (name: string): string => readOutput(result, name);
const said = (line: RegExp): string => line.exec(log)?.[1] ?? "";
const watched = (name: string): Watched =>
  JSON.parse(said(new RegExp(`^WATCHED ${name} WATCH (.*)$`, "m")) || "{}") as Watched;

interface Listed {
  module: string;
  state: string;
  error: string;
}

function listed(name: string): Listed {
  const [driver] = JSON.parse(text(name)) as { guests: { vgpus: Listed[] }[] }[];
  return driver?.guests[0]?.vgpus[0] as Listed;
}

const version = (number: string): string => `REGS 0x${versionNumber(number).toString(16)}`;

test("three more versions are loaded while the domain serves", () => {
  for (const one of VERSIONS) assert.match(text(`load-${one.version}.txt`), /exit 0/);
});

test("back and forth under a guest that reads: each answer is one more than the last; the longest gap", () => {
  const [alone, swapped] = [watched("alone"), watched("swapped")];
  console.log(`alone ${JSON.stringify(alone)}\n${SWAPS} swaps, 3 loads ${JSON.stringify(swapped)}`);
  const lines = text("swaps.txt").trim().split("\n");
  assert.is(lines.filter((line) => line.includes('"state":"kept"')).length, SWAPS, lines[0]);
  for (const one of [alone, swapped]) {
    assert.ok(one.count > 1000, `${one.count} reads`);
    assert.is(one.wrong, 0, `first wrong one 0x${one.first_wrong?.toString(16)}`);
  }
  assert.ok(swapped.max_ns < GAP_MAX_NS);
  assert.is(said(/^READ version (.*)$/m), version("1.1.0"));
});

test("a version that does not take the state: an error with its answer, the old one goes on", () => {
  assert.match(text("refuses.txt"), /tally@1\.3\.0: state_restore answered 7\nexit 1/);
  const vgpu = listed("list-refused.json");
  assert.is(vgpu.state, "ready");
});

test("a version that faults on trial is taken back, and the guest sees no wrong value", () => {
  assert.match(text("faults.txt"), /exit 0/);
  const failing = watched("failing");
  console.log(`refused and taken back ${JSON.stringify(failing)}`);
  assert.ok(failing.count > FAULTS_AT);
  assert.is(failing.wrong, 0, `first wrong one 0x${failing.first_wrong?.toString(16)}`);
  assert.ok(failing.max_ns < GAP_MAX_NS);
  const vgpu = listed("list-back.json");
  assert.is(vgpu.state, "ready");
  assert.match(vgpu.error, /replacement by tally@1\.2\.0 taken back: module tally: unreachable in bar_read/);
  assert.is(said(/^READ back (.*)$/m), version("1.1.0"));
});

test("what was frozen is what goes on: the counter stands where the failing one took it over", () => {
  const counted = watched("alone").count + watched("swapped").count + 2; // each watch begins with one more
  assert.is(said(/^READ count (.*)$/m), `REGS 0x${(counted + 1).toString(16)}`);
});

test("the trace has the replacements, the one taken back the last of them", () => {
  const { records } = JSON.parse(text("trace.json")) as { records: { kind: string; data: string }[] };
  const all = records.filter((one) => one.kind === "replace");
  assert.is(Number(all.at(-1)?.data), 2);
});

test.run();
