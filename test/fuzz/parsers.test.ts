// SPDX-License-Identifier: MIT
//
// Every target of host/fuzz/native/parsers.ts for some thousand inputs, the same each time: nothing is found in the
// sources as they are, and each planted fault is found by the same run. So a target that checks nothing shows.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { runParser } from "../../host/fuzz/native/parser-run.js";
import { parsers } from "../../host/fuzz/native/parsers.js";
import { BUILD } from "../../host/lab/paths.js";

const SCRATCH = join(BUILD, "test/parsers");
const SEED = 1;
rmSync(SCRATCH, { recursive: true, force: true });

for (const parser of parsers()) {
  const options = { folder: join(SCRATCH, parser.name), seed: SEED, runs: parser.testRuns };

  test(`${parser.name}: ${parser.testRuns} inputs find nothing`, async () => {
    const report = await runParser(parser, options);
    assert.is(report.story, undefined, report.artifact);
    assert.ok(report.runs >= parser.testRuns, `only ${report.runs} ran`);
    assert.ok(report.edges > 40, `only ${report.edges} edges: the seeds get nowhere`);
  });

  for (const [i, { what, ...change }] of parser.planted.entries()) {
    test(`${parser.name}: finds ${what}`, async () => {
      const folder = join(SCRATCH, `${parser.name}-planted-${i}`);
      const report = await runParser(parser, { ...options, folder, change });
      assert.ok(report.story !== undefined, `not found within ${parser.testRuns} inputs`);
      assert.ok(report.artifact !== undefined, "the input is not kept");
      assert.match(report.story, /AddressSanitizer|runtime error|WANTED/);
    });
  }
}

test.run();
