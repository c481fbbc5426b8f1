// SPDX-License-Identifier: MIT
//
// Seeds for the classes of published advisories, a folder each in test/corpus/regression: the lesson in words, and a
// file that shows it. Each must pass on what is sound and fail on a planted bug of its class.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { canaryModule } from "../../host/fuzz/canaries/build.js";
import { prepareFuzz } from "../../host/fuzz/module/prepare.js";
import { ModuleTarget } from "../../host/fuzz/module/target.js";
import { RECORD_WORDS } from "../../host/fuzz/target.js";
import { inProject } from "../../host/pipeline/paths.js";
import { decodeTrace } from "../../host/trace/index.js";

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

test("each class has its lesson and its seed", () => {
  const classes = readdirSync(FOLDER).sort();
  assert.equal(classes, Object.keys(MODULES).sort());
  for (const one of classes) {
    assert.match(readFileSync(join(FOLDER, one, "README.md"), "utf8"), /^# .+\n\n(.|\n)*(XSA|CVE)-/);
    assert.ok(existsSync(join(FOLDER, one, "seed.gbt")), one);
  }
});

for (const [name, { folder, bug }] of Object.entries(MODULES)) {
  test(`${name}: the sound device stands it, the canary falls`, async () => {
    const path = join(FOLDER, name, "seed.gbt");
    const { records } = decodeTrace(path, new Uint8Array(readFileSync(path)));
    const words = new Int32Array(Uint8Array.from(records).buffer);
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

test.run();
