// SPDX-License-Identifier: MIT
//
// fuzz --core in the campaign's loop: the same seed gives the same coverage and corpus, a core that is used again is as
// good as a new one, kept files play on it without a find, and minimize knows core inputs.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Campaign } from "../../host/fuzz/campaign.js";
import { CoreChanger } from "../../host/fuzz/core/changer.js";
import { type CoreTarget, coreTarget } from "../../host/fuzz/core/target.js";
import { inProject } from "../../host/pipeline/paths.js";
import { createMachine } from "../../host/sim/play/machine.js";
import { play } from "../../host/sim/play/operation.js";
import { decodeRecords, decodeTrace } from "../../host/trace/index.js";
import { found, options, read, write } from "../sim/machine.js";

const KEPT = inProject("test/corpus/core");
const folder = mkdtempSync(join(tmpdir(), "glovebox-core-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

function campaignOf(target: CoreTarget, seed: number): Campaign {
  const changer = (random: ConstructorParameters<typeof CoreChanger>[0]) => new CoreChanger(random, 64);
  return new Campaign(target, { seed, recordsMax: 64, vocabulary: changer, params: [0] });
}

test("same seed, same coverage, same corpus; another seed, another", async () => {
  const seen: string[] = [];
  for (const seed of [3, 3, 4]) {
    const target = await coreTarget();
    const campaign = campaignOf(target, seed);
    campaign.run(60);
    assert.is(campaign.found.size, 0, [...campaign.found.keys()].join());
    const { edges, edgesMax, compares } = target.coverage();
    assert.ok(edges > 1000 && edges < edgesMax && compares > 500, `${edges} of ${edgesMax}, ${compares}`);
    seen.push(`${target.fingerprint()} ${campaign.corpus.entries.map((one) => one.words.join()).join()}`);
  }
  assert.is(seen[0], seen[1]);
  assert.is.not(seen[0], seen[2]);
});

test("a core used again answers as a new one does, also after a panic", async () => {
  const { core } = await coreTarget();
  const panic = decodeTrace("kept", readFileSync(join(KEPT, "attach-again-panic.gbt")));
  const inputs = [[...found(), write(0x50, 0x1234n), read(0x50)], decodeRecords(panic.records)];
  const answers = (code: Parameters<typeof createMachine>[0]["core"]): string =>
    [0, 1, 0, 1]
      .map((i) => {
        const machine = createMachine({ ...options(), core: code });
        const values = (inputs[i] as (typeof inputs)[number]).map((one) => play(machine, one).value ?? "");
        return `${values.join()} ${[...machine.world.store.nodes].join()} ${machine.world.console.join()}`;
      })
      .join("\n");
  assert.is(answers(core), answers(options().core));
});

test("the program: a run of two workers, the same again, one of them alone, minimize without a find", () => {
  const glovebox = (...args: string[]) =>
    spawnSync(process.execPath, [inProject("build/host/glovebox.mjs"), ...args], { cwd: folder, encoding: "utf8" });
  const done = glovebox("fuzz", "--core", "--runs", "40", "--jobs", "2", "--seed", "5", "--json");
  assert.is(done.status, 0, done.stderr);
  const report = JSON.parse(done.stdout) as {
    module: string;
    corpus: { files: number; hash: string };
    workers: { seed: number; executions: number; fingerprint: string }[];
    status: { executions: number };
  };
  const again = JSON.parse(
    glovebox("fuzz", "--core", "--runs", "40", "--jobs", "2", "--seed", "5", "--corpus", "again", "--json").stdout,
  ) as typeof report;
  assert.equal([again.corpus.hash, again.workers], [report.corpus.hash, report.workers], "twice the same");
  const alone = JSON.parse(
    glovebox("fuzz", "--core", "--runs", "40", "--jobs", "1", "--seed", "5", "--corpus", "alone", "--json").stdout,
  ) as typeof report;
  assert.equal(alone.workers, report.workers.slice(0, 1), "a worker does the same beside others");
  assert.is(report.module, "core");
  assert.ok(report.corpus.files > 5 && report.status.executions === 80, done.stdout);
  const file = readdirSync(join(folder, "fuzz-core")).find((name) => name.endsWith(".gbt")) as string;
  const small = glovebox("minimize", join(folder, "fuzz-core", file));
  assert.is(small.status, 1);
  assert.match(small.stderr, /ends in no finding/);
});

test.run();
