// SPDX-License-Identifier: MIT
//
// `glovebox sched`: loads are checked and what is wrong is named; reports and pictures say what was simulated.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { instantiate } from "../../host/sched/code.js";
import { fluidShares } from "../../host/sched/fluid.js";
import { BadLoad, type Load, parseLoad, syntheticLoad } from "../../host/sched/load.js";
import { plotOf } from "../../host/sched/plot.js";
import { createQueue, put, take } from "../../host/sched/queue.js";
import { createRandom, integer } from "../../host/sched/random.js";
import { reportOf, tableOf } from "../../host/sched/report.js";
import { Refused } from "../../host/sched/scheduler.js";
import { simulate } from "../../host/sched/simulate.js";
import { flood, run, smallWasm } from "./support.js";

const verb = suite("glovebox sched");
const wasm = await smallWasm();

const GOOD: Load = { format: 1, guests: [{ name: "a", arrivals: { kind: "flood" } }] };

const BAD: [what: string, text: string, words: RegExp][] = [
  ["no JSON", "{", /^x: not JSON/],
  ["another format", JSON.stringify({ ...GOOD, format: 2 }), /^x: \/format: must be equal to constant/],
  ["no guests", JSON.stringify({ format: 1, guests: [] }), /^x: \/guests: must NOT have fewer than 1/],
  ["an unknown key", JSON.stringify({ ...GOOD, more: 1 }), /^x: the whole: must NOT have additional/],
  ["two of a name", JSON.stringify({ format: 1, guests: [...GOOD.guests, ...GOOD.guests] }), /two guests are named a/],
  ["a change of nobody", JSON.stringify({ ...GOOD, changes: [{ atMs: 5, guest: "b" }] }), /change at 5 ms: no guest b/],
  [
    "too many guests",
    JSON.stringify({ format: 1, guests: [0, 1].map((i) => ({ ...GOOD.guests[0], name: `n${i}`, count: 6000 })) }),
    /12000 guests, limit 10000/,
  ],
];

for (const [what, text, words] of BAD) {
  verb(`a load is refused: ${what}`, () => {
    assert.throws(
      () => parseLoad("x", text),
      (error: unknown) => error instanceof BadLoad && words.test(error.message),
    );
  });
}

verb("parameters are refused in the driver domain's own words", () => {
  const wrong = (more: object): string => {
    try {
      run(wasm, "weighted", 10, [flood("a", more)]);
    } catch (error) {
      return error instanceof Refused ? error.message : String(error);
    }
    return "";
  };
  assert.is(wrong({ weight: 0 }), "weight=0: must be 1 to 1000");
  assert.is(wrong({ cap: 101 }), "cap=101: must be 1 to 100");
  assert.match(wrong({ periodUs: 10_000, runtimeUs: 9900 }), /^deadline cannot be met: .* limit 95\.00 %$/);
});

verb("the same seed gives the same run, another one another", () => {
  const load = syntheticLoad(5, [3, 1]);
  const used = (seed: number): string =>
    JSON.stringify(simulate(instantiate(wasm), { load, policy: "weighted", timeMs: 500, seed }).guests);
  assert.is(used(1), used(1));
  assert.is.not(used(1), used(2));
});

verb("report, table and picture", () => {
  const load = syntheticLoad(3, [2, 1, 1]);
  const samplesMs = [0, 250, 500];
  const result = simulate(instantiate(wasm), { load, policy: "weighted", timeMs: 500, seed: 1, samplesMs });
  const report = reportOf(load, "weighted", result, 1e6);
  assert.is(report.guests.length, 3);
  assert.is(report.guests[0]?.wanted, 0.5);
  assert.ok((report.shareErrorMax as number) < 0.05);
  assert.match(tableOf(report), /guest-0 +(49|50|51)\.\d\d % +50\.00 %/);
  const svg = plotOf(result, samplesMs, "a <b> & c");
  assert.match(svg, /a &lt;b&gt; &amp; c/);
  assert.is(svg.match(/<polygon/g)?.length, 3);
});

verb("events come out in the order of their times, and of one time in that of their coming", () => {
  const random = createRandom(1);
  const queue = createQueue<number>();
  const all = Array.from({ length: 500 }, (_, i) => ({ i, time: integer(random, 50) }));
  for (const { i, time } of all) put(queue, time, i);
  const sorted = [...all].sort((a, b) => a.time - b.time || a.i - b.i).map(({ i }) => i);
  assert.equal(
    all.map(() => take(queue)),
    sorted,
  );
  assert.is(take(queue), undefined);
});

verb("the fluid model: caps, demands, priorities, windows", () => {
  const one = { weight: 1, cap: 100, priority: "normal", execQuantumUs: 2000, demand: 1 } as const;
  const near = (seen: number[], wanted: number[]): void => {
    for (const [i, value] of wanted.entries()) assert.ok(Math.abs((seen[i] as number) - value) < 1e-9, `${seen}`);
  };
  near(
    fluidShares("weighted", [
      { ...one, weight: 8 },
      { ...one, weight: 4 },
    ]),
    [2 / 3, 1 / 3],
  );
  near(fluidShares("weighted", [{ ...one, cap: 30, weight: 8 }, one, { ...one, demand: 0.1 }]), [0.3, 0.6, 0.1]);
  near(fluidShares("weighted", [{ ...one, priority: "high", demand: 0.4 }, one]), [0.4, 0.6]);
  near(
    fluidShares("weighted", [
      { ...one, priority: "high" },
      { ...one, priority: "low" },
    ]),
    [0.95, 0.05],
  );
  near(fluidShares("fixed-share", [{ ...one, execQuantumUs: 6000 }, one]), [0.75, 0.25]);
  near(fluidShares("equal-share", [{ ...one, weight: 9 }, one]), [0.5, 0.5]);
});

verb.run();
