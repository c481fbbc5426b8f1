// SPDX-License-Identifier: MIT
//
// The control tree in wrong hands (xenstore.sh): specifications that vanish, change, hold nonsense or stand where none
// belongs, storms of watches and requests. Each gets an answer in words; the vGPU that works goes on working.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { guestKernelScenario, type Said } from "../../host/lab/scenarios/guest-kernel.js";
import { beforeAll } from "./before-all.js";
import dom0Script from "./xenstore.sh";

const test = suite("xenstore abused on Xen");
let said: Said;

beforeAll(test, async () => {
  said = await guestKernelScenario({ name: "xenstore", script: dom0Script });
});

test("the scenario ran to its end", () => assert.is(said.result.exitCode, 0, said.result.failure));

for (const label of ["vanish", "change", "folder", "depth", "own", "storm", "requests", "nonsense"]) {
  test(`after "${label}" the vGPU works and the domain answers`, () => {
    assert.match(said.answer(`alive-${label}`), /ok use/);
    assert.is(said.code(`alive-${label}`), 0, said.err(`alive-${label}`));
    assert.is(said.json(`alive-${label}`).state, "ready");
  });
}

const WORDS: [string, RegExp][] = [
  ["change", /^ready: $/],
  ["big", /^refused: specification of 1500 bytes, limit 512$/],
  ["big-module", /^refused: specification of 1507 bytes, limit 512$/],
  ["huge", /^xenstore refused a node of this domain: ENOSPC$/],
  ["binary", /^refused: .*module/],
  ["folder-ready", /^ready: $/],
  ["number", /^refused: vgpu 8: numbers go from 0 to 7$/],
  ["stranger", /^refused: guest 32000: no ioreq server, error -\d+/],
  ["own-again", /^ready: $/],
  ["storm", /^ready: $/],
  ["verb", /^\d+ error malformed request: no verb "dance"$/],
  ["negative", /^\d+ error malformed request: guest must be 0 to 32751$/],
  ["overflow", /^\d+ error malformed request: guest must be 0 to 32751$/],
  ["crc-none", /^\d+ error no such scanout: 0, there are 0$/],
  ["peer", /^\d+ error no such scanout/],
  ["binary-verb", /^\d+ error malformed request: no verb /],
  ["fine", /^\d+ ok .*guests=1 vgpus=1( restarts=0\b.*)?$/],
];
for (const [label, words] of WORDS) {
  test(`${label}: in words`, () => assert.match(said.answer(label), words));
}

test("a name that would paint a terminal is quoted harmlessly", () => {
  for (const label of ["binary", "binary-verb"]) {
    assert.not.match(said.answer(label), /[\x00-\x1f\x7f-\xff]/, label);
  }
});

test("a request that is too long is answered once it is over", () => {
  assert.match(said.answer("long"), /^\d+ error request too long$/);
});

test("the domain's figures are as before, but for what was counted", () => {
  const [before, after] = [said.json("stat-before"), said.json("stat-after")];
  for (const key of ["arena_pages", "memory_pages", "guests", "vgpus", "xenstore_dropped", "console_dropped"]) {
    assert.is(after[key], before[key], key);
  }
  assert.is(said.json("vgpu-after").refused, said.json("vgpu-before").refused);
});

test("nothing is left in the tree but what is there", () => {
  const nodes = said.text("tree").match(/vgpu\/\d+\/[^ ]*/g) ?? [];
  const guest = /vgpu\/(\d+)\//.exec(nodes[0] ?? "")?.[1];
  const left = nodes.map((node) => node.replace(`vgpu/${guest}/`, "")).sort();
  assert.equal(left, ["0", "0/bdf", "0/ram_bytes", "0/state"]);
  assert.is(said.code("destroy"), 0, said.err("destroy"));
  assert.equal(said.domains("domains"), ["Domain-0"]);
});

test.run();
