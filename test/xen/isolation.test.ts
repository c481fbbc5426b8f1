// SPDX-License-Identifier: MIT
//
// One driver domain under an enforcing FLASK policy for four guests on virtio-gpu: each tries the others' resource ids,
// contexts, outputs and addresses; one dies in the middle of a flood; nothing is left afterwards. The guests are
// test/guest-kernel, whose driver says what no honest one would; under -icount, so that no time limit depends on the
// host's load.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { guestLog, readOutput, type ScenarioResult } from "../../host/lab/scenario.js";
import { newNodes, OF_GUESTS, readBooks, STEADY } from "../../host/lab/scenarios/books.js";
import booksScript from "../../host/lab/scenarios/books.sh";
import type { Figures } from "../../host/lab/scenarios/demo.js";
import type { Said } from "../../host/lab/scenarios/guest-kernel.js";
import { denials } from "../../host/lab/scenarios/guests.js";
import { beforeAll } from "./before-all.js";
import script from "./isolation.sh";
import { rawGuests } from "./raw-guests.js";

/** Answers of virtio 1.2, 5.7.6.7. */
const OK_NODATA = 0x1100n;
const ERR_UNSPEC = 0x1200n;
const ERR_INVALID_SCANOUT_ID = 0x1202n;
const ERR_INVALID_RESOURCE_ID = 0x1203n;
const NEEDS_RESET = 0x40n;
const COMMANDS = ["flush", "transfer", "scanout", "attach", "detach", "unref"];
const FOREIGN = ["tester-2", "tester-99", "other-2", "other-77"];

let result: ScenarioResult;
let said: Said;

beforeAll(test, async () => {
  said = await rawGuests("isolation", booksScript + script);
  result = said.result;
});

const figures = (name: string): Figures => JSON.parse(readOutput(result, `${name}.json`)) as Figures;
const crc = (when: string, guest: string): bigint => BigInt(`0x${figures(`crc-${when}-${guest}-0`).crc32}`);

test("each shows its own picture", () => {
  for (const guest of ["busy", "victim", "tester", "other"])
    assert.is(crc("quiet", guest), said.value(`shown-${guest}`), guest);
});

for (const name of FOREIGN) {
  test(`${name}: every command with another guest's resource is refused as one that does not exist`, () => {
    for (const what of COMMANDS) assert.is(said.value(`${what}-${name}`), ERR_INVALID_RESOURCE_ID, what);
  });
}

test("contexts do not exist, and name nobody", () => {
  for (const what of ["create", "attach", "submit"]) assert.is(said.value(`context-${what}`), ERR_UNSPEC, what);
  assert.is(said.value("context-other"), ERR_INVALID_RESOURCE_ID);
  assert.is(said.value("output-other"), ERR_INVALID_SCANOUT_ID);
});

test("addresses where only another guest has memory: nothing to transfer from, no ring", () => {
  assert.is(said.value("address-make"), OK_NODATA);
  assert.is(said.value("address-attach"), OK_NODATA); // a backing is only looked at when it is used
  assert.is(said.value("address-transfer"), ERR_UNSPEC);
  assert.is(said.value("address-rings") & NEEDS_RESET, NEEDS_RESET);
});

test("nobody else saw any of it: pictures and memory are as before, and the one who tried works again", () => {
  for (const guest of ["busy", "victim", "other"]) assert.is(crc("tried", guest), crc("quiet", guest), guest);
  assert.is(said.value("memory-other-after"), said.value("memory-other"));
  assert.is(crc("tried", "tester"), said.value("picture-again"));
  assert.is(figures("stat-tried-tester").state, "ready");
});

test("a page that a guest gave back and got anew is copied as it is now", () => {
  const invalidates = (when: string): number => Number(figures(`stat-${when}-other`).invalidates);
  assert.ok(invalidates("new") > invalidates("kept"), "Xen told us");
  for (const what of ["transfer", "flush"]) assert.is(said.value(`${what}-new`), OK_NODATA);
  assert.is(crc("quiet", "other"), said.value("memory-other"));
  assert.is(crc("new", "other"), said.value("memory-new"));
  assert.is.not(crc("new", "other"), crc("quiet", "other"));
});

test("one dies in the middle of a flood: the others go on", () => {
  assert.ok(Number(figures("engine-later-busy").done) > Number(figures("engine-survived-busy").done));
  assert.ok(said.value("flood-busy") > 0n);
  assert.is(crc("survived", "busy"), said.value("shown-busy"));
  assert.is(crc("survived", "tester"), said.value("picture-again"));
  assert.is(crc("survived", "other"), said.value("picture-survived"));
});

test("Xen refused nothing in all that", () => {
  for (const when of ["first", "all-gone", "end"]) assert.equal(denials(readOutput(result, `xen-${when}.txt`)), []);
});

test("nothing is left in Xen, in xenstore, in the driver domain", () => {
  assert.equal(readBooks(said, "end"), readBooks(said, "all-gone"));
  assert.equal(newNodes(said, "first", "end"), []);
  const [first, end] = [readBooks(said, "first"), readBooks(said, "end")];
  for (const key of OF_GUESTS) assert.is(end[key], first[key], key);
  for (const key of STEADY) assert.is(figures("idle-after")[key], figures("idle-before")[key], key);
  assert.equal([figures("idle-after").guests, figures("idle-after").vgpus], [0, 0]);
  assert.not.match(guestLog(result, "glovebox-demo"), /panic/i);
});

test.run();
