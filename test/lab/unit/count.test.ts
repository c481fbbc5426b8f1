// SPDX-License-Identifier: MIT
//
// The sum at the end of `npm test` may not be too good: a file that dies, or says nothing, is a failure.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { countOf } from "../../../host/cli/test.js";

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

test.run();
