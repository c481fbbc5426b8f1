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
import { moduleOf } from "./support.js";

const FOLDER = inProject("test/corpus/modules");
const DOCS = readFileSync(inProject("docs/FUZZING.md"), "utf8");

/** "| NAME | inputs | outcomes |" of the table of kept corpora. */
function promised(name: string): number {
  const [, outcomes] = new RegExp(`^\\| ${name} \\| \\d+ inputs \\| (\\d+) of \\d+ \\|`, "m").exec(DOCS) ?? [];
  assert.ok(outcomes, `docs/FUZZING.md says nothing of the kept corpus of ${name}`);
  return Number(outcomes);
}

for (const name of readdirSync(FOLDER)) {
  test(`${name}: every kept input is stood, together they reach what is told`, async () => {
    const module = await moduleOf(`unikernel/modules/${name}`);
    const { traces, refused } = loadTraces(join(FOLDER, name));
    assert.equal(refused, []);
    assert.ok(traces.length > 20, `${traces.length} inputs`);
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
    assert.ok(edges >= promised(name), `${edges} of ${edgesMax} outcomes, ${promised(name)} promised`);
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
  assert.ok(edges >= promised("core"), `${edges} of ${edgesMax} outcomes, ${promised("core")} promised`);
});

test("both modules have one", () => assert.equal(readdirSync(FOLDER).sort(), ["bochs-display", "virtio-gpu"]));

test.run();
