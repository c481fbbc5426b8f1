// SPDX-License-Identifier: MIT
//
// The lab itself: Xen, Dom0 and a plain PVH guest start, the guest's script runs, the logs arrive.

import { existsSync } from "node:fs";
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

test.run();
