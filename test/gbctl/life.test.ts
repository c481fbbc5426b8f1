// SPDX-License-Identifier: MIT
//
// gbctl start, attach, detach, destroy, stop: what is made is taken apart again, alone or while it serves.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { creating, DD, DOM0, DRIVER_NODES, fails, onlyDom0, RUNNING, run, VGPU } from "./support.js";

const life = suite("gbctl start, attach, detach, destroy, stop");

life("detach gives the allowance back", async () => {
  const scenario = `${RUNNING}on request stat 2 0 :: reply error no such vGPU\n`;
  const result = await run(["detach", "demo", "0"], { scenario });
  assert.is(result.code, 0, result.stderr);
  assert.is(result.nodes.has(VGPU), false);
  assert.is(result.domains.get("demo"), 262144);
  await fails(["detach", "demo", "3"], { scenario }, 3, /guest 2 has no vGPU 3/);
});

life("attach takes the next free number", async () => {
  const scenario = `${RUNNING}on write ${DD}/vgpu/2/1 * :: set ${DD}/vgpu/2/1/state ready\n`;
  const result = await run(["attach", "demo", "--module", "bochs-display", "--json"], { scenario });
  assert.is(result.code, 0, result.stderr);
  assert.is(JSON.parse(result.stdout).number, 1);
  const one = `${DOM0}domain 2 demo pvh 1\n`;
  await fails(["attach", "demo", "--module", "bochs-display"], { scenario: one }, 3, /name one with --driver-domain/);
});

life("destroy takes guest and own driver domain, dead or alive", async () => {
  onlyDom0(await run(["destroy", "demo"], { scenario: RUNNING }));
  const zombie = `${DOM0}domain 1 glovebox-demo pv 1\n${DRIVER_NODES}`;
  onlyDom0(await run(["destroy", "demo"], { scenario: zombie }));
  await fails(["destroy", "glovebox-demo"], { scenario: RUNNING }, 2, /gbctl stop glovebox-demo/);
  await fails(["destroy", "Domain-0"], { scenario: RUNNING }, 3, /has no vGPU/);
});

life("start, and stop of one that is needed", async () => {
  const files = { "glovebox.elf": "" };
  const scenario = creating().scenario as string;
  const started = await run(["start", "glovebox-demo", "--kernel", "glovebox.elf"], { scenario, files });
  assert.is(started.stdout, "driver domain 1 (glovebox-demo), version 0.1.0\n");
  assert.not.match(started.stderr, /ramdisk/);
  const beside = { ...files, "modules.img": "" };
  const with_ = async (...words: string[]) =>
    run(["start", "glovebox-demo", "--kernel", "glovebox.elf", ...words], { scenario, files: beside });
  assert.match((await with_()).stderr, /^ramdisk="modules\.img"$/m);
  assert.match((await with_("--modules", "./glovebox.elf")).stderr, /^ramdisk="\.\/glovebox\.elf"$/m);
  await fails(
    ["start", "--kernel", "glovebox.elf", "--modules", "none"],
    { scenario, files },
    3,
    /ramdisk with modules none/,
  );
  const late = creating({ ready: "" }).scenario as string;
  const args = ["start", "glovebox-demo", "--kernel", "glovebox.elf", "--timeout", "1"];
  onlyDom0(await fails(args, { scenario: late, files }, 4, /not ready within 1 s/));
  await fails(args, { scenario: RUNNING, files }, 1, /runs already/);
  await fails(["stop", "glovebox-demo"], { scenario: RUNNING }, 1, /serves 1 guest, which may hang/);
  assert.is(
    (await run(["stop", "glovebox-demo", "--force"], { scenario: RUNNING })).domains.has("glovebox-demo"),
    false,
  );
  await fails(["stop", "demo"], { scenario: RUNNING }, 3, /is no Glovebox driver domain/);
});
life.run();
