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
import { shim } from "../../host/sim/contract.js";
import { MISDEEDS, type Misdeed } from "../modules/hostile-runtime/table.js";
import { beforeAll } from "./before-all.js";
import dom0Script from "./hostile.sh";
import script from "./hostile-guest.sh";

const test = suite("hostile modules on Xen");
const ONES = "0xffffffff";
const SOUND = "0x47424448";

/** Hostile vGPUs of the guest; the sound one is the last. As hostile.sh says. */
const DEVICES = 7;
const SOUND_AT = 7;
const PARTS = { median: 2, p99: 3 }; // times what the same machine gave without misdeeds

/** One misdeed of each kind, for the trace. */
const QUIET: readonly [name: string, fault: string][] = [
  ["endless-loop", "FAULT_FUEL"],
  ["stack-hog", "FAULT_STACK"],
  ["load-one-beyond", "FAULT_MEMORY"],
  ["divide-by-zero", "FAULT_ARITHMETIC"],
  ["unreachable", "FAULT_UNREACHABLE"],
  ["handle-zero", "FAULT_CAPABILITY"],
  ["interrupt-storm", "FAULT_PROMISE"],
];

interface Watched {
  count: number;
  wrong: number;
  first_wrong: number;
  median_ns: number;
  p99_ns: number;
  max_ns: number;
}

interface Deed extends Misdeed {
  round: number;
  vgpu: number;
}

const DEEDS: readonly Deed[] = MISDEEDS.map((one, index) => ({
  ...one,
  round: Math.floor(index / DEVICES),
  vgpu: index % DEVICES,
}));

function roundLines(): string {
  const lines: string[] = [];
  for (const one of DEEDS) {
    lines[one.round] = `${lines[one.round] ?? `r${one.round}`} ${one.number}${one.counted === undefined ? "" : "c"}`;
  }
  return `${lines.join("\n")}\n`;
}

const numberOf = (name: string): number => MISDEEDS.find((one) => one.name === name)?.number ?? 0;

let result: ScenarioResult;
let log = "";

beforeAll(test, async () => {
  const folder = join(BUILD, "test-hostile");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "rounds"), roundLines());
  writeFileSync(join(folder, "quiet"), QUIET.map(([name]) => numberOf(name)).join(" "));
  const guest = { script, cfg: { vcpus: 2 } };
  result = await runScenario({
    name: "hostile",
    dom0Script,
    files: {
      gbctl: join(DOM0_PROGRAMS, "gbctl"),
      "glovebox.elf": join(BUILD, "unikernel/glovebox.elf"),
      "modules.img": join(BUILD, "unikernel/modules-test.img"),
      rounds: join(folder, "rounds"),
      quiet: join(folder, "quiet"),
    },
    guests: { h: guest, q: guest },
  });
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
  log = guestLog(result, "h").replaceAll("\r", "");
});

type Figures = Record<string, string | number>;
const figures = (name: string): Figures => JSON.parse(readOutput(result, name)) as Figures;

/** What the guest printed of a round: for each device a line of its write and one of its read after it. */
const printed = (word: string, round: string): string[] =>
  [...log.matchAll(new RegExp(`^${word} ${round} REGS (.*)$`, "gm"))].map((match) => match[1] as string);
const written = (round: string, vgpu: number): number => Number(printed("DEED", round)[2 * vgpu]?.split(" ")[1]);
const seen = (round: string, vgpu: number): string | undefined => printed("DEED", round)[2 * vgpu + 1]?.split(" ")[0];

/** What that figure was when it was last looked at on the same vGPU: resets do not clear it. */
function figureBefore(deed: Deed): number {
  const same = (one: Deed): boolean => one.vgpu === deed.vgpu && one.round < deed.round && one.counted !== undefined;
  const last = DEEDS.filter(same).at(-1);
  return last === undefined ? 0 : Number(figures(`deeds/${last.number}.stat`)[deed.counted as string]);
}

interface Listed {
  state: string;
  error?: string;
}

