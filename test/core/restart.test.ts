// SPDX-License-Identifier: MIT
//
// The core after a panic: vGPUs come back as they were saved, or lost with words; a record is believed in nothing. Two
// panics in a window lose them all. Each word of a record is damaged in turn: the core comes up, and others notice
// nothing.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { shim } from "../../host/sim/contract.js";
import { failNth } from "../../host/sim/faults.js";
import { configRead, configWrite, memoryRead, memoryWrite, sendIoreq } from "../../host/sim/guest.js";
import { CorePanic } from "../../host/sim/shim.js";
import { restartDriver, settle, type World } from "../../host/sim/world.js";
import { storeRead, storeRemove, storeWrite } from "../../host/sim/xenstore.js";
import { IOREQ_TYPE_COPY } from "../../unikernel/abi/xen/ioreq.js";
import { attached, CORE, GUEST, machine, probe, request, SLOT, specify, stat, vgpuNode } from "./support.js";

const KEEP = shim("RESTART_KEEP");
const LOSE = shim("RESTART_LOSE");
const WORDS = "the core trapped 0x1 0x2";
const BAR0 = 0xf000_0000;
const RAM = 0xe000_0000;
const ONES = 0xffff_ffffn;

const words = (text: string | undefined): string => text ?? "";
const error = (world: World, number = 0): string => words(vgpuNode(world, "error", number));
const ask = (world: World, text: string): string => words(request(world, text));
const restart = (world: World, mode = KEEP): void => restartDriver(world, CORE, mode, WORDS);

/** A probe that a guest has set up: BARs placed, an MSI programmed, a picture shown. */
function used() {
  const all = attached({ spec: "module=probe guest=pvh knob=7" });
  const { world, guest, device } = all;
  configWrite(world, guest, SLOT, 0x10, 4, BAR0);
  configWrite(world, guest, SLOT, 0x18, 4, RAM);
  configWrite(world, guest, SLOT, 0x3c, 1, 11);
  configWrite(world, guest, SLOT, 4, 2, 0x0006);
  device.capabilities().scanoutSet(0, 2, 0n, 16, 8, 64, 1);
  memoryWrite(world, guest, BigInt(BAR0), 4, 1n);
  return all;
}

function whatItHolds(world: World) {
  const guest = world.domains.get(GUEST);
  if (guest === undefined) throw new Error("no guest");
  return {
    config: Array.from({ length: 64 }, (_, i) => configRead(world, guest, SLOT, 4 * i, 4)),
    ranges: guest.servers.map((one) => one.ranges),
    frames: guest.frames.size,
    scanout: stat(world).get("scanout0"),
    state: vgpuNode(world, "state"),
    bdf: vgpuNode(world, "bdf"),
    instances: world.shim.instances.size,
    param: world.core.param(0, 1),
  };
}

test("everything that the guest set up is there again, and nothing more", () => {
  const { world, guest, device } = used();
  const before = whatItHolds(world);
  for (let i = 1; i <= 100; i++) {
    restart(world);
    assert.equal(whatItHolds(world), before);
    assert.is(memoryRead(world, guest, BigInt(BAR0), 4), 0x11111111n);
  }
  assert.is(world.store.watches.length, 2);
  assert.match(
    words(storeRead(world.store, "data/glovebox/error")),
    /^restarted 100 times, last panic: the core trapped/,
  );
  assert.match(ask(world, "77 stat"), / restarts=100 last_panic="the core trapped 0x1 0x2"/);
  assert.ok(device.calls.length > 100);
  storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/0`);
  settle(world);
  assert.equal([guest.servers.length, guest.frames.size, world.shim.instances.size], [0, 0, 0]);
  assert.ok(![...world.shim.records].some(([index, bytes]) => index < 64 && bytes.length > 0));
});

test("a vGPU whose module ran is lost by name; a reset brings it back", () => {
  const { world, guest, device } = used();
  device.script.barRead = () => {
    sendIoreq(world, 99, { type: IOREQ_TYPE_COPY, addr: 0n, size: 4 }); // the core's own assertion
    return 0n;
  };
  assert.throws(
    () => memoryRead(world, guest, BigInt(BAR0), 4),
    (thrown: unknown) => thrown instanceof CorePanic,
  );
  restart(world);
  assert.is(vgpuNode(world, "state"), "lost");
  assert.match(error(world), /^guest 7 vgpu 0: its module was in a call when the driver domain panicked: the core/);
  assert.is(memoryRead(world, guest, BigInt(BAR0), 4), ONES);
  assert.is(configRead(world, guest, SLOT, 0, 4), 0xffffffff);
  assert.is(world.shim.instances.size, 0);
  delete device.script.barRead;
  assert.is(request(world, `5 reset ${GUEST} 0`), "5 ok");
  assert.is(vgpuNode(world, "state"), "ready");
  configWrite(world, guest, SLOT, 0x10, 4, BAR0);
  configWrite(world, guest, SLOT, 4, 2, 2);
  assert.is(memoryRead(world, guest, BigInt(BAR0), 4), 0x11111111n);
});

test("two in a window: all lost by name, control answers, detach and attach work; lost stays lost", () => {
  const { world, guest } = used();
  for (const mode of [LOSE, KEEP]) {
    restart(world, mode);
    assert.is(vgpuNode(world, "state"), "lost");
    assert.match(error(world), /^guest 7 vgpu 0: the driver domain panicked twice in a short time, last: the core/);
    assert.is(memoryRead(world, guest, BigInt(BAR0), 4), ONES);
    assert.match(ask(world, `${mode} stat`), /^\d ok .*vgpus=1/);
    assert.is(stat(world).get("scanout0"), "off");
  }
  assert.match(words(storeRead(world.store, "data/glovebox/error")), /^restarted 2 times/);
  storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/0`);
  settle(world);
  assert.equal([guest.servers.length, guest.frames.size], [0, 0]);
  assert.is(specify(world, "module=probe guest=pvh"), "ready");
});

