// SPDX-License-Identifier: MIT
//
// Bad guests on a real Xen (bad-guests.sh, guests are test/guest-kernel): whatever a guest does to its device, itself
// or its life, the mediator goes on, answers, says in words what was lost, and the neighbour never notices.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { guestKernelScenario, type Said } from "../../host/lab/scenarios/guest-kernel.js";
import dom0Script from "./bad-guests.sh";
import { beforeAll } from "./before-all.js";

const test = suite("bad guests on Xen");
let said: Said;

beforeAll(test, async () => {
  said = await guestKernelScenario({ name: "bad-guests", script: dom0Script });
});

const value = (label: string): bigint => said.value(label);
const figure = (name: string, key: string): number => Number(said.json(name)[key]);
const vgpus = (name: string, guest: string): { state: string; error?: string }[] =>
  (said.json(name) as unknown as { guests: { name: string; vgpus: [] }[] }[])
    .flatMap((driver) => driver.guests)
    .find((one) => one.name === guest)?.vgpus ?? [];

test("the scenario ran to its end", () => assert.is(said.result.exitCode, 0, said.result.failure));

for (const label of ["first", "over", "apic", "ram", "race", "rep", "msi", "vector", "balloon", "paused", "dead"]) {
  test(`after "${label}": the tools answer, the neighbour works, the other vGPU is ready`, () => {
    assert.is(said.code(`alive-${label}`), 0, said.err(`alive-${label}`));
    assert.is(said.json(`alive-${label}`).state, "ready");
    assert.match(said.answer(`alive-${label}`), /ok use/);
  });
}

test("two BARs at one address: the first one stays, the second gets its turn", () => {
  assert.is(value("over-first"), 0x47425246n);
  assert.ok(figure("over-stat", "refused") >= 1);
  assert.equal([value("over-check"), value("over-check2")], [0x11n, 0x22n]);
});

test("a BAR over RAM, the local APIC or port 0xcf8 hides nothing, and works again elsewhere", () => {
  assert.is(value("ram-read"), 0x5151n);
  assert.is(value("apic-after"), value("apic-before"));
  assert.is.not(value("apic-after"), 0x47425246n);
  assert.is(value("back-read"), 0x11n);
  assert.is(value("cf8-config"), 0x6762fffen);
  assert.ok(figure("cf8-stat", "refused") >= 1);
  assert.is(value("cf8-port"), 0x11n);
});

test("ram BARs over each other: neither loses its picture", () => {
  assert.is(said.crc("twin-crc"), value("draw"));
  assert.ok(figure("twin-stat", "refused") >= 1);
  assert.is(figure("twin-stat", "ram_pages"), 1024);
  assert.is(said.crc("twin-crc4"), value("twin-draw"));
});

test("a ram BAR over the guest's own RAM is the guest's problem only", () => {
  assert.is(said.crc("own-crc"), value("own-draw"));
  assert.is(said.crc("own-crc-again"), value("own-again"));
});

test("decoding off and on under another vCPU: the old value, the new one or ones", () => {
  assert.match(said.answer("race"), /ok race/);
  const race = /RACE ones (\d+) hits (\d+)/.exec(said.log("a"));
  assert.ok(Number(race?.[1]) > 0, "some accesses met decoding switched off");
});

test("string instructions across the BAR's ends, in both directions", () => {
  for (const label of ["rep-cross", "rep-below", "rep-copy", "rep-zero", "rep-ports"]) {
    assert.match(said.answer(label), /ok/, label);
  }
  assert.is(value("rep-read"), 0x78n);
});

test("messages to no interrupt controller are refused, good ones arrive", () => {
  assert.is(value("msi-answer"), 2n);
  assert.is(value("msi-good-seen"), 1n);
  assert.is(value("msix-answer"), 2n, "garbage in the MSI-X table");
});

test("a vector beyond the manifest loses this vGPU, in words, until it is reset", () => {
  assert.is(value("vector-read"), 0xffffffffn);
  const [lost, other] = vgpus("vector-list", "a");
  assert.is(lost?.state, "lost");
  assert.match(lost?.error ?? "", /guest \d+ vgpu 0: .*capability/);
  assert.is(other?.state, "ready");
  assert.match(said.answer("vector-other"), /ok use/);
  assert.match(said.answer("vector-again"), /ok use/);
});

test("a page that was ballooned away: the picture is refused in words, and comes back with the page", () => {
  assert.is(value("balloon-give"), 1n);
  assert.is.not(said.code("balloon-crc"), 0);
  assert.match(said.err("balloon-crc"), /picture not read, error -\d+/);
  assert.match(said.err("balloon-png"), /picture not read, error -\d+/);
  assert.is(said.code("balloon-crc-again"), 0, said.err("balloon-crc-again"));
  assert.is(said.code("balloon-detach"), 0, said.err("balloon-detach"));
  assert.is(said.crc("balloon-other"), value("twin-draw"));
});

test("xl save is refused at once, with words, also in mid-request; a paused guest goes on where it was", () => {
  for (const name of ["save", "save-running"]) {
    assert.is(said.code(name), 1);
    assert.match(said.err(name), /Cannot save a guest with vNUMA configured/);
  }
  assert.is(said.code("paused-stat"), 0);
  assert.is(said.crc("paused-crc"), value("twin-draw"));
  assert.is(value("paused-answer"), 0x47425246n);
  assert.match(said.answer("saved-use"), /ok use/);
});

test("death with a request pending: the mediator says who it serves, and everything can be taken away", () => {
  // Xen defers a shutdown until the vCPU that waits has its answer (vcpu_start_shutdown_deferral, xen/common/sched)
  assert.match(said.out("dead-waits"), /^c .*\n/m, "its death waits for our answer");
  assert.match(said.out("dead-waits"), /^glovebox-c +\d+ +\d+ +1 +..p/m);
  assert.not.match(said.out("dead-domains"), /^c /m, "and comes with it");
  assert.is(said.code("dead-stat"), 0, said.err("dead-stat"));
  assert.is(said.code("dead-list"), 0);
  assert.is(said.code("dead-destroy"), 0, said.err("dead-destroy"));
  assert.is(said.code("gone-destroy"), 0);
  assert.is(said.code("gone-stat"), 0, said.err("gone-stat"));
  assert.is(said.code("gone-stop"), 0, said.err("gone-stop"));
});

test("a guest that writes over itself: its mediator answers all the while", () => {
  for (const name of ["wrap-stat", "wrap-destroy", "special-stat", "special-list", "special-destroy"]) {
    assert.is(said.code(name), 0, `${name}: ${said.err(name)}`);
  }
});

test("nothing is left", () => {
  assert.is(said.code("end-destroy-a"), 0, said.err("end-destroy-a"));
  assert.equal(said.domains("domains"), ["Domain-0"]);
  assert.not.match(said.log("glovebox-a"), /panic/);
});

test.run();
