// SPDX-License-Identifier: MIT
//
// Interference must tell what one guest did from what another sees, and faults that strike whoever comes next from a
// leak.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeManifest } from "../../host/pipeline/manifest.js";
import { interference } from "../../host/sim/checkers/interference.js";
import { type SimModule, scriptedModule } from "../../host/sim/module.js";
import { FLAG_SECRET, KIND_FAIL } from "../../host/sim/play/kinds.js";
import { createMachine } from "../../host/sim/play/machine.js";
import { play } from "../../host/sim/play/operation.js";
import { PUPPET } from "../../host/sim/play/puppet.js";
import { record } from "../../host/trace/index.js";
import { attach, BAR, config, found, options, read, write } from "./machine.js";

function gossip(): SimModule {
  let heard = 0n; // outside of any instance: what no module can have, planted here
  return scriptedModule(new Uint8Array(encodeManifest({ ...PUPPET, name: "gossip" })), () => ({
    barWrite: (_bar, _offset, _size, value) => {
      heard = value & 0xffn;
    },
    barRead: () => (heard * 3n) & 0xfen,
  }));
}

test("interference: what one guest wrote can be told from what another reads, though no secret is seen", () => {
  const records = [...found(0), ...found(1), write(0, 0n, { flags: FLAG_SECRET, size: 4 }), read(0, { domid: 1 })];
  const make = (module: SimModule, name: string) => ({ ...options(), modules: [{ name, module }] });
  const leaky = () => interference(make(gossip(), "gossip"), records, 0);
  assert.match(leaky() ?? "nothing", /^the secret of guest 0 shows: "11 answered/);
  assert.is(interference(options(), records, 0), undefined);
});

/** FAILING of host/sim/play/operation.ts: the third call that may fail; here the next one of it does. */
const NEXT_MAP_FAILS = record({ kind: KIND_FAIL, flags: 3 });
const devices = [0, 1].flatMap((domid) => [attach(domid), config(0x10, 4, BAR, domid)]);
/** Whether guest 0 then decodes memory, and maps a BAR, is a bit of its secret. */
const byItsSecret = { ...config(0x04, 2, 0n), flags: FLAG_SECRET };
const neighbour = [config(0x04, 2, 6n, 1), read(0x50, { domid: 1 })];

test("interference: a fault that strikes whoever comes next, by what a guest did with its secret, is no leak", () => {
  const records = [...devices, NEXT_MAP_FAILS, byItsSecret, ...neighbour];
  const answers = [0, 1].map((salt) => {
    const machine = createMachine({ ...options(), salt, saltOf: 0 });
    const values = records.map((one) => play(machine, one).value);
    return `${machine.world.faults.struck.join()} ${values.at(-1)}`;
  });
  assert.match(answers.join(" | "), /^ioreq_range_map (\d+) \d+ \| ioreq_range_map (?!\1)\d+ \d+$/);
  assert.is.not(answers[0]?.split(" ")[2], answers[1]?.split(" ")[2], "the other guest does see another answer");
  assert.is(interference(options(), records, 0), undefined);
});

test("interference: before such a fault, and beside one that strikes the same, a leak is seen", () => {
  const leak = [write(0, 0n, { flags: FLAG_SECRET, size: 4 }), read(0, { domid: 1 })];
  const machine = { ...options(), modules: [{ name: "gossip", module: gossip() }] };
  const before = [...found(0), ...found(1), ...leak, NEXT_MAP_FAILS, byItsSecret, ...neighbour];
  assert.match(interference(machine, before, 0) ?? "nothing", /^the secret of guest 0 shows/);
  const again = { ...machine, modules: [{ name: "gossip", module: gossip() }] };
  const noInstance = record({ kind: KIND_FAIL, flags: 15 }); // instance_create
  const beside = [...found(0), ...found(1), noInstance, attach(2), ...leak];
  assert.match(interference(again, beside, 0) ?? "nothing", /^the secret of guest 0 shows/);
});

test.run();
