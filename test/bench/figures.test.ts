// SPDX-License-Identifier: MIT
//
// What the benches of flushes and of many vGPUs make of a run's outputs: the right sums, and an error that names
// what is missing. The runs are made up; the real ones take a machine (`npm run bench -- --only flush`).

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FLUSH_ROWS, type FlushReport, flushText, readFlush } from "../../host/bench/flush.js";
import { manyText, readMany } from "../../host/bench/many.js";
import type { ScenarioResult } from "../../host/lab/scenario.js";
import { Said } from "../../host/lab/scenarios/guest-kernel.js";

const test = suite("figures");
let dir = "";

test.before.each(() => {
  dir = mkdtempSync(join(tmpdir(), "figures-"));
  mkdirSync(join(dir, "said"));
});
test.after.each(() => rmSync(dir, { recursive: true }));

const made = (): ScenarioResult => ({
  ...{ exitCode: 0, failure: "", dir, outputs: dir, consoleLog: "", lastStep: "" },
});

/** Nanoseconds: a clock of 100, a call of 2100, done 20000 after the fence of 10100; 4100 of many. */
const PHASES = [
  ["clock", "clock", 108, 100],
  ["flush", "flush", 108, 2100],
  ["fence", "fence", 108, 10100],
  ["both", "both", 108, 30100],
  ["many", "flush", 1008, 4100],
] as const;

function writeRun(without = "nothing"): void {
  const lines = FLUSH_ROWS.flatMap(([row]) =>
    PHASES.map(([phase, what, all, ns]) => {
      const median = row === "qemu" ? 10 * ns : ns;
      return `${row} ${phase} KMS timed ${what} all=${all} pause_us=0 min=1 median=${median} mean=${ns}`;
    }),
  );
  writeFileSync(join(dir, "timed.txt"), `${lines.filter((line) => !line.startsWith(without)).join("\n")}\n`);
  for (const [row] of FLUSH_ROWS) {
    for (const [phase, , all] of PHASES) {
      writeFileSync(join(dir, `${row}-${phase}-before.json`), '{"traps": 1000}');
      const traps = phase === "flush" ? all : row === "polled" ? all / 16 : all / 4;
      writeFileSync(join(dir, `${row}-${phase}-after.json`), JSON.stringify({ traps: 1000 + traps }));
    }
  }
}

const rowOf = (report: FlushReport, name: string) => report.rows.find((row) => row.name === name);

test("a flush: the clock and the fence are taken off, traps are for each", () => {
  writeRun();
  const report = readFlush(made());
  const blob = rowOf(report, "blob");
  assert.equal([blob?.call, blob?.done, blob?.many], [1, 10, 2]);
  assert.equal([blob?.traps, blob?.manyTraps], [1, 0.25]);
  const qemu = rowOf(report, "qemu");
  assert.equal([qemu?.done, qemu?.traps, qemu?.manyTraps], [100, null, null]);
});

test("a flush: what is wanted is met or missed by name", () => {
  writeRun();
  const { wishes } = readFlush(made());
  const [ofQemu, polled, polledTransferred] = wishes;
  assert.equal([ofQemu?.got, ofQemu?.met], [0.1, true]);
  assert.is(polled?.met, true);
  assert.is(polledTransferred?.met, false);
  assert.match(flushText(readFlush(made())), /MISS {2}traps for a flush without pause, transferred: 0\.25/);
});

test("a flush: what was not measured is named", () => {
  writeRun("blob both");
  assert.throws(() => readFlush(made()), /measured no both of blob/);
});

function writeMany(dearest: number, idle: number): void {
  const labels = ["1-first", "8-first", "8-last", "32-first", "32-last", "64-first", "64-last"];
  const answers = labels.flatMap((label, i) =>
    ["clock", "mmio_read", "mmio_write", "port_in", "port_out"].map((kind) => {
      const ns = kind === "clock" ? 100 : 100 + (i === labels.length - 1 ? dearest : 2000);
      return `${label}-${kind}\t7 ok time 0x${ns.toString(16)}`;
    }),
  );
  writeFileSync(join(dir, "said/answers"), answers.join("\n"));
  for (const [name, events] of [
    ["before-look", 100],
    ["before-idle", 103],
    ["after-idle", 106 + idle],
  ] as const) {
    writeFileSync(join(dir, `said/figures-${name}.out`), JSON.stringify({ events, blocks: events }));
  }
  writeFileSync(join(dir, "said/more.err"), "gbctl: no room\n");
}

test("many vGPUs: the dearest against the cheapest, and silence when nobody does anything", () => {
  writeMany(2300, 0);
  const report = readMany(new Said(made()));
  assert.is(report.rows[0]?.kiloInstructions.mmio_read, 1);
  assert.ok(report.wishes.every((wish) => wish.met));
  assert.match(manyText(report), /^64, at the last +1\.15 /m);
  assert.match(manyText(report), /^one more: gbctl: no room$/m);
});

test("many vGPUs: too dear, and a domain that does not sleep", () => {
  writeMany(2500, 4);
  const missed = readMany(new Said(made())).wishes.filter((wish) => !wish.met);
  assert.is(missed.length, 6);
});

test("many vGPUs: what was not measured is named", () => {
  writeMany(2000, 0);
  writeFileSync(join(dir, "said/answers"), "1-first-clock\t7 failed: time: 1 to 4096 times\n");
  assert.throws(() => readMany(new Said(made())), /1-first-clock: "7 failed: time/);
});

test.run();
