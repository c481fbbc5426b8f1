// SPDX-License-Identifier: MIT
//
// The bench of the canaries: hunts are kept as they are made and not made again, what was cut off is, sums and words
// are right, and wrong options are refused.

import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type CanaryRow, type Measured, measureCanaries, summaryOf } from "../../host/bench/canaries.js";
import { canariesText } from "../../host/bench/table.js";
import { peerLacks } from "../../host/fuzz/canaries/peer.js";
import { inProject } from "../../host/pipeline/paths.js";

const folder = mkdtempSync(join(tmpdir(), "glovebox-canaries-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();
const said: string[] = [];

const measure = (seeds: number, more: { fresh?: boolean; match?: string } = {}) =>
  measureCanaries(
    { seeds, peerSeeds: 0, seconds: 60, peerSeconds: 60, match: "interrupt vector", folder, ...more },
    signal,
    (text) => said.push(text),
  );
const lines = (): string[] => readFileSync(join(folder, "hunts.jsonl"), "utf8").trim().split("\n");

test("hunts are kept and not made again; one that was cut off is", async () => {
  const { rows, wishes } = await measure(2);
  assert.is(rows.length, 1);
  assert.ok(wishes.every((wish) => wish.met));
  const first = lines();
  assert.is(first.length, 2);
  appendFileSync(join(folder, "hunts.jsonl"), `${first[0]?.slice(0, 20)}\n`);
  said.length = 0;
  const again = await measure(3);
  assert.equal(said, ["interrupt vector unbound: glovebox, seed 3 of 3"]);
  assert.equal(lines().slice(0, 2), first);
  const ours = again.rows[0]?.ours as Measured[];
  assert.equal(
    ours.map((one) => one.seed),
    [1, 2, 3],
  );
  assert.match(ours[0]?.story ?? "", /capability/);
  await measure(1, { fresh: true });
  assert.is(lines().length, 1);
});

test("no canary of that name", async () => {
  try {
    await measure(1, { match: "nobody" });
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'no canary\'s name contains "nobody"');
  }
});

const hunt = (cpuSeconds: number, story?: string): Measured => ({
  canary: "one",
  who: "glovebox",
  seed: 1,
  seconds: 60,
  commit: "abc",
  executions: cpuSeconds * 100,
  cpuSeconds,
  story,
});

test("medians, the worst, and what found nothing", () => {
  const found = summaryOf([hunt(3, "x"), hunt(1, "x"), hunt(2, "x")]);
  assert.equal(found, { found: 3, of: 3, executions: 200, cpuSeconds: 2, worst: 3, limit: Number.POSITIVE_INFINITY });
  const mixed = summaryOf([hunt(3, "x"), hunt(1, "x"), hunt(60)]);
  assert.equal(mixed, {
    ...found,
    found: 2,
    executions: 300,
    cpuSeconds: 3,
    worst: Number.POSITIVE_INFINITY,
    limit: 60,
  });
  const row: CanaryRow = { canary: "one", ours: [hunt(1, "x"), hunt(60)], peer: "guest memory" };
  const text = canariesText({ seconds: 60, rows: [row], wishes: [] });
  assert.ok(text.includes("| one | 1/2 | - | > 60 | > 60 | guest memory |"), text);
});

test("what the peer cannot have is said", () => {
  assert.is(peerLacks({ name: "a", folder: "device", bug: 1 }), undefined);
  assert.is(peerLacks({ name: "a", folder: "device", bug: 9, needsReset: true }), "a reset check");
  assert.is(peerLacks({ name: "a", folder: "memory", bug: 1 }), "guest memory");
  assert.is(peerLacks({ name: "a", file: "x", from: "", to: "", checkers: [] }), "a core");
});

test("options that cannot be", () => {
  const bench = (...args: string[]) =>
    spawnSync(process.execPath, [inProject("build/host/glovebox.mjs"), "bench", ...args], { encoding: "utf8" });
  const lost = bench("--only", "latency", "--seeds", "2");
  assert.is(lost.status, 2);
  assert.match(lost.stderr, /"--seeds" goes with "--only canaries"/);
  const none = bench("--only", "canaries", "--seeds", "0");
  assert.is(none.status, 2);
  assert.match(none.stderr, /'--seeds <number>' argument '0' is invalid. wanted: a number from 1 to 999/);
  assert.match(bench("--only", "canaries", "--peer-seeds", "x").stderr, /argument 'x'.* from 0 to 999/);
  assert.match(bench("--only", "canaries", "--seconds", "-1").stderr, /argument '-1' is invalid/);
});

test.run();
