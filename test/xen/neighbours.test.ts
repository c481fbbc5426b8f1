// SPDX-License-Identifier: MIT
//
// What a guest's neighbours notice when it is wrong: one driver domain under FLASK, three guests on virtio-gpu that are
// test/guest-kernel (neighbours.sh). Two measure: the one how long a small transfer takes from doorbell to answer, the
// other how long a plain read of a register takes, each paced; meanwhile the third floods with what is sound, with the
// longest workloads there are and with what cannot be done, hangs its modules, rings without pause, talks nonsense, is
// destroyed in the middle of a transfer.
//
// What is a fair comparison? An engine is shared, and so is the driver domain: beside anybody who uses it a neighbour
// waits longer than alone, whoever that is. So each wrong one is held against an orderly one that has its full share:
// a guest that draws whole pictures, two under way, so that the engine waits for none. By being wrong it must gain
// nothing over that: no neighbour's 99th percentile may be LIMIT times as long. The figure alone is printed beside it.
//
// To destroy a guest takes Dom0's time, which is the same processor's here, whoever is destroyed. So one destroyed in
// mid-transfer is held against an orderly one that has its full share while Dom0 destroys a fourth one, which is at
// rest. The driver domain and the neighbours have more weight from Xen than Dom0, as an integrator would give them.
//
// One processor for Xen, Dom0 and everybody; under -icount, so that figures repeat and no limit depends on the host's
// load.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { BUILD } from "../../host/lab/paths.js";
import { guestLog, readOutput, type ScenarioResult } from "../../host/lab/scenario.js";
import type { Figures } from "../../host/lab/scenarios/demo.js";
import type { Said } from "../../host/lab/scenarios/guest-kernel.js";
import { denials } from "../../host/lab/scenarios/guests.js";
import { beforeAll } from "./before-all.js";
import script from "./neighbours.sh";
import { rawGuests } from "./raw-guests.js";

const LIMIT = 1.1;
/** Of a workload, unikernel/core/sched/limits.ts. */
const WORKLOAD_NS_MAX = 5_000_000_000n;
const NEIGHBOURS = ["near", "reader"];
const BATCH = 8;

const WRONG: Record<string, { story: string; against: string }> = {
  flood: { story: "keeps its ring full of whole pictures", against: "orderly" },
  longest: { story: "keeps the longest workloads under way", against: "orderly" },
  refused: { story: "keeps its ring full of commands that cannot be done", against: "orderly" },
  hang: { story: "hangs the modules of two devices", against: "orderly" },
  bells: { story: "rings its doorbell without pause", against: "orderly" },
  nonsense: { story: "fills its ring with nonsense", against: "orderly" },
  midst: { story: "is destroyed in the middle of a transfer", against: "rest" },
};

let result: ScenarioResult;
let said: Said;

beforeAll(test, async () => {
  said = await rawGuests("neighbours", script, `${BUILD}/unikernel/modules-test.img`);
  result = said.result;
  for (const line of table()) process.stdout.write(`  ${line}\n`);
});

const figures = (name: string): Figures => JSON.parse(readOutput(result, `${name}.json`)) as Figures;
const since = (from: string, to: string, key: string): number => Number(figures(to)[key]) - Number(figures(from)[key]);

interface Latency {
  p50: number;
  p99: number;
  max: number;
}

/** What a neighbour said of itself, in microseconds. */
function latency(kind: "commands" | "reads", label: string): Latency {
  const found = / p50 (\d+) p99 (\d+) max (\d+) ns$/.exec(said.answer(`${kind}-${label}`));
  if (found === null) throw new Error(`${kind}-${label}: "${said.answer(`${kind}-${label}`)}"`);
  const [p50 = 0, p99 = 0, max = 0] = found.slice(1).map((ns) => Math.round(Number(ns) / 1000));
  return { p50, p99, max };
}

function table(): string[] {
  const labels = ["alone", "orderly", "flood", "longest", "refused", "hang", "bells", "nonsense", "rest", "midst"];
  const cells = (kind: "commands" | "reads", label: string): string => {
    const { p50, p99, max } = latency(kind, label);
    return [p50, p99, max].map((us) => String(us).padStart(6)).join(" ");
  };
  const row = (label: string): string => `${label.padEnd(9)} ${cells("commands", label)}  ${cells("reads", label)}`;
  return [`us${" ".repeat(8)} commands: p50, p99, max; reads: p50, p99, max`, ...labels.map(row)];
}

interface Listed {
  name: string;
  quarantine?: string;
  vgpus: { state: string; error?: string }[];
}

