// SPDX-License-Identifier: MIT
//
// However our program is ended in mid-boot, its QEMU ends with it and nothing blocks the next run.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CACHE, LAB_RUNS } from "../../host/lab/paths.js";
import { glovebox, lives, qemuOf, until } from "./process.js";

const BOOT_MS = 120_000;
const END_MS = 10_000;

async function endInMidBoot(
  signal: NodeJS.Signals,
  words = ["lab", "hello"],
): Promise<{ code: number | null; text: string }> {
  const run = glovebox(...words);
  const qemu = await until(() => qemuOf(run.child.pid as number), BOOT_MS, "QEMU");
  await new Promise((resolve) => setTimeout(resolve, 1500));
  run.child.kill(signal);
  const { code } = await run.ended;
  await until(() => !lives(qemu), END_MS, "QEMU's end");
  return { code, text: run.text() };
}

function leftovers(): string[] {
  const runs = readdirSync(LAB_RUNS, { recursive: true, encoding: "utf8" }).filter((name) =>
    /(in|out)put\.tar$/.test(name),
  );
  const cache = readdirSync(join(CACHE, "lab")).filter((name) => name.startsWith("tmp-"));
  return [...runs, ...cache];
}

test("Ctrl-C", async () => {
  const before = leftovers().length;
  const { code, text } = await endInMidBoot("SIGINT");
  assert.is(code, 130, text);
  assert.match(text, /^glovebox: interrupted; nothing is left running$/m);
  assert.ok(leftovers().length <= before, leftovers().join(" "));
});

test("Ctrl-C of the demo", async () => {
  const { code, text } = await endInMidBoot("SIGINT", ["start"]);
  assert.is(code, 130, text);
  assert.match(text, /^glovebox: interrupted; nothing is left running$/m);
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
