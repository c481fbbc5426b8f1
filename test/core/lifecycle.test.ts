// SPDX-License-Identifier: MIT
//
// vGPUs come and go: order of calls, mirror images, limits, changed and repeated specifications, every call underneath
// failing on its nth call. After each failure nothing is left behind and the next attempt works.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { failNth, nextCall } from "../../host/sim/faults.js";
import { configRead, configWrite } from "../../host/sim/guest.js";
import { addDomain, advanceTime, createWorld, settle, startDriver, type World } from "../../host/sim/world.js";
import { storeList, storeRead, storeRemove, storeWrite } from "../../host/sim/xenstore.js";
import { XS_RM, XS_WATCH, XS_WRITE } from "../../unikernel/abi/xen/xs_wire.js";
import { attached, CORE, GUEST, machine, probe, request, SLOT, specify, stat, vgpuNode } from "./support.js";

const SPEC = "module=probe guest=pvh";

function detach(world: World, number = 0, domid = GUEST): void {
  storeRemove(world.store, `data/glovebox/vgpu/${domid}/${number}`);
  settle(world);
}

/** Nothing of any guest is held. */
function assertEmpty(world: World): void {
  for (const domain of world.domains.values()) {
    assert.equal(domain.servers, [], `guest ${domain.domid}`);
    assert.is(domain.frames.size, 0);
  }
  assert.is(world.shim.servers.size, 0);
  assert.is(world.shim.instances.size, 0);
}

test("attach and detach are mirror images, again and again", () => {
  const { world } = machine([probe().module]);
  for (let i = 0; i < 200; i++) {
    assert.is(specify(world, SPEC), "ready", vgpuNode(world, "error"));
    assert.is(request(world, `${i} stat ${GUEST} 0`)?.split(" ")[1], "ok");
    detach(world);
    assert.is(request(world, `${i} stat ${GUEST} 0`), `${i} error no such guest: ${GUEST}`);
    assertEmpty(world);
    assert.equal(storeList(world.store, `data/glovebox/vgpu/${GUEST}/0`), []);
  }
});

test("an empty specification detaches, and the nodes go", () => {
  const { world } = attached();
  specify(world, "");
  assertEmpty(world);
  assert.equal(storeList(world.store, `data/glovebox/vgpu/${GUEST}/0`), []);
  assert.is(specify(world, SPEC), "ready");
});

test("a specification that changes in place makes a new vGPU; one that is written again changes nothing", () => {
  const { world, guest } = attached();
  configWrite(world, guest, SLOT, 0x3c, 1, 7);
  assert.is(specify(world, SPEC), "ready");
  assert.is(configRead(world, guest, SLOT, 0x3c, 1), 7);
  assert.is(specify(world, `${SPEC} slot=2`), "ready");
  assert.is(vgpuNode(world, "bdf"), "0000:00:02.0");
  assert.is(configRead(world, guest, SLOT, 0x00, 4), 0xffffffff);
  assert.is(configRead(world, guest, 2, 0x3c, 1), 0);
  assert.is(specify(world, "nonsense"), "refused");
  assertEmpty(world);
});

