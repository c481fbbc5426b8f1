// SPDX-License-Identifier: MIT
//
// The same probes under FLASK: what our policy takes from a driver domain beyond stock Xen, also against the guests
// that it serves, and what the rest is refused with. docs/THREAT_MODEL.md lists the differences; every other row is as
// it is without FLASK.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { TYPES } from "../../host/lab/flask/rules.js";
import { guestLog, readOutput, type ScenarioResult } from "../../host/lab/scenario.js";
import { ALLOWED, documentedRows, flaskRows } from "../probe/table.js";
import { beforeAll } from "./before-all.js";
import { answersOf, logOf, runProbes, TARGETS_OWN } from "./privilege.js";

/** FLASK says -EACCES; what Xen itself refuses before it asks the policy stays -EPERM. */
const same = (got: string, wanted: string): boolean => got === wanted || (wanted === "-EPERM" && got === "-EACCES");
const label = (type: string | undefined): string => `system_u:system_r:${type}`;
const test = suite("privilege under FLASK");
let result: ScenarioResult;
let answers: Map<string, string[]>;
/** Of the domain whose `@other` is the guest that it serves. */
let onServed: Map<string, string[]>;

beforeAll(test, async () => {
  const labels = { driver: label(TYPES.DRIVER), served: label(TYPES.GUEST), other: label("domU_t") };
  result = await runProbes("privilege-flask", labels);
  answers = answersOf(result, "glovebox-probe");
  onServed = answersOf(result, "glovebox-victim");
});

test("the scenario ran to its end", () => assert.is(result.exitCode, 0, result.failure));

test("every row was tried, and answers as the document says", () => {
  const differs = new Map(flaskRows().map((row) => [row.name, row.flask]));
  const wrong = documentedRows().flatMap(({ name, answer }) => {
    const wanted = differs.get(name) ?? answer;
    const got = answers.get(name)?.join() ?? "nothing";
    return same(got, wanted) ? [] : [`${name}: ${got} instead of ${wanted}`];
  });
  assert.equal(wrong, []);
});

test("a difference is one", () => {
  const stock = new Map(documentedRows().map((row) => [row.name, row.answer]));
  for (const { name, stock: said, flask } of flaskRows().filter((row) => !row.served)) {
    assert.is(said, stock.get(name), name);
    assert.not.ok(same(flask, said), name);
  }
});

test("what stock Xen lets a device model do to its guest is what privilege.test.ts has shown", () => {
  const served = flaskRows().filter((row) => row.served);
  assert.equal(
    served.filter((row) => row.stock !== ALLOWED || !TARGETS_OWN.includes(row.name.replace("@served", ""))),
    [],
  );
});

test("on a guest that it serves: what a target would grant, and the policy does not", () => {
  const wrong = flaskRows()
    .filter((row) => row.served)
    .flatMap(({ name, flask }) => {
      const got = onServed.get(name.replace("@served", "@other"))?.join() ?? "nothing";
      return got === flask ? [] : [`${name}: ${got} instead of ${flask}`];
    });
  assert.equal(wrong, []);
});

test("the domain serves its guest afterwards, and all outlived it", () => {
  assert.match(guestLog(result, "target"), "REGS 0x47425246");
  assert.is(JSON.parse(readOutput(result, "guest.json")).state, "ready");
  assert.match(logOf(result, "glovebox-probe"), /^PROBES end after/m);
  for (const name of ["Domain-0", "target", "other", "glovebox-probe"])
    assert.match(readOutput(result, "during.txt"), new RegExp(`^${name} `, "m"));
});

test.run();
