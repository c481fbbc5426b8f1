// SPDX-License-Identifier: MIT
//
// The fuzzer's world against the mediator of test/virtio: what drivers did there (stories.ts) is answered the same
// here, and reaches what the device is for. And from inputs that each ask for one thing, the mutator makes one that
// asks for them in their order.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { Campaign } from "../../host/fuzz/campaign.js";
import { ModuleTarget } from "../../host/fuzz/module/target.js";
import { vocabularyOf } from "../../host/fuzz/module/vocabulary.js";
import { replayCalls } from "../../host/fuzz/replay.js";
import { buildModule } from "../../host/pipeline/module.js";
import { encodeRecords, type Trace } from "../../host/trace/index.js";
import { linesLeftOut } from "./reached.js";
import { PIECES, type Recorded, recordAll } from "./stories.js";
import { moduleOf, wordsOf } from "./support.js";

const FOLDER = "unikernel/modules/virtio-gpu";
const module = await moduleOf(FOLDER);
const usual = module.manifest.params.map((one) => BigInt(one.default));
/** Before the mutator knew requests none of them got there. */
const SEEDS = [6, 4, 1];
const RUNS = 20_000;

function traceOf({ name, params, records }: Recorded): Trace {
  const { name: of, version, params: known } = module.manifest;
  return {
    level: "module",
    name: of,
    version,
    wasmSha256: module.wasmSha256,
    params: known.map((one) => BigInt(params[one.name] ?? one.default)),
    seed: 0n,
    dropped: 0,
    story: name,
    records: encodeRecords(records),
  };
}

const all = recordAll().map(traceOf);

for (const trace of all) {
  test(`${trace.story}: the fuzzer's world answers as the mediator did`, async () => {
    const { compared, difference } = await replayCalls(FOLDER, await buildModule(FOLDER), trace);
    assert.is(difference, undefined);
    assert.ok(compared >= 10, `${compared} answers compared`);
  });
}

test("together they reach every line of what makes, fills, shows and draws a picture", async () => {
  const { left } = await linesLeftOut(FOLDER, all);
  const whole = /^(transfer|scanouts|workload|cursor|rect)\.ts/;
  assert.equal(
    left.filter((one) => whole.test(one)),
    [],
  );
});

test("making, filling, drawing and flushing, each in an input of its own, are put together", async () => {
  const pieces = recordAll(PIECES).map(({ records }) => wordsOf(records));
  const inputs = pieces.map((words) => ({ params: usual, records: new Uint8Array(words.buffer) }));
  assert.ok((await linesOfTransfer(inputs)).length > 5, "none of them transfers anything");
  for (const seed of SEEDS) {
    const campaign = campaignFrom(pieces, seed);
    campaign.run(RUNS);
    assert.is(campaign.found.size, 0);
    const made = campaign.corpus.entries.filter((one) => one.params === 0);
    const left = await linesOfTransfer(
      made.map(({ words }) => ({ params: usual, records: new Uint8Array(words.slice().buffer) })),
    );
    if (left.length === 0) return;
  }
  assert.unreachable(`not by ${RUNS} inputs of any of the seeds ${SEEDS}`);
});

function campaignFrom(seeds: readonly Int32Array[], seed: number): Campaign {
  const target = new ModuleTarget(module);
  const vocabulary = vocabularyOf(module.manifest, module.covered.constants);
  const campaign = new Campaign(target, { seed, recordsMax: 128, vocabulary, params: target.standing().usable });
  for (const words of seeds) campaign.seed({ params: 0, words });
  return campaign;
}

async function linesOfTransfer(inputs: Parameters<typeof linesLeftOut>[1]): Promise<string[]> {
  return (await linesLeftOut(FOLDER, inputs)).left.filter((one) => one.startsWith("transfer.ts"));
}

test.run();
