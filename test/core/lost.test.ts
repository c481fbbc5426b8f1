// SPDX-License-Identifier: MIT
//
// A module that does wrong is contained: its vGPU is lost, with the reason in words; reads are ones, writes vanish, its
// interrupts and pictures stop; its neighbours, of the same guest and of another, notice nothing; reset brings it back.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { configRead, configWrite, memoryRead, memoryWrite, portRead } from "../../host/sim/guest.js";
import { ModuleFault } from "../../host/sim/module.js";
import { addDomain, settle } from "../../host/sim/world.js";
import { CAPABILITY_MASKED } from "../../unikernel/abi/module.js";
import { attached, GUEST, machine, realModule, request, SLOT, specify, stat, vgpuNode } from "./support.js";

const BAR0 = 0xf0000000n;
const SPEC = "module=probe guest=pvh";

function enabled() {
  const all = attached();
  configWrite(all.world, all.guest, SLOT, 0x10, 4, Number(BAR0));
  configWrite(all.world, all.guest, SLOT, 0x14, 4, 0xc000);
  configWrite(all.world, all.guest, SLOT, 0x18, 4, 0xe0000000);
  configWrite(all.world, all.guest, SLOT, 0x04, 2, 3);
  return all;
}

/** [fault of unikernel/abi/shim.ts, its words] */
const FAULTS: [number, string][] = [
  [1, "out of fuel after 1000"],
  [2, "stack too deep"],
  [3, "access outside its memory"],
  [4, "division by zero or overflow"],
  [5, "unreachable"],
  [6, "bad indirect call"],
  [7, "bad argument to a capability"],
];

for (const [fault, words] of FAULTS) {
  test(`a read that ends in fault ${fault} gives ones, and says: ${words}`, () => {
    const { world, guest, device } = enabled();
    device.script.barRead = () => {
      throw new ModuleFault(fault, 77);
    };
    assert.is(memoryRead(world, guest, BAR0 + 0x10n, 4), 0xffffffffn);
    settle(world);
    assert.is(vgpuNode(world, "state"), "lost");
    assert.is(vgpuNode(world, "error"), `guest 7 vgpu 0: module probe: ${words} in bar_read of BAR 0 at 0x10`);
    assert.ok(world.console.includes(`lost: ${vgpuNode(world, "error")}`));
    assert.is(stat(world).get("fuel_max"), "77");
  });
}

test("lost: everything reads as ones, nothing reaches the module, interrupts and pictures stop", () => {
  const { world, guest, device } = enabled();
  world.core.scanout_set(0, 0, 2, 0n, 16, 16, 64, 0x34325258);
  device.script.barWrite = () => {
    throw new ModuleFault(5);
  };
  memoryWrite(world, guest, BAR0, 4, 1n);
  device.calls.length = 0;
  assert.is(memoryRead(world, guest, BAR0, 8), 0xffffffffffffffffn);
  assert.is(portRead(world, guest, 0xc000, 2), 0xffffn);
  assert.is(configRead(world, guest, SLOT, 0, 4), 0xffffffff);
  memoryWrite(world, guest, BAR0, 4, 1n);
  configWrite(world, guest, SLOT, 0x04, 2, 0);
  assert.is(world.core.irq_raise(0, 0), CAPABILITY_MASKED);
  assert.is(request(world, `1 crc ${GUEST} 0 0`), "1 error scanout off: 0");
  assert.equal(device.calls, []);
  assert.is(stat(world).get("state"), "lost");
});

test("an access in pieces stops at the piece that faults", () => {
  const { world, guest, device } = enabled();
  configWrite(world, guest, SLOT, 0x20, 4, Number(BAR0) + 0x1000);
  device.calls.length = 0;
  device.script.barRead = () => {
    throw new ModuleFault(5);
  };
  assert.is(memoryRead(world, guest, BAR0 + 0xffcn + 2n, 4), 0xffffffffn, "also the bytes of the other BAR");
  assert.is(device.calls.length, 1);
});

test("the neighbours notice nothing", () => {
  const { world, guest, device } = enabled();
  assert.is(specify(world, `${SPEC} slot=2`, 1), "ready");
  const other = addDomain(world, 8);
  assert.is(specify(world, SPEC, 0, 8), "ready");
  configWrite(world, guest, 2, 0x10, 4, 0xf8000000);
  configWrite(world, guest, 2, 0x04, 2, 2);
  configWrite(world, other, SLOT, 0x10, 4, Number(BAR0));
  configWrite(world, other, SLOT, 0x04, 2, 2);
  device.script.barRead = (_bar, offset) => {
    if (offset === 0xbad0 % 0x1000) throw new ModuleFault(3);
    return 0x22222222;
  };
  memoryRead(world, guest, BAR0 + 0xad0n, 4);
  assert.is(memoryRead(world, guest, 0xf8000000n, 4), 0x22222222n);
  assert.is(memoryRead(world, other, BAR0, 4), 0x22222222n);
  settle(world);
  assert.equal(
    [vgpuNode(world, "state"), vgpuNode(world, "state", 1), vgpuNode(world, "state", 0, 8)],
    ["lost", "ready", "ready"],
  );
});

