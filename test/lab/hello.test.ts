// SPDX-License-Identifier: MIT
//
// The lab itself: Xen, Dom0 and a plain PVH guest start, the guest's script runs, the logs arrive.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { guestLog, readOutput, runScenario } from "../../host/lab/scenario.js";
import { hello } from "../../host/lab/scenarios/hello.js";

test("a PVH guest with Debian's kernel says hello and switches itself off", async () => {
  const steps: string[] = [];
  const result = await runScenario({ ...hello(), onProgress: (text) => steps.push(text) });
  assert.is(result.exitCode, 0, result.failure);
  assert.match(guestLog(result, "hello"), /^hello from Linux 6\.1\./m);
  assert.match(readOutput(result, "xl-info.txt"), /^virt_caps +: pv hvm hap/m);
  assert.match(readOutput(result, "xl-dmesg.txt"), /Xen version 4\.17/);
  assert.ok(steps.includes("guest hello starts"), steps.join("; "));
  assert.ok(existsSync(result.consoleLog));
  assert.not.ok(existsSync(join(result.dir, "input.tar")), "the disks are removed");
});

test("Xen and Dom0 boot once; a run goes on from there", async () => {
  const run = async (xen?: string): Promise<{ log: string; words: string }> => {
    const result = await runScenario({ name: "goes-on", dom0Script: "xl info >$OUT/info\n", machine: { xen } });
    assert.match(readOutput(result, "info"), /^xen_commandline .*loglvl=all/m);
    return { log: readFileSync(result.consoleLog, "utf8"), words: readOutput(result, "xl-dmesg.txt") };
  };
  const plain = await run();
  assert.not.match(plain.log, "Xen version", "its console begins where the scenario does");
  assert.match(plain.words, "Xen version", "it is one that booted");
  const other = await run("sched=null");
  assert.match(other.words, /Command line: .*sched=null/);
});

test.run();