test("removed and written again before the domain looks: its nodes come back", () => {
  const { world } = attached();
  storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/0`);
  storeWrite(world.store, `data/glovebox/vgpu/${GUEST}/0`, SPEC);
  settle(world);
  assert.is(vgpuNode(world, "state"), "ready");
  assert.is(vgpuNode(world, "bdf"), "0000:00:01.0");
});

test("the whole directory of a guest, or of all, goes at once", () => {
  const { world } = attached();
  specify(world, `${SPEC} slot=3`, 1);
  storeRemove(world.store, `data/glovebox/vgpu/${GUEST}`);
  settle(world);
  assertEmpty(world);
  specify(world, SPEC);
  storeRemove(world.store, "data/glovebox/vgpu");
  settle(world);
  assertEmpty(world);
});

test("specifications that stood there before the domain started", () => {
  const device = probe();
  const world = createWorld({ core: CORE, modules: [device.module] });
  addDomain(world, GUEST);
  addDomain(world, 9);
  for (const path of [`${GUEST}/0`, `${GUEST}/3`, "9/1"]) storeWrite(world.store, `data/glovebox/vgpu/${path}`, SPEC);
  startDriver(world);
  assert.is(vgpuNode(world, "state", 0), "ready");
  assert.is(vgpuNode(world, "bdf", 3), "0000:00:02.0");
  assert.is(vgpuNode(world, "state", 1, 9), "ready");
});

test("eight vGPUs a guest, each in a slot of its own", () => {
  const { world, guest } = machine([probe().module]);
  for (let n = 0; n < 8; n++) assert.is(specify(world, n === 2 ? `${SPEC} slot=4` : SPEC, n), "ready");
  const slots = Array.from({ length: 8 }, (_, n) => vgpuNode(world, "bdf", n));
  assert.equal(
    slots,
    ["01", "02", "04", "03", "05", "06", "07", "08"].map((slot) => `0000:00:${slot}.0`),
  );
  assert.is(guest.servers.length, 1);
  assert.is(specify(world, `${SPEC} slot=4`, 5), "refused");
  assert.is(vgpuNode(world, "error", 5), "guest 7: slot 4 is taken");
});

test("a guest is PVH or HVM, not both", () => {
  const { world } = attached();
  assert.is(specify(world, "module=probe guest=hvm slot=2", 1), "refused");
  assert.is(vgpuNode(world, "error", 1), "guest 7: guest=hvm, but it is attached as pvh");
  assert.is(vgpuNode(world, "state", 0), "ready");
});

test("64 guests with a vGPU each, then the limit in words; one goes, the next fits", () => {
  const { world } = machine([probe().module]);
  for (let domid = 100; domid < 165; domid++) addDomain(world, domid);
  for (let domid = 100; domid < 164; domid++) assert.is(specify(world, SPEC, 0, domid), "ready");
  assert.is(specify(world, SPEC, 0, 164), "refused");
  assert.is(vgpuNode(world, "error", 0, 164), "guest 164: already serving 64 guests, the limit");
  assert.is(specify(world, SPEC, 1, 100), "refused");
  assert.is(vgpuNode(world, "error", 1, 100), "no room for another vGPU, limit 64");
  assert.match(request(world, "5 stat") ?? "", / guests=64 vgpus=64 /);
  detach(world, 0, 120);
  assert.is(specify(world, SPEC, 0, 164), "ready", "refused specifications are tried when they are written again");
  assert.is(configRead(world, world.domains.get(164) as never, 1, 0, 2), 0xfffe);
});

test("129 specifications are one too many, and the domain says so", () => {
  const { world } = machine([probe().module]);
  for (let n = 0; n < 129; n++) storeWrite(world.store, `data/glovebox/vgpu/1000/${n}`, "x");
  settle(world);
  assert.match(
    storeRead(world.store, "data/glovebox/error") ?? "",
    /^vgpu\/1000\/\d+: no room, limit 128 specifications$/,
  );
  storeRemove(world.store, "data/glovebox/vgpu/1000");
  settle(world);
  assert.is(specify(world, SPEC), "ready");
});

test("no right to be the guest's device model", () => {
  const { world, guest } = machine([probe().module]);
  guest.ours = false;
  assert.is(specify(world, SPEC), "refused");
  assert.match(vgpuNode(world, "error") ?? "", /^guest 7: no ioreq server, error -1: .*set_target/);
  guest.ours = true;
  assert.is(specify(world, SPEC), "ready");
  assert.is(vgpuNode(world, "error"), undefined);
});

test("a module that refuses to attach, and one that faults in it", () => {
  const device = probe();
  const { world } = machine([device.module]);
  device.script.attach = () => -5;
  assert.is(specify(world, SPEC), "refused");
  assert.is(vgpuNode(world, "error"), "guest 7 vgpu 0: module probe: attach answered -5");
  assertEmpty(world);
  device.script.attach = () => device.capabilities().irqRaise(77);
  assert.is(specify(world, SPEC), "refused");
  assert.is(vgpuNode(world, "error"), "guest 7 vgpu 0: module probe: bad argument to a capability in attach");
  assertEmpty(world);
  delete device.script.attach;
  assert.is(specify(world, SPEC), "ready");
});

test("the nth call of whatever attach needs fails: refused in words, nothing left, and then it works", () => {
  const names = ["ioreq_server_create", "ioreq_range_map", "instance_create", "ioreq_server_enable"];
  for (const name of names) {
    for (let nth = 1; nth <= 3; nth++) {
      const { world } = machine([probe().module]);
      failNth(world.faults, name, nth, 12);
      const state = specify(world, SPEC);
      const reached = !world.faults.planned.has(name);
      assert.is(state, reached ? "refused" : "ready", `${name} ${nth}`);
      if (reached) assert.match(vgpuNode(world, "error") ?? "", /error -12$/);
      if (reached) assertEmpty(world);
      world.faults.planned.clear();
      if (reached) assert.is(specify(world, SPEC), "ready", `${name} ${nth}, again`);
      detach(world);
      assertEmpty(world);
    }
  }
});

test("the nth call of whatever detach needs fails: the vGPU goes all the same", () => {
  for (const name of ["ioreq_range_unmap", "guest_depopulate", "instance_destroy"]) {
    const { world, guest } = attached();
    configWrite(world, guest, SLOT, 0x10, 4, 0xf0000000);
    configWrite(world, guest, SLOT, 0x18, 4, 0xe0000000);
    configWrite(world, guest, SLOT, 0x04, 2, 2);
    failNth(world.faults, name, 1, 22);
    detach(world);
    assert.is(request(world, `1 stat ${GUEST} 0`), `1 error no such guest: ${GUEST}`, name);
    assert.is(specify(world, SPEC), "ready", name);
  }
});

test("a guest that has died is let go", () => {
  const { world, guest } = attached();
  configWrite(world, guest, SLOT, 0x18, 4, 0xe0000000);
  configWrite(world, guest, SLOT, 0x04, 2, 2);
  world.domains.delete(GUEST);
  detach(world);
  assert.is(request(world, `1 stat ${GUEST} 0`), `1 error no such guest: ${GUEST}`);
  assert.is(world.shim.servers.size, 0);
});

test("xenstore's ring is full: everything gets out later, by answers or by the timer", () => {
  const device = probe();
  const { world } = machine([device.module]);
  failNth(world.faults, "xenstore_send", 1, 11);
  assert.is(specify(world, SPEC), "ready");
  failNth(world.faults, "xenstore_send", 1, 11);
  storeWrite(world.store, `data/glovebox/vgpu/${GUEST}/1`, SPEC);
  const message = world.store.outgoing.shift();
  assert.ok(message);
  new Uint8Array(world.core.memory.buffer).set(message.payload, world.core.xenstore_buffer());
  world.core.on_xenstore(message.type, message.reqId, message.payload.length);
  assert.ok(world.shim.deadlineNs > world.timeNs, "nothing under way: only the timer can wake us");
  assert.is(world.store.incoming.length, 0);
  advanceTime(world, 10_000_000n);
  assert.is(world.store.incoming.length, 1);
  settle(world);
  assert.is(vgpuNode(world, "state", 1), "ready");
});

test("a message that cannot be sent at all, a write that is refused: logged, and on it goes", () => {
  const { world } = machine([probe().module]);
  failNth(world.faults, "xenstore_send", 1, 22);
  storeWrite(world.store, `data/glovebox/vgpu/${GUEST}/0`, SPEC);
  settle(world);
  assert.ok(world.console.some((line) => line.startsWith("xenstore: message of type 2 not sent, error -22")));
  world.store.refuse = { type: XS_WRITE, error: "ENOSPC" };
  assert.is(specify(world, SPEC), "ready");
  assert.ok(world.console.includes("control: xenstore refused a write: ENOSPC"));
  assert.is(storeRead(world.store, "data/glovebox/error"), "xenstore refused a node of this domain: ENOSPC");
  world.store.refuse = { type: XS_RM, error: "EACCES" };
  detach(world);
  const told = world.console.length;
  world.store.refuse = { type: XS_WRITE, error: "EQUOTA" };
  storeWrite(world.store, `data/glovebox/vgpu/${GUEST}/0`, "module=none guest=pvh");
  settle(world);
  assert.ok(world.console.length < told + 4, "not told without end");
  assert.is(nextCall(world.faults, "panic"), 0);
});

test("no watch: the domain has failed, and says so", () => {
  const world = createWorld({ core: CORE, modules: [probe().module] });
  world.store.refuse = { type: XS_WATCH, error: "EACCES" };
  startDriver(world);
  assert.is(storeRead(world.store, "data/glovebox/state"), "failed");
  assert.is(storeRead(world.store, "data/glovebox/error"), "no watch on the control tree: EACCES");
});

test("an answer to nothing is dropped", () => {
  const { world } = machine([probe().module]);
  world.core.on_xenstore(XS_WRITE, 4711, 3);
  world.core.on_xenstore(77, 0, 0);
  assert.match(request(world, "1 stat") ?? "", / xenstore_dropped=2 /);
});

test("command line: the default, a busy wait, and words that mean nothing", () => {
  assert.is(machine([]).world.shim.busyNs, 0n);
  assert.is(machine([], "wait=block").world.shim.busyNs, 0n);
  assert.is(machine([], " wait=busy:50 ").world.shim.busyNs, 50_000n);
  for (const line of ["wait=busy:", "wait=busy:x", "wait=busy:1000001", "wait=block quiet", "wait"]) {
    const { world } = machine([], line);
    assert.is(storeRead(world.store, "data/glovebox/state"), "failed", line);
    assert.match(storeRead(world.store, "data/glovebox/error") ?? "", /^command line: ".+": known are wait=block, /);
    assert.equal(world.store.watches, []);
  }
});

test("figures start at zero for each vGPU", () => {
  const { world, guest } = attached();
  configRead(world, guest, SLOT, 0, 4);
  assert.is(stat(world).get("config_reads"), "1");
  detach(world);
  specify(world, SPEC);
  assert.is(stat(world).get("config_reads"), "0");
  assert.is(stat(world).get("guest_traps"), "0");
});

test.run();
