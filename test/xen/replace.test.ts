// SPDX-License-Identifier: MIT
//
// Live replacement on a real Xen, under a guest that reads a register of the device without a break. The register
// counts its own reads, so an answer that is lost, given twice or of another state shows. A version that does not take
// the state is refused, one that faults on trial is taken back: the guest notices neither. The longest gap is printed;
// it is a count of instructions (-icount), whatever else the host does.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runScenario } from "../../host/lab/scenario.js";
import { guestKernelOptions, Said } from "../../host/lab/scenarios/guest-kernel.js";
import { beforeAll } from "./before-all.js";
import script from "./replace.sh";
import { tallyVersion, type Version, versionNumber } from "./tally.js";
import { type Watched, watches } from "./watched.js";

const test = suite("live replacement on Xen");
const SWAPS = 21; // as replace.sh does
const GAP_MAX_NS = 1_000_000_000; // no guest's driver gives a register up in less
const FAULTS_AT = 50;

const VERSIONS: readonly Version[] = [
  { version: "1.1.0" },
  { version: "1.2.0", faultsAt: FAULTS_AT },
  { version: "1.3.0", refuses: 7 },
];

let said: Said;

beforeAll(test, async () => {
  const options = guestKernelOptions({ name: "replace", script });
  const files = { ...options.files };
  for (const one of VERSIONS) files[`tally-${one.version}.gbx`] = await tallyVersion(one);
  said = new Said(await runScenario({ ...options, files }));
  const { result } = said;
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
});

/** What the guest saw alone, under swaps, and of versions that fail. */
const windows = (): [Watched, Watched, Watched] => watches(said, "r") as [Watched, Watched, Watched];

interface Listed {
  module: string;
  state: string;
  error: string;
}

function listed(name: string): Listed {
  const [driver] = said.json(name) as unknown as { guests: { vgpus: Listed[] }[] }[];
  return driver?.guests[0]?.vgpus[0] as Listed;
}

const version = (number: string): bigint => BigInt(versionNumber(number));

test("three more versions are loaded while the domain serves", () => {
  for (const one of VERSIONS) assert.is(said.code(`load-${one.version}`), 0, said.err(`load-${one.version}`));
});

test("back and forth under a guest that reads: each answer is one more than the last; the longest gap", () => {
  const [alone, swapped] = windows();
  console.log(`alone ${JSON.stringify(alone)}\n${SWAPS} swaps, 3 loads ${JSON.stringify(swapped)}`);
  const lines = said.out("swaps").trim().split("\n");
  assert.is(lines.filter((line) => line.includes('"state":"kept"')).length, SWAPS, lines[0]);
  for (const one of [alone, swapped]) {
    assert.ok(one.count > 1000, `${one.count} reads`);
    assert.is(one.wrong, 0, `first wrong one 0x${one.firstWrong.toString(16)}`);
  }
  assert.ok(swapped.max < GAP_MAX_NS);
  assert.is(said.value("version"), version("1.1.0"));
});

test("a version that does not take the state: an error with its answer, the old one goes on", () => {
  assert.is(said.code("refuses"), 1);
  assert.match(said.err("refuses"), /tally@1\.3\.0: state_restore answered 7$/m);
  assert.is(listed("list-refused").state, "ready");
});

test("a version that faults on trial is taken back, and the guest sees no wrong value", () => {
  assert.is(said.code("faults"), 0);
  const [, , failing] = windows();
  console.log(`refused and taken back ${JSON.stringify(failing)}`);
  assert.ok(failing.count > FAULTS_AT);
  assert.is(failing.wrong, 0, `first wrong one 0x${failing.firstWrong.toString(16)}`);
  assert.ok(failing.max < GAP_MAX_NS);
  const vgpu = listed("list-back");
  assert.is(vgpu.state, "ready");
  assert.match(vgpu.error, /replacement by tally@1\.2\.0 taken back: module tally: unreachable in bar_read/);
  assert.is(said.value("back"), version("1.1.0"));
});

test("what was frozen is what goes on: the counter stands where the failing one took it over", () => {
  const [alone, swapped] = windows();
  const counted = alone.count + swapped.count + 2; // each watch begins with one more
  assert.is(said.value("count"), BigInt(counted + 1));
});

test("the trace has the replacements, the one taken back the last of them", () => {
  const { records } = said.json("trace") as { records: { kind: string; data: string }[] };
  const all = records.filter((one) => one.kind === "replace");
  assert.is(Number(all.at(-1)?.data), 2);
});

test.run();
