// SPDX-License-Identifier: MIT
//
// What the policies promise, on Xen: two guests flood the copy engine and get it by weights, caps, windows, priorities;
// a third one works by the clock and meets 1000 deadlines beside them. Guests are test/guest-kernel; under -icount, one
// pCPU for Xen, Dom0 and all guests. Simulated time has the same promises within 0.1 % (test/sched/promises.ts).

import { test } from "uvu";
import * as assert from "uvu/assert";
import { guestLog, readOutput, type ScenarioResult } from "../../host/lab/scenario.js";
import type { Figures } from "../../host/lab/scenarios/demo.js";
import type { Said } from "../../host/lab/scenarios/guest-kernel.js";
import { denials } from "../../host/lab/scenarios/guests.js";
import { beforeAll } from "./before-all.js";
import { rawGuests } from "./raw-guests.js";
import script from "./shares.sh";

/** Of what is wanted. */
const TOLERANCE = 0.02;

let result: ScenarioResult;
let said: Said;

beforeAll(test, async () => {
  said = await rawGuests("shares", script);
  result = said.result;
});

const engine = (when: string, guest: string): Figures =>
  JSON.parse(readOutput(result, `engine-${when}-${guest}.json`)) as Figures;

/** Part of all time that the guest had the engine in; each reading has its own time. */
function part(name: string, guest: string): number {
  const [begin, end] = [engine(`${name}-begin`, guest), engine(`${name}-end`, guest)];
  const grown = (key: string): number => Number(end[key]) - Number(begin[key]);
  return grown("engine_ns") / grown("now_ns");
}

/** What left and right had, and the one's over the other's. */
function parts(name: string): { left: number; right: number; ratio: number } {
  const [left, right] = [part(name, "left"), part(name, "right")];
  const percent = (value: number): string => `${(value * 100).toFixed(2)} %`;
  console.log(`  ${name}: left ${percent(left)}, right ${percent(right)}, ratio ${(left / right).toFixed(4)}`);
  return { left, right, ratio: left / right };
}

function near(what: string, got: number, wanted: number): void {
  assert.ok(Math.abs(got / wanted - 1) <= TOLERANCE, `${what}: ${got}, wanted ${wanted} within ${TOLERANCE * 100} %`);
}

test("weights 8 and 4: engine time 2 to 1", () => near("ratio", parts("weights").ratio, 2));

test("a weight that changes while both flood counts from then on", () => near("ratio", parts("changed").ratio, 0.5));

test("a cap of 30 %: so much of all time, and the other one has what it can use of the rest", () => {
  const { left, right } = parts("cap");
  near("left", left, 0.3);
  assert.ok(right > 0.4, `right: ${right}`); // one guest's rings and commands, which nobody else's copies fill
});

test("priorities: the low one has a twentieth of what both have", () => {
  const { left, right } = parts("priority");
  near("low", right / (left + right), 1 / 20);
});

test("windows of 48 and 16 ms: 3 to 1", () => near("ratio", parts("fixed").ratio, 3));

test("a guest that only computes has half of the processor, not more: the engine goes on with the other half", () => {
  const { left, right } = parts("compute");
  assert.ok(left + right > 0.35, `${left + right} of the time`); // rings and commands take a quarter of ours, too
});

test("1000 deadlines beside two floods: none missed", () => {
  const paces = guestLog(result, "cluster").match(/PACE times .*/g) ?? [];
  console.log(`  alone: ${paces[0]}\n  beside floods: ${paces[1]}`);
  assert.match(paces[1] as string, /^PACE times 1000 /);
  assert.is(said.value("pace"), 0n);
  const { left, right } = parts("deadline");
  assert.ok(left + right > 0.3, "the floods have the rest");
});

test("nobody lost its device, Xen refused nothing", () => {
  for (const guest of ["left", "right", "cluster"])
    assert.is((JSON.parse(readOutput(result, `stat-end-${guest}.json`)) as Figures).state, "ready", guest);
  assert.equal(denials(readOutput(result, "xl-dmesg.txt")), []);
});

test.run();
