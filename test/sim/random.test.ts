// SPDX-License-Identifier: MIT
//
// The generator of the simulator: the published numbers, and the plan of faults.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { actNth, createFaults, failNth, nextCall } from "../../host/sim/faults.js";
import { below, createRandom, next } from "../../host/sim/random.js";

test("splitmix64 of seed 1234567, as its authors print it", () => {
  const random = createRandom(1234567n);
  assert.equal(
    [next(random), next(random), next(random)],
    [6457827717110365317n, 3203168211198807973n, 9817491932198370423n],
  );
});

test("below() stays below, and reaches all of it", () => {
  const random = createRandom(1n);
  const seen = new Set(Array.from({ length: 200 }, () => below(random, 7)));
  assert.equal([...seen].sort(), [0, 1, 2, 3, 4, 5, 6]);
});

test("the nth call fails once; something may happen just before it instead", () => {
  const faults = createFaults();
  failNth(faults, "call", 2, 12);
  assert.equal(
    [1, 2, 3].map(() => nextCall(faults, "call")),
    [0, 12, 0],
  );
  let acted = 0;
  actNth(faults, "call", 1, () => acted++);
  assert.is(nextCall(faults, "other"), 0);
  assert.is(nextCall(faults, "call"), 0);
  assert.is(acted, 1);
});

test.run();