/** Who is where, as the operator sees it when the neighbours had measured. */
function listed(label: string): Map<string, Listed> {
  const [driver] = said.json(`list-${label}`) as unknown as { guests: Listed[] }[];
  return new Map((driver?.guests ?? []).map((guest) => [guest.name, guest]));
}

const states = (label: string, name: string): string[] =>
  listed(label)
    .get(name)
    ?.vgpus.map(({ state }) => state) ?? [];

for (const [label, { story, against }] of Object.entries(WRONG)) {
  for (const kind of ["commands", "reads"] as const) {
    test(`one ${story}: 99 % of its neighbours' ${kind} are as beside an orderly one`, () => {
      const [here, there] = [latency(kind, label), latency(kind, against)];
      assert.ok(here.p99 < LIMIT * there.p99, `${here.p99} us beside it, ${there.p99} us beside the orderly one`);
    });
  }
  test(`one ${story}: its neighbours are ready, and their commands were all answered`, () => {
    for (const name of NEIGHBOURS) assert.equal(states(label, name), ["ready"], name);
    assert.match(said.answer(`paced-${label}`), / ok gpu_pace /);
    assert.match(said.answer(`read-${label}`), / ok time /);
  });
}

test("the longest workload that a device's quotas allow is far from what none may take", () => {
  const took = said.value("longest");
  process.stdout.write(`\n  one transfer of the hardest picture in 4 MiB: ${took / 1_000_000n} ms\n`);
  assert.ok(took > 20_000_000n, "it is no hard one");
  assert.ok(took < WORKLOAD_NS_MAX);
  assert.equal(states("longest", "wrong"), ["ready", "ready", "ready"]);
});

test("modules that hang are lost by name, the guest's other device is not", () => {
  assert.equal(states("hang", "wrong"), ["ready", "lost", "lost"]);
  for (const { error } of listed("hang").get("wrong")?.vgpus.slice(1) ?? []) assert.match(error ?? "", /out of fuel/);
});

test("doorbells without end: quarantine, by name and reason, until the operator lifts it", () => {
  assert.is(listed("bells").get("wrong")?.quarantine, "20 doorbell_storms within 60000 ms");
  assert.match(guestLog(result, "glovebox-demo"), /guest \d+ is in quarantine: 20 doorbell_storms within 60000 ms/);
  assert.is(said.code("reset-bells"), 1);
  assert.match(said.err("reset-bells"), /is in quarantine \(20 doorbell_storms/);
  assert.is(said.code("release-bells"), 0);
});

test("nonsense: quarantine, by name and reason", () => {
  assert.ok(said.value("nonsense-done") > 0n, "the device asked for a reset at least once");
  assert.is(listed("nonsense").get("wrong")?.quarantine, "50 refused within 60000 ms");
  assert.match(guestLog(result, "glovebox-demo"), /guest \d+ is in quarantine: 50 refused within 60000 ms/);
});

test("nobody else was ever named", () => {
  for (const label of Object.keys(WRONG)) {
    for (const name of NEIGHBOURS) assert.is(listed(label).get(name)?.quarantine, undefined, `${name}, ${label}`);
  }
  const domain = figures("domain-end");
  assert.equal([domain.guests, domain.vgpus, domain.restarts], [2, 2, 0]);
});

test("guests that want nothing cost nothing: the domain sleeps", () => {
  const asking = since("domain-before", "domain-idle-begin", "events");
  const events = since("domain-idle-begin", "domain-idle-end", "events");
  const blocks = since("domain-idle-begin", "domain-idle-end", "blocks");
  const seconds = since("domain-idle-begin", "domain-idle-end", "now_ns") / 1e9;
  process.stdout.write(
    `\n  ${seconds.toFixed(1)} s idle: ${events} events, ${blocks} blocks; to ask: ${asking} events\n`,
  );
  assert.ok(seconds >= 5);
  assert.ok(events <= asking, "nothing but our asking");
  assert.ok(blocks <= events);
});

test("a batch of commands into a quiet ring takes one notification", () => {
  assert.is(since("engine-batch-begin-wrong", "engine-batch-end-wrong", "done"), BATCH);
  assert.is(since("stat-batch-begin", "stat-batch-end", "guest_traps"), 1);
});

test("without pause fewer than one transfer in ten takes a notification", () => {
  const [traps, transfers] = [since("stat-flood-begin", "stat-flood-end", "guest_traps"), said.value("flood-done")];
  process.stdout.write(`\n  ${traps} traps for ${transfers} transfers\n`);
  assert.ok(transfers > 100n);
  assert.ok(traps / Number(transfers) < 0.1);
});

test("Xen refused nothing in all that", () => {
  assert.equal(denials(readOutput(result, "xl-dmesg.txt")), []);
  assert.not.match(guestLog(result, "glovebox-demo"), /panic/i);
});

test.run();
