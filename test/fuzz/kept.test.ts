// SPDX-License-Identifier: MIT
//
// The kept corpora of our modules and of the core (docs/FUZZING.md, Campaigns): what is sound stands every input, also
// with its second look, and all of them together reach at least what the table says. Modules and core may change:
// inputs of an older build are run all the same.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { coreTarget } from "../../host/fuzz/core/target.js";
import { ModuleTarget } from "../../host/fuzz/module/target.js";
import { loadTraces } from "../../host/fuzz/store.js";
import { RECORD_WORDS } from "../../host/fuzz/target.js";
import { inProject } from "../../host/pipeline/paths.js";
import { linesLeftOut } from "./reached.js";
import { moduleOf } from "./support.js";

const FOLDER = inProject("test/corpus/modules");
const DOCS = readFileSync(inProject("docs/FUZZING.md"), "utf8");

/** "| NAME | inputs | outcomes | lines |" of the table of kept corpora. */
function promised(name: string): { inputs: number; outcomes: number; lines: number } {
  const row = new RegExp(`^\\| ${name} \\| (\\d+) inputs \\| (\\d+) of \\d+ \\| (\\d+) of \\d+ \\|`, "m").exec(DOCS);
  assert.ok(row, `docs/FUZZING.md says nothing of the kept corpus of ${name}`);
  const [inputs = 0, outcomes = 0, lines = 0] = (row ?? []).slice(1).map(Number);
  return { inputs, outcomes, lines };
}

for (const name of readdirSync(FOLDER)) {
  test(`${name}: every kept input is stood, together they reach what is told`, async () => {
    const module = await moduleOf(`unikernel/modules/${name}`);
    const { traces, refused } = loadTraces(join(FOLDER, name));
    assert.equal(refused, []);
    const { inputs, outcomes, lines } = promised(name);
    assert.is(traces.length, inputs, "inputs");
    const { params } = module.manifest; // those that the module has had since then are the usual ones
    const values = traces.map(({ trace }) => params.map((one, i) => trace.params[i] ?? BigInt(one.default)));
    const target = new ModuleTarget(module, values);
    assert.equal(target.standing().findings, []);
    for (const [i, { path, trace }] of traces.entries()) {
      const set = target.setOf(values[i] ?? []);
      const words = new Int32Array(trace.records.slice().buffer);
      const records = words.length / RECORD_WORDS;
      target.input.set(words);
      assert.ok(target.run(set, records) >= 0, `${path}: a fault`);
      assert.is(target.secondLook(set, records)?.story, undefined, path);
    }
    const { edges, edgesMax } = target.coverage();
    assert.ok(edges >= outcomes, `${edges} of ${edgesMax} outcomes, ${outcomes} promised`);
    const all = traces.map(({ trace }, i) => ({ params: values[i] ?? [], records: trace.records }));
    const reached = await linesLeftOut(`unikernel/modules/${name}`, all);
    const here = reached.all - reached.left.length;
    assert.ok(here >= lines, `${here} of ${reached.all} lines, ${lines} promised; left out: ${reached.left}`);
  });
}

test("core: every kept input is stood, together they reach what is told", async () => {
  const { traces, refused } = loadTraces(inProject("test/corpus/core-campaign"));
  assert.equal(refused, []);
  const target = await coreTarget();
  for (const { path, trace } of traces) {
    const words = new Int32Array(trace.records.slice().buffer);
    const records = words.length / RECORD_WORDS;
    target.input.set(words);
    assert.ok(target.run(0, records) >= 0, `${path}: a find`);
    target.input.set(words);
    assert.is(target.secondLook(0, records)?.story, undefined, path);
  }
  const { edges, edgesMax } = target.coverage();
  process.stdout.write(`\n  core: ${traces.length} inputs, ${edges} of ${edgesMax} outcomes\n`);
  const { inputs, outcomes } = promised("core");
  assert.is(traces.length, inputs, "inputs");
  assert.ok(edges >= outcomes, `${edges} of ${edgesMax} outcomes, ${outcomes} promised`);
});

test("both modules have one", () => assert.equal(readdirSync(FOLDER).sort(), ["bochs-display", "virtio-gpu"]));

test.run();
