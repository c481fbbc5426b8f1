// SPDX-License-Identifier: MIT
//
// Sets of ranges as Xen keeps them: touching ranges are one, a middle taken out leaves two, 256 are the end.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { addRange, covers, RANGES_MAX, type Range, removeRange } from "../../host/sim/ranges.js";
import { XEN_EEXIST, XEN_EINVAL, XEN_ENOENT, XEN_ENOMEM } from "../../unikernel/abi/xen/errno.js";

const LAST = 0xffff_ffff_ffff_ffffn;

test("ranges that touch are one, on both sides, up to the last address", () => {
  const ranges: Range[] = [];
  assert.is(addRange(ranges, 0n, 9n), 0);
  assert.is(addRange(ranges, 20n, LAST), 0);
  assert.is(addRange(ranges, 10n, 19n), 0);
  assert.equal(ranges, [{ start: 0n, end: LAST }]);
  assert.ok(covers(ranges, 5n, 25n));
});

test("an overlap is refused, and so is a range that ends before it begins", () => {
  const ranges: Range[] = [];
  addRange(ranges, 10n, 19n);
  for (const [start, end] of [
    [19n, 19n],
    [0n, 10n],
    [0n, 30n],
    [12n, 13n],
  ] as const) {
    assert.is(addRange(ranges, start, end), -XEN_EEXIST);
  }
  assert.is(addRange(ranges, 5n, 4n), -XEN_EINVAL);
  assert.is(removeRange(ranges, 5n, 4n), -XEN_EINVAL);
  assert.is(addRange(undefined, 0n, 1n), -XEN_EINVAL, "a type that Xen does not know");
});

test("a middle taken out leaves two; what is not all there is not taken", () => {
  const ranges: Range[] = [];
  addRange(ranges, 0n, 99n);
  assert.is(removeRange(ranges, 40n, 49n), 0);
  assert.equal(ranges, [
    { start: 0n, end: 39n },
    { start: 50n, end: 99n },
  ]);
  assert.is(removeRange(ranges, 30n, 60n), -XEN_ENOENT);
  assert.not(covers(ranges, 39n, 50n));
});

test("the 257th range is refused, and so is a split that makes it; one that joins is not", () => {
  const ranges: Range[] = [];
  for (let i = 0n; i < RANGES_MAX; i++) assert.is(addRange(ranges, i * 10n, i * 10n + 4n), 0);
  assert.is(addRange(ranges, 9990n, 9991n), -XEN_ENOMEM);
  assert.is(removeRange(ranges, 1n, 1n), -XEN_ENOMEM);
  assert.is(addRange(ranges, 5n, 9n), 0);
  assert.is(ranges.length, RANGES_MAX - 1);
});

test.run();