test("reset brings a lost vGPU back as from power-on, its pages parked", () => {
  const { world, guest, device } = enabled();
  device.script.barRead = () => {
    throw new ModuleFault(1);
  };
  memoryRead(world, guest, BAR0, 4);
  delete device.script.barRead;
  assert.is(request(world, `3 reset ${GUEST} 0`), "3 ok");
  assert.is(vgpuNode(world, "state"), "ready");
  assert.is(vgpuNode(world, "error"), undefined);
  assert.is(configRead(world, guest, SLOT, 0x04, 2), 0);
  assert.is(configRead(world, guest, SLOT, 0x10, 4), 0);
  assert.is(memoryRead(world, guest, BAR0, 4), 0xffffffffn);
  assert.is(guest.frames.size, 16);
  configWrite(world, guest, SLOT, 0x18, 4, 0xd0000000);
  configWrite(world, guest, SLOT, 0x10, 4, Number(BAR0));
  configWrite(world, guest, SLOT, 0x04, 2, 2);
  assert.ok(guest.frames.has(0xd0000n));
  assert.is(guest.frames.size, 16);
  assert.is(memoryRead(world, guest, BAR0, 4), 0x11111111n);
});

test("reset of one that works asks the module; one that faults again stays lost", () => {
  const { world, device } = enabled();
  let resets = 0;
  device.script.reset = () => void resets++;
  assert.is(request(world, `1 reset ${GUEST} 0`), "1 ok");
  assert.is(resets, 1);
  device.script.reset = () => {
    throw new ModuleFault(2);
  };
  assert.is(request(world, `2 reset ${GUEST} 0`), "2 error lost again in reset");
  assert.is(vgpuNode(world, "state"), "lost");
  device.script.attach = () => 3;
  assert.is(request(world, `3 reset ${GUEST} 0`), "3 error lost again in reset");
  assert.match(vgpuNode(world, "error") ?? "", /no reset, answer 3$/);
  delete device.script.attach;
  assert.is(request(world, `4 reset ${GUEST} 0`), "4 ok");
});

/** What each value in the test module's register makes it do (its misdeed.ts), and the fault that must end it. */
const MISDEED = 0x14n;
const DEEDS: [number, RegExp][] = [
  [1, /unreachable/],
  [2, /out of fuel after 10000/],
  [3, /stack too deep|out of fuel/],
  [4, /access outside its memory/],
  [5, /access outside its memory/],
  [6, /division by zero/],
  [7, /bad argument to a capability/],
  [8, /bad argument to a capability/],
  [9, /out of fuel/],
];

for (const [deed, words] of DEEDS) {
  test(`a real module, instrumented, is stopped: misdeed ${deed}`, async () => {
    const { world, guest } = machine([await realModule("test/modules/register-file")]);
    assert.is(specify(world, "module=register-file guest=pvh"), "ready");
    configWrite(world, guest, SLOT, 0x10, 4, Number(BAR0));
    configWrite(world, guest, SLOT, 0x04, 2, 2);
    memoryWrite(world, guest, BAR0 + 0x40n, 4, 0x12345678n);
    assert.is(memoryRead(world, guest, BAR0 + 0x40n, 4), 0x12345678n);
    memoryWrite(world, guest, BAR0 + MISDEED, 4, BigInt(deed));
    assert.is(memoryRead(world, guest, BAR0 + 0x40n, 4), 0xffffffffn);
    settle(world);
    assert.is(vgpuNode(world, "state"), "lost");
    assert.match(vgpuNode(world, "error") ?? "", words);
    assert.match(vgpuNode(world, "error") ?? "", /in bar_write of BAR 0 at 0x14$/);
    assert.is(request(world, `1 reset ${GUEST} 0`), "1 ok");
    configWrite(world, guest, SLOT, 0x10, 4, Number(BAR0));
    configWrite(world, guest, SLOT, 0x04, 2, 2);
    assert.is(memoryRead(world, guest, BAR0 + 0x40n, 4), 0n, "a fresh instance");
  });
}

test.run();