function listed(name: string): Listed[] {
  const [driver] = JSON.parse(readOutput(result, name)) as { guests: { vgpus: Listed[] }[] }[];
  return driver?.guests[0]?.vgpus ?? [];
}

for (const deed of DEEDS) {
  const { name, lost, counted, vgpu } = deed;
  test(`${name}: ${lost === undefined ? (counted ?? "done, nothing happens") : `lost, ${lost.source}`}`, () => {
    const round = `r${deed.round}`;
    assert.is(seen(round, vgpu), lost === undefined ? SOUND : ONES);
    const vgpus = listed(`deeds/${round}.list`);
    assert.is(vgpus[vgpu]?.state, lost === undefined ? "ready" : "lost");
    assert.is(vgpus[SOUND_AT]?.state, "ready");
    if (lost !== undefined) assert.match(vgpus[vgpu]?.error ?? "", lost);
    if (counted !== undefined) {
      assert.ok(Number(figures(`deeds/${deed.number}.stat`)[counted]) > figureBefore(deed), counted);
    }
    assert.is(printed("AFTER", round)[vgpu], SOUND, "after the reset");
  });
}

const watched = (name: string): Watched => {
  const line = new RegExp(`^WATCHED ${name} WATCH (.*)$`, "m").exec(log)?.[1];
  return JSON.parse(line ?? "{}") as Watched;
};

test("the neighbour's answers are all right", () => {
  let count = 0;
  for (const window of ["alone", "busy", "beside"]) {
    const one = watched(window);
    console.log(`${window} ${JSON.stringify(one)}`);
    assert.is(one.wrong, 0, `${window}: first wrong one 0x${one.first_wrong?.toString(16)}`);
    count += one.count;
  }
  const neighbour = figures("neighbour.json");
  assert.is(neighbour.state, "ready");
  assert.ok(Number(neighbour.mmio_reads) >= count);
  assert.is(figures("domain.json").restarts, 0);
});

// Fuel bounds how long a call of a module keeps the domain: a neighbour's read that comes meanwhile waits for the rest
// of one budget, here barWrite's million points. How long that is on this machine, the guest that spent it measured.
test("the neighbour's latency: as with resets alone, and at most one budget more", () => {
  const [alone, busy, beside] = [watched("alone"), watched("busy"), watched("beside")];
  // Reads that meet a misdeed that spends its budget are fewer than 1 in 100, so the 99th percentile meets none.
  const spenders = DEEDS.filter(({ lost }) => lost !== undefined && /fuel|stack/.test(lost.source));
  assert.ok(spenders.length > 0 && beside.count > 100 * spenders.length, `${beside.count} reads`);
  assert.ok(beside.median_ns < PARTS.median * busy.median_ns, "median");
  assert.ok(beside.p99_ns < PARTS.p99 * busy.p99_ns, "99th percentile");
  const burnt = Math.max(...DEEDS.map((one) => written(`r${one.round}`, one.vgpu)));
  const budget = Number(figures("hostile.json").fuel_max);
  console.log(`the longest misdeed took ${burnt} ns, its budget is ${budget} points`);
  assert.is(budget, 1_000_000);
  // Ten times as many reads as in the other windows meet the emulating host's own pauses ten times as often.
  assert.ok(beside.max_ns < burnt + 4 * Math.max(alone.max_ns, busy.max_ns), "the longest wait");
});

test("the trace has each loss, with its fault", () => {
  const { records } = JSON.parse(readOutput(result, "trace.json")) as {
    records: { kind: string; vgpu: number; addr: string }[];
  };
  const last = records.filter((one) => one.kind === "lost").slice(-DEVICES);
  assert.equal(
    last.map((one) => [one.vgpu, Number(one.addr)]),
    QUIET.map(([_, fault], index) => [index, shim(fault)]),
  );
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
  assert.match(guest, new RegExp(`^AFTER q3 REGS ${ONES}$`, "m"));
  assert.match(guest, new RegExp(`^AFTER q4 REGS ${SOUND}$`, "m"));
});

test.run();
