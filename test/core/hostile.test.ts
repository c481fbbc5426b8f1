// SPDX-License-Identifier: MIT
//
// Every misdeed of test/modules/hostile-runtime, by the real module: it ends as its table says, in words or counted;
// the second vGPU of the same guest answers before, after and beside it, and a reset brings the hostile one back.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { addMemory } from "../../host/sim/domain.js";
import { configWrite, memoryRead, memoryWrite } from "../../host/sim/guest.js";
import { settle } from "../../host/sim/world.js";
import { MISDEEDS } from "../modules/hostile-runtime/table.js";
import { GUEST, machine, realModule, request, SLOT, specify, stat, vgpuNode } from "./support.js";

const HOSTILE = 0xf0000000n;
const RAM = 0xe0000000n;
const NEIGHBOUR = 0xf8000000n;
const SCRATCH = 0x40n;
const MISDEED = 0x14n;

const MODULES = [await realModule("test/modules/hostile-runtime"), await realModule("test/modules/register-file")];

function place(all: ReturnType<typeof machine>): void {
  configWrite(all.world, all.guest, SLOT, 0x10, 4, Number(HOSTILE));
  configWrite(all.world, all.guest, SLOT, 0x18, 4, Number(RAM));
  configWrite(all.world, all.guest, SLOT, 0x04, 2, 2);
}

function both() {
  const all = machine(MODULES, "threshold=faults:0 threshold=interrupt_storms:0");
  addMemory(all.guest, 0n, 16);
  assert.is(specify(all.world, "module=hostile-runtime guest=pvh slot=1", 0), "ready");
  assert.is(specify(all.world, "module=register-file guest=pvh slot=2", 1), "ready");
  place(all);
  configWrite(all.world, all.guest, 2, 0x10, 4, Number(NEIGHBOUR));
  configWrite(all.world, all.guest, 2, 0x04, 2, 2);
  return all;
}

test("the table has every deed once, in order, and at least 25", () => {
  assert.ok(MISDEEDS.length >= 25);
  assert.equal(
    MISDEEDS.map((one) => one.number),
    MISDEEDS.map((_, i) => i + 1),
  );
});

test("all of them, one after the other, with resets between", () => {
  const all = both();
  const { world, guest } = all;
  for (const { number, name, lost, counted } of MISDEEDS) {
    memoryWrite(world, guest, NEIGHBOUR + SCRATCH, 4, BigInt(number) * 0x01010101n);
    const before = Number(counted === undefined ? 0 : stat(world).get(counted));
    memoryWrite(world, guest, HOSTILE + MISDEED, 4, BigInt(number));
    settle(world);
    assert.is(memoryRead(world, guest, NEIGHBOUR + SCRATCH, 4), BigInt(number) * 0x01010101n, `${name}: neighbour`);
    assert.is(vgpuNode(world, "state", 1), "ready", `${name}: the neighbour's state`);
    assert.is(vgpuNode(world, "state"), lost === undefined ? "ready" : "lost", name);
    if (lost !== undefined) {
      assert.match(vgpuNode(world, "error") ?? "", lost, name);
      assert.match(vgpuNode(world, "error") ?? "", /in bar_write of BAR 0 at 0x14$/, name);
      assert.is(memoryRead(world, guest, HOSTILE, 4), 0xffffffffn, name);
    } else {
      assert.is(memoryRead(world, guest, HOSTILE, 4), 0x47424448n, name);
      assert.is(memoryRead(world, guest, HOSTILE + MISDEED, 4), 1n, `${name}: it came back`);
    }
    if (counted !== undefined) assert.ok(Number(stat(world).get(counted)) > before, `${name}: ${counted}`);
    assert.is(stat(world).get("scanout0"), "off", name);
    assert.is(request(world, `${number} reset ${GUEST} 0`), `${number} ok`, name);
    assert.is(stat(world).get("buffers"), "0", `${name}: buffers after the reset`);
    world.timeNs += 1_000_000_000n;
    place(all);
    assert.is(memoryRead(world, guest, HOSTILE, 4), 0x47424448n, `${name}: after the reset`);
  }
});

test("an attach that fails leaves nothing behind, whether it traps or says no", () => {
  const { world, guest } = machine(MODULES);
  assert.is(specify(world, "module=hostile-runtime guest=pvh fails=1"), "refused");
  assert.match(vgpuNode(world, "error") ?? "", /hostile-runtime: unreachable in attach/);
  specify(world, "");
  assert.is(specify(world, "module=hostile-runtime guest=pvh fails=2"), "refused");
  assert.match(vgpuNode(world, "error") ?? "", /attach answered 7/);
  specify(world, "");
  assert.is(guest.servers.length, 0);
  assert.is(world.shim.instances.size, 0);
});

test.run();
