// SPDX-License-Identifier: MIT
//
// However our program is ended in mid-boot, its QEMU ends with it and nothing blocks the next run.

import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CACHE } from "../../host/lab/paths.js";
import { runScenario } from "../../host/lab/scenario.js";
import { glovebox, lives, qemuOf, readIfThere, until } from "./process.js";

/** Where nothing is cached yet, images are made first, or waited for. */
const BOOT_MS = 400_000;
const END_MS = 10_000;

interface Ended {
  code: number | null;
  text: string;
  /** Disks of the run and half-made images that are still there; other tests' runs do not count. */
  leftovers: string[];
}

/** The QEMU that has a run's disk; one that boots for later runs has none. */
function runOf(pid: number): { qemu: number; disk: string } | undefined {
  const qemu = qemuOf(pid);
  const words = qemu === undefined ? "" : readIfThere(`/proc/${qemu}/cmdline`);
  const disk = /[^\0=,]+\/input\.tar/.exec(words)?.[0];
  return qemu === undefined || disk === undefined ? undefined : { qemu, disk };
}

async function endInMidBoot(signal: NodeJS.Signals, words = ["lab", "hello"]): Promise<Ended> {
  const run = glovebox(...words);
  const pid = run.child.pid as number;
  const { qemu, disk } = await until(() => runOf(pid), BOOT_MS, "QEMU");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  run.child.kill(signal);
  const { code } = await run.ended;
  await until(() => !lives(qemu), END_MS, "QEMU's end");
  const disks = readdirSync(dirname(disk)).filter((name) => /^(in|out)put\.tar$/.test(name));
  const images = readdirSync(join(CACHE, "lab")).filter((name) => name.startsWith(`tmp-${pid}-`));
  return { code, text: run.text(), leftovers: [...disks, ...images] };
}

for (const words of [
  ["lab", "hello"],
  ["start", "--stock"],
]) {
  test(`Ctrl-C of ${words.join(" ")}`, async () => {
    const { code, text, leftovers } = await endInMidBoot("SIGINT", words);
    assert.is(code, 130, text);
    assert.match(text, /^glovebox: interrupted; nothing is left running$/m);
    assert.equal(leftovers, []);
  });
}

test("interrupted while Xen and Dom0 boot for later runs: nothing of that is kept", async () => {
  const ending = new AbortController();
  const onProgress = (text: string): void => {
    if (/later runs/.test(text)) setTimeout(() => ending.abort(new Error("enough")), 1000);
  };
  const machine = { xen: `glovebox-${process.pid}` }; // a word that Xen does not know: a machine of its own
  const run = runScenario({ name: "unborn", dom0Script: "", machine, onProgress, signal: ending.signal });
  assert.match(String(await run.catch((error) => error)), /enough/);
  assert.is(qemuOf(process.pid), undefined);
  const halves = readdirSync(join(CACHE, "lab")).filter((name) => name.startsWith(`tmp-${process.pid}-`));
  assert.equal(halves, []);
});

test("SIGTERM", async () => {
  const { code, text } = await endInMidBoot("SIGTERM");
  assert.is(code, 143, text);
});

test("SIGKILL, where no handler of ours can run", async () => {
  const { code } = await endInMidBoot("SIGKILL");
  assert.is(code, null);
});

test.run();
