// SPDX-License-Identifier: MIT
//
// docs/TUTORIAL.md as written, all of it: the AssemblyScript and the C starting point in one guest on real Xen. The
// guest's sysfs has both, a program in it reads their registers and gets their interrupts. Also there: `xl` takes the
// configuration that `glovebox image` leaves.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Typed, tutorialBoots, tutorialCommands, type } from "../cli/tutorial.js";
import { beforeAll } from "./before-all.js";

const MINUTES = 10;

const cwd = mkdtempSync(join(tmpdir(), "glovebox-tutorial-"));
let typed: Typed;
let outputs: string;

beforeAll(test, async () => {
  typed = await type([...tutorialCommands(), ...tutorialBoots()], cwd);
  if (typed.status !== 0) {
    process.stderr.write(typed.stderr); // uvu tells that this failed, but not why
    throw new Error(`status ${typed.status}`);
  }
  const run = /^\/.*$/m.exec(typed.stdout)?.[0];
  assert.ok(run, typed.stdout);
  outputs = join(run, "outputs");
});

test.after(() => rmSync(cwd, { recursive: true, force: true }));

const output = (name: string): string => readFileSync(join(outputs, name), "utf8").replaceAll("\r", "");

test("both starting points are in the guest, with their register and their interrupt", () => {
  const said = typed.stdout.split("\n").filter((line) => line.includes(" in the guest"));
  const rest = "fffe:0001 in the guest: IDENTITY reads 0x564f4c47, interrupts received 1";
  assert.equal(said, [`my-c-device@0.1.0 is 0000:00:01.0, ${rest}`, `my-device@0.1.0 is 0000:00:02.0, ${rest}`]);
});

test("a register keeps what the guest wrote; the driver domain counted the same interrupts", () => {
  const log = output("log/console/guest-tutorial.log");
  for (const device of ["0000:00:01.0", "0000:00:02.0"]) {
    assert.match(log, new RegExp(`^SCRATCH ${device} REGS 0x12345678$`, "m"));
  }
  for (const n of [0, 1]) {
    const { irqs, state, traps } = JSON.parse(output(`stat-${n}.json`));
    assert.equal([state, irqs], ["ready", 1]);
    assert.ok(traps >= 4, `${traps} traps`);
  }
});

test("xl takes the sample configuration", () => {
  const config = JSON.parse(output("xl-dry-run.txt").replace(/^[^{]*/, ""));
  assert.is(config.c_info.type, "pv");
  assert.is(config.b_info.kernel, "glovebox.elf");
  assert.is(config.b_info.ramdisk, "modules.img");
});

test(`what a reader types takes less than ${MINUTES} minutes of the machine`, () => {
  process.stdout.write(`\n  the tutorial's commands took ${typed.seconds.toFixed(0)} s\n`);
  assert.ok(typed.seconds < MINUTES * 60, `${typed.seconds} s`);
});

test.run();
