// SPDX-License-Identifier: MIT
//
// What Dom0's scripts wait for a guest's log with: it sees lines that are there, that come, in a file that comes or is
// replaced, and nothing else.

import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";

const test = suite("await-line");
const home = mkdtempSync(join(tmpdir(), "glovebox-test-await-"));
test.after(() => rmSync(home, { recursive: true, force: true }));

/** Long enough for it to have looked at the file before. */
const SOON_MS = 200;

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function ended(child: ChildProcess): Promise<Ended> {
  let [out, err] = ["", ""];
  child.stdout?.on("data", (bytes) => {
    out += bytes;
  });
  child.stderr?.on("data", (bytes) => {
    err += bytes;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, err })));
}

const awaitLine = (...words: string[]): Promise<Ended> =>
  ended(spawn(join(DOM0_PROGRAMS, "await-line"), words, { cwd: home }));

test("the first line that matches, without its carriage return", async () => {
  writeFileSync(join(home, "there"), "one\r\ntwo 2\r\ntwo 3\r\n");
  assert.equal(await awaitLine("there", "^two [0-9]+$", "60"), { code: 0, out: "two 2\n", err: "" });
  assert.equal(await awaitLine("-n", "2", "there", "^two", "60"), { code: 0, out: "two 3\n", err: "" });
});

test("a line that comes, in two pieces", async () => {
  writeFileSync(join(home, "grows"), "begin\n");
  const waits = awaitLine("grows", "^answer", "60");
  await delay(SOON_MS);
  appendFileSync(join(home, "grows"), "answer");
  await delay(SOON_MS);
  appendFileSync(join(home, "grows"), " 42\n");
  assert.equal(await waits, { code: 0, out: "answer 42\n", err: "" });
});

test("a file that comes, and one that takes its place, counted anew", async () => {
  const waits = awaitLine("-n", "2", "late", "x", "60");
  await delay(SOON_MS);
  writeFileSync(join(home, "late"), "x 1\n");
  await delay(SOON_MS);
  writeFileSync(join(home, "new"), "x 2\n");
  renameSync(join(home, "new"), join(home, "late"));
  await delay(SOON_MS);
  appendFileSync(join(home, "late"), "x 3\n");
  assert.equal(await waits, { code: 0, out: "x 3\n", err: "" });
});

test("when the time is over: 1, and nothing is said", async () => {
  writeFileSync(join(home, "still"), "nothing\nlast, without an end");
  assert.equal(await awaitLine("still", "last", "1"), { code: 1, out: "", err: "" });
});

test("wrong words: 2, and which", async () => {
  const cases: [words: string[], told: RegExp][] = [
    [[], /^usage: /],
    [["there", "(", "1"], /^usage: /],
    [["-n", "0", "there", "x", "1"], /^usage: /],
    [["there", "x", "soon"], /^await-line: "soon" is no number/],
    [["nowhere/there", "x", "1"], /^await-line: cannot watch the folder of nowhere\/there: No such file/],
  ];
  for (const [words, told] of cases) {
    const { code, err } = await awaitLine(...words);
    assert.is(code, 2, words.join(" "));
    assert.match(err, told);
  }
});

test.run();
