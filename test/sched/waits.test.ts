// SPDX-License-Identifier: MIT
//
// Waits: one histogram from the beginning, and one of the last one to two seconds, which forgets.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { SchedulerCode } from "../../host/sched/code.js";
import { fresh, smallWasm } from "./support.js";

const waits = suite("waits");
const BEST_EFFORT = 0;
const MS = 1_000_000n;

/** A workload that is asked for at that time, and waits so long. */
function wait(code: SchedulerCode, atMs: bigint, waitMs: bigint): void {
  assert.ok(code.submit(0, 0, 1n, 0n, atMs * MS) >= 0);
  assert.is(code.tick(0, (atMs + waitMs) * MS), 1);
  code.done(0, (atMs + waitMs) * MS + 1n);
}

waits("recent ones are forgotten after two seconds, all of them never", async () => {
  const code = fresh(await smallWasm(), BEST_EFFORT);
  const recent = (atMs: bigint, percent = 50): number => Number(code.recent_wait_us(0, 0, percent, atMs * MS));
  const near = (seen: number, us: number): void => assert.ok(seen > us && seen <= us * 1.25, `${seen} for ${us}`);
  code.attach(0, 0, 0n);
  assert.is(recent(0n), 0, "none yet");
  for (let i = 0n; i < 99n; i++) wait(code, 10_000n + i, 0n);
  wait(code, 10_200n, 400n);
  near(recent(10_700n, 100), 400_000);
  assert.is(recent(10_700n, 99), 2);
  near(recent(11_900n, 100), 400_000); // the window before
  assert.is(recent(12_700n, 100), 0, "forgotten");
  wait(code, 20_000n, 8n);
  near(recent(20_100n), 8_000);
  assert.is(Number(code.wait_us(0, 0, 50)), 2, "of all 101 the middle one did not wait");
  near(Number(code.wait_us(0, 0, 100)), 400_000);
});

waits.run();
