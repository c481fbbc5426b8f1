// SPDX-License-Identifier: MIT
//
// Modules that come and go while the domain runs, several versions of one name, and what is told about them.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeManifest } from "../../host/pipeline/manifest.js";
import { configWrite, memoryRead } from "../../host/sim/guest.js";
import { scriptedModule } from "../../host/sim/module.js";
import { restartDriver, settle, type World } from "../../host/sim/world.js";
import { storeList, storeRead, storeRemove } from "../../host/sim/xenstore.js";
import { CORE, GUEST, machine, PROBE, probe, request, SLOT, specify, vgpuNode } from "./support.js";

const GREF = 77;
const BAR0 = 0xf0000000;

/** The next request, with a number of its own. */
function ask(world: World, text: string): string {
  const last = Number(storeRead(world.store, "data/glovebox/reply")?.split(" ")[0] ?? 0);
  return (request(world, `${last + 1} ${text}`) ?? "").replace(/^\d+ /, "");
}

const version = (number: string, answer: bigint) => {
  const one = probe({ version: number });
  one.script.barRead = () => answer;
  return one.module;
};

function load(world: World, module: Parameters<World["offers"]["set"]>[1]): string {
  world.offers.set(GREF, module);
  return ask(world, `load ${GREF} 1000 0`);
}

test("loaded, listed, used, unloaded", () => {
  const { world } = machine([]);
  assert.equal(storeList(world.store, "data/glovebox/module"), []);
  assert.is(specify(world, "module=probe guest=pvh"), "refused");
  assert.match(load(world, version("2.0.0", 2n)), /^ok slot=0 name=probe version=2.0.0 abi=1 blake2b=[0-9a-f]{128} /);
  assert.match(
    storeRead(world.store, "data/glovebox/module/0") ?? "",
    /^name=probe version=2.0.0 .* from=live serial=/,
  );
  assert.is(specify(world, "module=probe guest=pvh", 1), "ready");
  assert.match(ask(world, "module 0"), /^ok name=probe version=2.0.0 .* instances=1 /);
  assert.is(ask(world, "unload probe@2.0.0"), "error module probe@2.0.0 in use: 1 vGPUs have it");
  storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/1`);
  settle(world);
  assert.is(ask(world, "unload probe@2.0.0"), "ok");
  assert.equal(storeList(world.store, "data/glovebox/module"), []);
  assert.is(ask(world, "module 0"), "error no module in slot 0");
  assert.is(ask(world, "unload probe@2.0.0"), "error no such module: probe@2.0.0");
});

test("without a version it is the one loaded last, with one that very one", () => {
  const { world, guest } = machine([version("1.0.0", 1n), version("3.0.0", 3n)]);
  const uses = (text: string): bigint => {
    assert.is(specify(world, `${text} guest=pvh`), "ready", vgpuNode(world, "error"));
    configWrite(world, guest, SLOT, 0x10, 4, BAR0);
    configWrite(world, guest, SLOT, 4, 2, 2);
    const answer = memoryRead(world, guest, BigInt(BAR0), 4);
    storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/0`);
    settle(world);
    return answer;
  };
  assert.is(uses("module=probe"), 3n);
  assert.is(uses("module=probe@1.0.0"), 1n);
  assert.match(load(world, version("2.0.0", 2n)), /^ok slot=2 /);
  assert.is(uses("module=probe"), 2n);
  assert.is(uses("module=probe@3.0.0"), 3n);
  assert.is(ask(world, "unload probe@3.0.0"), "ok");
  assert.match(load(world, version("0.9.0", 9n)), /^ok slot=1 /); // its slot is taken again
  assert.is(uses("module=probe"), 9n);
  assert.is(specify(world, "module=probe@3.0.0 guest=pvh"), "refused");
  assert.match(vgpuNode(world, "error") ?? "", /^module=probe@3.0.0: no such module/);
});

test("what is refused is refused in words, and nothing stays", () => {
  const { world } = machine([]);
  assert.is(
    load(world, "it needs another library (DT_NEEDED)"),
    "error module refused: it needs another library (DT_NEEDED)",
  );
  assert.is(ask(world, "load 5 100 0"), "error module refused: its pages cannot be read, error -14");
  const bytes = new Uint8Array(encodeManifest(PROBE));
  bytes[112] = 9;
  const bad = scriptedModule(bytes, () => ({}));
  assert.is(load(world, bad), "error module refused: manifest: bar kind");
  assert.equal(
    world.modules.filter((one) => one !== undefined),
    [],
  );
  for (const text of ["load", "load 1", "load 1 2", "load x 2 0", "load 1 2 99999", "load 1 2 0 3"]) {
    assert.match(ask(world, text), /^error malformed request/, text);
  }
  for (const text of ["unload", "unload probe"]) assert.match(ask(world, text), /needs <name>@<version>/);
  assert.match(ask(world, "unload probe@1 x"), /is too much/);
  assert.match(ask(world, "module 32"), /must be 0 to 31/);
});

test("refusals of the ramdisk stand in xenstore, and the domain is ready", () => {
  const made = machine([version("1.0.0", 1n)]);
  assert.equal(storeList(made.world.store, "data/glovebox/refused"), []);
  const { world } = machine([version("1.0.0", 1n)], "", [
    "a-1.gbx: not listed in B2SUMS",
    "ramdisk: ends within a file",
  ]);
  assert.is(storeRead(world.store, "data/glovebox/refused/0"), "a-1.gbx: not listed in B2SUMS");
  assert.is(storeRead(world.store, "data/glovebox/refused/1"), "ramdisk: ends within a file");
  assert.is(storeRead(world.store, "data/glovebox/state"), "ready");
});

test("a module that is gone after a restart takes its vGPU with it, by name", () => {
  const { world } = machine([version("1.0.0", 1n), version("2.0.0", 2n)]);
  assert.is(specify(world, "module=probe@2.0.0 guest=pvh"), "ready");
  world.modules[1] = undefined;
  restartDriver(world, CORE, 1, "a test");
  assert.is(vgpuNode(world, "state"), "refused");
  assert.match(
    vgpuNode(world, "error") ?? "",
    /its module is not loaded any more after the driver domain's panic: a test/,
  );
  assert.equal(storeList(world.store, "data/glovebox/module"), ["0"]);
});

test("state: a hash of the instance", () => {
  const { world } = machine([version("1.0.0", 1n)]);
  assert.is(specify(world, "module=probe guest=pvh"), "ready");
  assert.match(ask(world, `state ${GUEST} 0`), /^ok module=probe@1.0.0 hash=[0-9a-f]{8} fuel_used=\d+$/);
});

test.run();
