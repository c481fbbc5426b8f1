// SPDX-License-Identifier: MIT
//
// Seeds for the classes of published advisories, a folder each in test/corpus/regression: the lesson in words, and a
// file that shows it. Each must pass on what is sound and fail on a planted bug of its class: a module, a core, a
// scheduler. One class is impossible by a layer that no input reaches; its lesson names the tests that hold the layer.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { canaryCore, canaryMachine, canaryModule } from "../../host/fuzz/canaries/build.js";
import { CORE_CANARIES } from "../../host/fuzz/canaries/list.js";
import { prepareFuzz } from "../../host/fuzz/module/prepare.js";
import { ModuleTarget } from "../../host/fuzz/module/target.js";
import { RECORD_WORDS } from "../../host/fuzz/target.js";
import { inProject } from "../../host/pipeline/paths.js";
import { SMALL, schedulerWasm } from "../../host/sched/code.js";
import { type Load, parseLoad } from "../../host/sched/load.js";
import { runInput } from "../../host/sim/fuzz/input.js";
import { decodeRecords, decodeTrace } from "../../host/trace/index.js";
import { run as schedule } from "../sched/support.js";

const FOLDER = inProject("test/corpus/regression");

/** Traces: the canary that falls by it. */
const MODULES: Record<string, { folder: "device" | "memory"; bug: number }> = {
  "double-fetch": { folder: "memory", bug: 1 },
  "emulation-overflow": { folder: "device", bug: 11 },
  "id-past-the-end": { folder: "device", bug: 2 },
  "range-end": { folder: "device", bug: 8 },
  "stale-handle": { folder: "memory", bug: 3 },
  "state-skipped": { folder: "device", bug: 6 },
  "unbounded-work": { folder: "device", bug: 15 },
};

/** Inputs of core and puppet: the core canary that falls by it, and the checker that must say so. */
const CORES: Record<string, { canary: string; checker: string }> = {
  "interrupt-storm": { canary: "interrupts not counted", checker: "interrupts" },
  "resource-leak": { canary: "instance left at detach", checker: "leaks" },
  "scanout-past-the-end": { canary: "scanout id past the end", checker: "limits" },
  "uninitialised-data": { canary: "read data not defined", checker: "isolation" },
  "wide-port": { canary: "wide address taken for a port", checker: "routing" },
};

/** No seed: what its lesson says of these tests must stand in them. */
const LAYERS: Record<string, Record<string, string>> = {
  "ioreq-state-flip": {
    "test/native/service.c": "a state that flips while answering",
    "test/native/shim.test.ts": "a slot that is completed whatever its state has become",
    "test/sim/checkers.test.ts": "transport: a state that goes back",
  },
};

const STARVATION = "starvation";

const fileOf = (name: string, file: string): string => join(FOLDER, name, file);

test("each class has its lesson and its seed", () => {
  const classes = readdirSync(FOLDER).sort();
  const known = [...Object.keys(MODULES), ...Object.keys(CORES), ...Object.keys(LAYERS), STARVATION];
  assert.equal(classes, known.sort());
  for (const one of classes) {
    assert.match(readFileSync(fileOf(one, "README.md"), "utf8"), /^# .+\n\n(.|\n)*(XSA-|CVE-|commit [0-9a-f]{12})/);
    const seed = one === STARVATION ? "load.json" : "seed.gbt";
    assert.is(existsSync(fileOf(one, seed)), !(one in LAYERS), one);
  }
});

function recordsOf(name: string): Uint8Array {
  const path = fileOf(name, "seed.gbt");
  return decodeTrace(path, new Uint8Array(readFileSync(path))).records;
}

for (const [name, { folder, bug }] of Object.entries(MODULES)) {
  test(`${name}: the sound device stands it, the canary falls`, async () => {
    const words = new Int32Array(Uint8Array.from(recordsOf(name)).buffer);
    const run = async (planted: number): Promise<number> => {
      const target = new ModuleTarget(await prepareFuzz(name, await canaryModule({ folder, bug: planted })));
      target.standing();
      target.input.set(words);
      return target.run(0, words.length / RECORD_WORDS);
    };
    assert.ok((await run(0)) >= 0);
    assert.is(await run(bug), -1);
  });
}

for (const [name, { canary, checker }] of Object.entries(CORES)) {
  test(`${name}: the core stands it, the canary falls by the checker ${checker}`, async () => {
    const records = decodeRecords(recordsOf(name));
    const planted = CORE_CANARIES.find((one) => one.name === canary);
    assert.ok(planted !== undefined, canary);
    assert.is(runInput(canaryMachine(await canaryCore()), records), undefined);
    const finding = runInput(canaryMachine(await canaryCore(planted)), records);
    assert.is(finding?.checker, checker, finding?.words);
  });
}

for (const [name, places] of Object.entries(LAYERS)) {
  test(`${name}: the tests that hold the layer are there`, () => {
    const lesson = readFileSync(fileOf(name, "README.md"), "utf8");
    for (const [path, words] of Object.entries(places)) {
      assert.ok(lesson.includes(path) && lesson.includes(words), words);
      assert.ok(readFileSync(inProject(path), "utf8").includes(words), `${path}: ${words}`);
    }
  });
}

test("starvation: everybody gets on with the scheduler, not with one that never charges", async () => {
  const path = fileOf(STARVATION, "load.json");
  const { guests } = parseLoad(path, readFileSync(path, "utf8")) as Load;
  const fair = "unikernel/core/sched/fair.ts";
  const charge = "  entity.pass += units / entity.share_weight;\n";
  const text = readFileSync(inProject(fair), "utf8");
  assert.is(text.split(charge).length, 2);
  const done = async (changed?: Map<string, string>): Promise<number[]> => {
    const result = schedule(await schedulerWasm(SMALL, changed), "weighted", 1000, guests);
    return result.guests.map((one) => one.done);
  };
  assert.ok((await done()).every((count) => count > 50));
  const starved = await done(new Map([[fair, text.replace(charge, "")]]));
  assert.is(Math.min(...starved), 0, starved.join());
});

test.run();