test("who waited for an address still waits: RAM stays with the one that had it", () => {
  const { world, guest } = used();
  specify(world, "module=probe guest=pvh slot=9", 3);
  configWrite(world, guest, 9, 0x10, 4, 0xd000_0000);
  configWrite(world, guest, 9, 0x18, 4, 0xd100_0000);
  configWrite(world, guest, 9, 4, 2, 2);
  configWrite(world, guest, SLOT, 0x10, 4, 0xd000_0000); // where vGPU 3 stands: both BARs of vGPU 0 wait
  configWrite(world, guest, SLOT, 0x18, 4, 0xd100_0000);
  const ram = guest.frames.get(0xd1000n);
  ram?.fill(0x5a);
  for (let i = 0; i < 3; i++) {
    restart(world);
    assert.is(guest.frames.get(0xd1000n), ram);
    assert.is(ram?.[0], 0x5a);
    memoryWrite(world, guest, 0xd000_0000n, 4, 1n);
    assert.is(stat(world, 3).get("mmio_writes"), "1");
  }
});

test("what changed in xenstore meanwhile is seen", () => {
  const { world } = used();
  storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/0`);
  world.store.outgoing.length = 0; // told just before the panic, and lost with it
  storeWrite(world.store, `data/glovebox/vgpu/${GUEST}/1`, "module=probe guest=pvh slot=5");
  world.store.outgoing.length = 0;
  restart(world);
  assert.is(storeRead(world.store, `data/glovebox/vgpu/${GUEST}/0`), undefined);
  assert.is(vgpuNode(world, "state", 1), "ready");
  assert.is(world.shim.instances.size, 1);
});

test("a request is not done twice; one that was cut short is answered", () => {
  const { world } = used();
  assert.is(request(world, `8 reset ${GUEST} 0`), "8 ok");
  const instances = [...world.shim.instances.keys()];
  restart(world);
  assert.is(storeRead(world.store, "data/glovebox/reply"), "8 ok");
  assert.equal([...world.shim.instances.keys()], instances);
  storeWrite(world.store, "data/glovebox/request", `9 crc ${GUEST} 99`);
  while (!world.store.incoming.some((one) => Buffer.from(one.payload).includes("reply\0"))) {
    const message = world.store.outgoing.shift();
    if (message === undefined) break;
    new Uint8Array(world.core.memory.buffer).set(message.payload, world.core.xenstore_buffer());
    world.core.on_xenstore(message.type, message.reqId, message.payload.length);
    if (world.store.incoming.length > 0) break; // the read of the request is under way
  }
  restart(world);
  assert.match(words(storeRead(world.store, "data/glovebox/reply")), /^9 error /);
});

test("a specification whose attach broke us is refused, not tried again by every restart", () => {
  const device = probe();
  const { world, guest } = machine([device.module]);
  device.script.attach = () => {
    sendIoreq(world, 99, { type: IOREQ_TYPE_COPY, addr: 0n, size: 4 });
    return 0;
  };
  assert.throws(
    () => specify(world, "module=probe guest=pvh"),
    (thrown: unknown) => thrown instanceof CorePanic,
  );
  for (let i = 0; i < 3; i++) {
    restart(world);
    assert.is(vgpuNode(world, "state"), "refused");
    assert.match(error(world), /panicked while it attached this: the core trapped/);
    assert.equal([guest.servers.length, world.shim.instances.size], [0, 0]);
  }
  delete device.script.attach;
  storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/0`);
  settle(world);
  assert.is(specify(world, "module=probe guest=pvh"), "ready", vgpuNode(world, "error"));
  restart(world);
  assert.is(vgpuNode(world, "state"), "ready");
});

