// SPDX-License-Identifier: MIT
//
// The sum at the end of `npm test` may not be too good: a file that dies, or says nothing, is a failure.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { countOf, failuresOf, summary } from "../../../host/cli/tally.js";

const said = (total: number, passed: number, skipped: number): string =>
  `• •\n\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1.00ms\n`;

test("all passed", () => assert.equal(countOf(said(5, 5, 0), 0), { passed: 5, failed: 0, skipped: 0 }));
test("some skipped", () => assert.equal(countOf(said(4, 4, 2), 0), { passed: 4, failed: 0, skipped: 2 }));
test("some failed", () => assert.equal(countOf(said(5, 3, 0), 1), { passed: 3, failed: 2, skipped: 0 }));
test("all passed, then the program died", () => {
  assert.equal(countOf(said(5, 5, 0), 1), { passed: 5, failed: 1, skipped: 0 });
  assert.equal(countOf(said(5, 5, 0), null), { passed: 5, failed: 1, skipped: 0 });
});
test("nothing said at all", () => assert.equal(countOf("", 0), { passed: 0, failed: 1, skipped: 0 }));

const FAILED = '• ✘   (1 / 2)\n\n   FAIL  "the second"\n    Expected values to be strictly equal:  (is)\n';
test("what failed is named", () => {
  assert.equal(failuresOf(FAILED), ['"the second"']);
  assert.equal(failuresOf(said(5, 5, 0)), []);
});

test("the last lines name each failure under its file, and the longest files", () => {
  const count = { passed: 1, failed: 0, skipped: 0 };
  const text = summary([
    { name: "a", count: { ...count, failed: 1 }, failures: ['"the second"'], seconds: 2 },
    { name: "b", count, failures: [], seconds: 70 },
    { name: "c", count: { passed: 0, failed: 1, skipped: 2 }, failures: [], seconds: 1 },
  ]);
  assert.match(text, /longest:\n {5}70 s {2}b\n {6}2 s {2}a\n/);
  assert.match(
    text,
    /failed:\n {2}a\n {4}"the second"\n {2}c: ended badly, see above\n2 passed, 2 failed, 2 skipped\n$/,
  );
});

test.run();
