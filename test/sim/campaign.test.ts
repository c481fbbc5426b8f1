// SPDX-License-Identifier: MIT
//
// `fuzz --core`: same seed, same corpus; a planted breach is found, made short and replayed; inputs run clean on the
// core as it is.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Checker } from "../../host/sim/checkers/checker.js";
import { campaign } from "../../host/sim/fuzz/campaign.js";
import { generate, mutate, OPERATIONS_MAX } from "../../host/sim/fuzz/generate.js";
import { keyOf, lookTwice, minimize, runInput, storyOf } from "../../host/sim/fuzz/input.js";
import { createRandom } from "../../host/sim/random.js";
import { isInput, replayInput } from "../../host/sim/replay/input.js";
import { encodeRecords, type Trace } from "../../host/trace/index.js";
import { found, options, write } from "./machine.js";

test("same seed, same inputs, same corpus; another seed, another", () => {
  const run = (seed: bigint) => campaign({ machine: options(), seed, runs: 60 });
  const [a, b, c] = [run(1n), run(1n), run(2n)];
  assert.is(a.hash, b.hash);
  assert.is.not(a.hash, c.hash);
  assert.equal([a.findings, a.runs], [0, 60]);
  assert.ok(a.corpus > 5 && a.features > 50, `${a.corpus} ${a.features}`);
});

test("inputs have a length, and a changed one is another", () => {
  const random = createRandom(5n);
  const one = generate(random);
  assert.ok(one.length >= 1 && one.length <= OPERATIONS_MAX + 64);
  const many = Array.from({ length: 20 }, () => mutate(random, one, one));
  assert.ok(many.some((other) => Buffer.compare(encodeRecords(other), encodeRecords(one)) !== 0));
});

/** A breach on order: the puppet is told 77. */
const planted = (): Checker => ({
  name: "planted",
  entry: (_machine, entry) => (entry.kind === "answered" && entry.data === 77n ? "guest 10 said 77" : undefined),
});

test("a breach is found, told, made short, and replays", () => {
  const machine = { ...options(), checkers: [planted] };
  const noise = Array.from({ length: 20 }, (_, i) => write(0x50, BigInt(i)));
  const records = [...noise, ...found(), ...noise, write(0x50, 77n), ...noise];
  const finding = runInput(machine, records);
  assert.is(finding?.checker, "planted");
  const key = keyOf(finding as NonNullable<typeof finding>);
  assert.is(key, "planted: guest N said N");
  const small = minimize(machine, records, key);
  assert.ok(small.length <= 4, `${small.length} operations are left`);
  const again = runInput(machine, small);
  assert.match(
    storyOf(again as NonNullable<typeof again>, small),
    /^planted after mmio, operation \d: guest 10 said 77$/,
  );
  const trace: Trace = {
    ...{ level: "core", name: "core", version: "", wasmSha256: "", params: [], seed: 1n, dropped: 0, story: "" },
    records: encodeRecords(small),
  };
  assert.ok(isInput(trace));
  const replay = replayInput(machine, trace);
  assert.match(replay.difference ?? "", /guest 10 said 77/);
  assert.is(replayInput(machine, trace, 1).difference, undefined);
});

test("a second look finds nothing in what works", () => {
  assert.is(lookTwice(options(), [...found(0), ...found(1), write(0x50, 1n)]), undefined);
});

test.run();