const HEADER_WORDS = 14;
const VALUES = [0, 1, 63, 64, 0x7ff0, 0xffff, 0x7fffffff, 0xffffffff];

test("every word of a record damaged in turn: the core comes up, the other vGPU is as before", () => {
  let lost = 0;
  const { records } = used().world.shim;
  const count = (records.get(0)?.length ?? 0) / 4;
  assert.ok(count > 500);
  for (let word = 0; word < count; word += word < HEADER_WORDS + 100 ? 1 : 37) {
    for (const value of word < HEADER_WORDS ? VALUES : [0xffffffff]) {
      const { world, guest } = used();
      assert.is(specify(world, "module=probe guest=pvh slot=9", 3), "ready");
      const record = world.shim.records.get(0) as Uint8Array;
      new DataView(record.buffer, record.byteOffset).setUint32(word * 4, value, true);
      restart(world);
      assert.is(vgpuNode(world, "state", 3), "ready", `word ${word} = ${value}`);
      assert.is(configRead(world, guest, 9, 0, 4), 0x0001fffe);
      assert.match(ask(world, "3 stat"), /^3 ok/);
      lost += vgpuNode(world, "state") === "ready" ? 0 : 1;
    }
  }
  assert.ok(lost > 10, `${lost} were noticed`);
});

test("a record that cannot be read: others come back, and Dom0 reads it", () => {
  const { world } = used();
  specify(world, "module=probe guest=pvh slot=9", 3);
  world.shim.damaged.add(0);
  restart(world);
  assert.is(vgpuNode(world, "state", 3), "ready");
  assert.match(words(storeRead(world.store, "data/glovebox/error")), /1 records are damaged$/);
  assert.is(vgpuNode(world, "state"), "refused");
  assert.match(error(world), /its record was damaged/);
});

const CALLS = ["ioreq_server_create", "ioreq_server_enable", "ioreq_range_map", "instance_adopt", "save", "saved"];

for (const name of CALLS) {
  test(`each ${name} of a restart fails once: lost or refused with words, then all is given back`, () => {
    const counted = used().world;
    const before = counted.faults.calls.get(name) ?? 0;
    restart(counted);
    const total = (counted.faults.calls.get(name) ?? 0) - before;
    assert.ok(total > 0);
    for (let nth = 1; nth <= total; nth++) {
      const { world, guest } = used();
      failNth(world.faults, name, nth, 22);
      restart(world);
      const state = vgpuNode(world, "state");
      if (state !== "ready") assert.match(error(world), /./, `${name} ${nth}: ${state}`);
      storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/0`);
      settle(world);
      assert.equal([guest.servers.length, world.shim.instances.size], [0, 0], `${name} ${nth}`);
      assert.is(guest.frames.size === 0 || state === "refused", true, `${name} ${nth}: ${guest.frames.size} pages`);
    }
  });
}

test("the record of an attach that panicked goes with its specification", () => {
  const { world, device } = used();
  device.script.attach = () => {
    sendIoreq(world, 99, { type: IOREQ_TYPE_COPY, addr: 0n, size: 4 });
    return 0;
  };
  const kept = (): boolean => (world.shim.records.get(1)?.length ?? 0) > 0;
  assert.throws(() => specify(world, "module=probe guest=pvh", 1));
  delete device.script.attach;
  restart(world);
  assert.is(vgpuNode(world, "state", 1), "refused");
  assert.ok(kept());
  storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/1`);
  settle(world);
  assert.not(kept());
  assert.is(specify(world, "module=probe guest=pvh", 1), "ready");
});

test.run();
