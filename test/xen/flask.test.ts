// SPDX-License-Identifier: MIT
//
// One driver domain, three Debian guests, FLASK enforcing: each draws its own picture, none notices the others,
// whatever comes and goes beside it; nothing is refused in all that, and nothing is left behind.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { guestLog, readOutput, runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import { newNodes, readBooks, STEADY } from "../../host/lab/scenarios/books.js";
import booksScript from "../../host/lab/scenarios/books.sh";
import type { Figures } from "../../host/lab/scenarios/demo.js";
import { Said } from "../../host/lab/scenarios/guest-kernel.js";
import { denials, GUESTS, type GuestsReport, guests, readGuests } from "../../host/lab/scenarios/guests.js";
import { beforeAll } from "./before-all.js";
import dom0Script from "./flask.sh";
import { PATTERN_CRC32 } from "./pattern.js";

let result: ScenarioResult;
let report: GuestsReport;

const figures = (name: string): Figures => JSON.parse(readOutput(result, `${name}.json`)) as Figures;
const crc = (name: string): string => String(figures(name).crc32);
const drawnBy = (name: string): string | undefined =>
  report.guests.find((guest) => guest.name === name)?.drawing.guestCrc;

beforeAll(test, async () => {
  result = await runScenario(guests(booksScript + dom0Script));
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
  report = readGuests(result);
  process.stdout.write(`three guests, from the first create to the last pixel: ${report.seconds} s\n`);
});

test("as promised: displays, labels, pictures, no trap while drawing, no denial", () =>
  assert.equal(report.faults, []));

test("each picture is its own, and the first is the one that all guests draw", () => {
  assert.is(drawnBy("one"), PATTERN_CRC32["1024x768"]);
  assert.is(new Set(GUESTS.map(drawnBy)).size, GUESTS.length);
});

test("FLASK enforces, and policy-check finds nothing missing, guests running", () => {
  const told = JSON.parse(readOutput(result, "policy.json")) as {
    ok: boolean;
    checks: { check: string; ok: boolean }[];
  };
  assert.equal(
    told.checks.filter((check) => !check.ok),
    [],
  );
  for (const name of GUESTS) assert.ok(told.checks.some((check) => check.check === name));
  assert.is(readOutput(result, "policy.code").trim(), "0");
});

test("a guest that sets a mode and draws traps; the counters of the others stand still", () => {
  const traps = (name: string, when: string): number => Number(figures(`alone-${when}-${name}`).traps);
  assert.ok(traps("one", "after") > traps("one", "before"));
  for (const name of ["two", "three"]) assert.is(traps(name, "after"), traps(name, "before"), name);
});

test("devices come and go beside a guest that draws", () => {
  assert.ok(Number(readOutput(result, "drawn-meanwhile")) >= 3);
  for (const name of GUESTS) assert.is(crc(`beside-crc-${name}`), drawnBy(name), name);
});

test("one guest destroyed, one gone without a word: the rest goes on", () => {
  assert.is(crc("survived-crc-three"), drawnBy("three"));
  assert.is(crc("survived-crc-one"), drawnBy("one"));
  assert.is(figures("two-gone").guests, 2);
  assert.is(figures("three-gone").guests, 1);
  assert.not.match(readOutput(result, "three-gone.txt"), /^\(null\)|three/m);
});

test("a guest's next life is served by the same driver domain", () => {
  assert.is(crc("again-crc-two"), drawnBy("two"));
  assert.is(guestLog(result, "two").match(/GUEST up/g)?.length, 2);
});

test("Xen refused nothing in all that", () => {
  for (const name of ["xen-middle.txt", "xen-end.txt"]) assert.equal(denials(readOutput(result, name)), []);
});

test("nothing is left in Xen, in xenstore, in the driver domain", () => {
  const said = new Said(result);
  assert.equal(readBooks(said, "idle-after"), readBooks(said, "idle-before"));
  assert.equal(newNodes(said, "idle-before", "idle-after"), []);
  for (const key of STEADY) assert.is(figures("idle-after")[key], figures("idle-before")[key], key);
  assert.equal([figures("idle-after").guests, figures("idle-after").vgpus], [0, 0]);
  assert.not.match(guestLog(result, "glovebox-demo"), /panic/i);
});

test.run();
