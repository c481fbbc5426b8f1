// SPDX-License-Identifier: MIT
//
// Guests come and go, and nothing stays: `node build.mjs lab lives` does 200 whole lives and 200 attachments, here are
// as many as fit.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runScenario } from "../../host/lab/scenario.js";
import type { Books } from "../../host/lab/scenarios/books.js";
import { type LivesReport, lives, readLives } from "../../host/lab/scenarios/lives.js";
import { beforeAll } from "./before-all.js";

const LIVES = 10;
const CYCLES = 60;
const test = suite("lives on Xen");
let report: LivesReport;

beforeAll(test, async () => {
  const result = await runScenario(lives(LIVES, CYCLES));
  assert.is(result.exitCode, 0, result.failure);
  report = readLives(result);
  console.log(JSON.stringify({ ...report, domain: undefined }));
});

test("all were lived", () => assert.equal([report.lives, report.cycles], [LIVES, CYCLES]));

for (const [index, name] of ["lives", "cycles"].entries()) {
  const keys: (keyof Books)[] = ["domains", "domainPages", "eventChannels", "grants", "maptrackFrames", "ioreqServers"];
  test(`${name}: Xen's books are equal before and after`, () => {
    const { before, after } = report.books[index] as LivesReport["books"][number];
    for (const key of keys) assert.is(after[key], before[key], key);
    assert.is(after.freePages, before.freePages);
  });

  test(`${name}: xenstore's nodes are the same`, () => {
    const { before, after, nodes } = report.books[index] as LivesReport["books"][number];
    assert.equal(nodes, []);
    assert.is(after.storeNodes, before.storeNodes);
  });
}

test("between cycles the driver domain serves nobody and has nothing taken", () => {
  const { before, after } = report.domain;
  for (const key of ["arena_pages", "guests", "vgpus", "xenstore_dropped", "console_dropped", "memory_pages"]) {
    assert.is(after[key], before[key], key);
  }
  assert.equal([after.guests, after.vgpus], [0, 0]);
});

test.run();
