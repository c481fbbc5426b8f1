// SPDX-License-Identifier: MIT
//
// The simulated Xen against the real one: one scenario in both, the answers compared line by line; and a recording of
// Linux's own bochs driver, made on the real one, replayed on the host with the same answers.

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BUILD } from "../../host/lab/paths.js";
import { runScenario } from "../../host/lab/scenario.js";
import { CONFORMANCE, conformanceScript, conformanceSteps, normalised } from "../../host/lab/scenarios/conformance.js";
import { guestKernelOptions, Said } from "../../host/lab/scenarios/guest-kernel.js";
import { replayCore } from "../../host/sim/replay/core.js";
import { runScenarioText } from "../../host/sim/scenario/run.js";
import { treeMachine } from "../../host/sim/tree.js";
import { decodeTrace } from "../../host/trace/index.js";
import { beforeAll } from "./before-all.js";
import record from "./conformance-record.sh";

const test = suite("conformance");
const steps = conformanceSteps();
const RECORDED = "load bochs\necho GUEST loaded\nsleep 60\n";
let said: Said;

beforeAll(test, async () => {
  const name = "conformance";
  const options = guestKernelOptions({ name, script: conformanceScript(steps) + record });
  const files = { ...options.files, "glovebox.elf": join(BUILD, "unikernel/glovebox.elf") };
  mkdirSync(BUILD, { recursive: true });
  said = new Said(await runScenario({ ...options, files, guests: { demo: { script: RECORDED } } }));
});

test("the scenario ran to its end", () => assert.is(said.result.exitCode, 0, said.result.failure));

test("simulator and Xen answer alike, line by line", async () => {
  const log = runScenarioText(await treeMachine(), CONFORMANCE, steps);
  const differ = log.lines
    .map(({ line, step, answer }) => ({ line, step, sim: normalised(answer), xen: normalised(said.answer(`${line}`)) }))
    .filter(({ sim, xen }) => sim !== xen);
  assert.equal(differ, []);
  assert.is(log.breach, undefined);
  assert.is(log.failed, 0);
});

test("a recording of bochs-drm's start replays on the host with the same answers", async () => {
  const path = join(said.result.outputs, "said", "demo.gbt");
  const trace = decodeTrace(path, new Uint8Array(readFileSync(path)));
  const replay = replayCore(await treeMachine(), trace);
  assert.is(trace.dropped, 0);
  assert.ok(replay.compared > 100, `${replay.compared} answers`);
  assert.equal(replay.difference, undefined);
  assert.equal(replay.unknown, 0);
});

test.run();
