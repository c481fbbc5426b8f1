// SPDX-License-Identifier: MIT
//
// `ram` BARs: populated where the guest first puts them, parked when decode goes off, moved with their contents, given
// back at the end; and every call underneath failing in turn.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { balloonOut, readMemory, writeMemory } from "../../host/sim/domain.js";
import { failNth } from "../../host/sim/faults.js";
import { configWrite, memoryRead } from "../../host/sim/guest.js";
import { settle } from "../../host/sim/world.js";
import { storeRemove } from "../../host/sim/xenstore.js";
import { attached, GUEST, SLOT, specify, stat, vgpuNode } from "./support.js";

const HIGH = 0x100000000n;
const PAGES = 1280; // two and a half batches
const RAM_BYTES = 4096 * 2048; // a power of two: four batches
const ALLOWANCE = 1 << 16;

type Machine = ReturnType<typeof attached>;

function machine(bytes = RAM_BYTES): Machine {
  return attached({ spec: `module=probe guest=pvh ram_bytes=${bytes}` });
}

function place({ world, guest }: Machine, address: bigint): void {
  configWrite(world, guest, SLOT, 0x18, 4, Number(address & 0xffffffffn));
  configWrite(world, guest, SLOT, 0x1c, 4, Number(address >> 32n));
}

const decode = ({ world, guest }: Machine, on: boolean) => configWrite(world, guest, SLOT, 0x04, 2, on ? 2 : 0);

test("nothing is populated before the guest enables decode", () => {
  const all = machine();
  assert.is(vgpuNode(all.world, "ram_bytes"), String(RAM_BYTES));
  place(all, HIGH);
  assert.is(all.guest.frames.size, 0);
  assert.is(stat(all.world).get("ram_pages"), "0");
  decode(all, true);
  assert.is(all.guest.frames.size, 2048);
  assert.ok(all.guest.frames.has(HIGH >> 12n));
  assert.ok(all.guest.frames.has((HIGH >> 12n) + 2047n));
  assert.is(stat(all.world).get("ram_pages"), "2048");
  assert.is(all.guest.servers[0]?.ranges[1].length, 0, "RAM needs no range: it does not trap");
});

test("parked while decode is off, where it was; moved with its contents when it comes back elsewhere", () => {
  const all = machine();
  place(all, HIGH);
  decode(all, true);
  writeMemory(all.guest, HIGH + 0x5000n, Uint8Array.of(1, 2, 3));
  decode(all, false);
  assert.is(all.guest.frames.size, 2048);
  place(all, 2n * HIGH);
  assert.ok(all.guest.frames.has(HIGH >> 12n), "not before decode is on");
  decode(all, true);
  assert.not(all.guest.frames.has(HIGH >> 12n));
  assert.equal([...(readMemory(all.guest, 2n * HIGH + 0x5000n, 3) ?? [])], [1, 2, 3]);
  assert.is(all.guest.allowancePages, ALLOWANCE - 2048);
});

test("moved with decode on", () => {
  const all = machine(4096);
  place(all, HIGH);
  decode(all, true);
  writeMemory(all.guest, HIGH, Uint8Array.of(9));
  configWrite(all.world, all.guest, SLOT, 0x18, 4, 0xd0000000);
  assert.equal([...(readMemory(all.guest, HIGH + 0xd0000000n, 1) ?? [])], [9]);
  assert.is(all.guest.frames.size, 1);
});

test("sizing with decode on moves nothing: not to the top of memory, not over the local APIC", () => {
  const all = machine(4096);
  place(all, 0xe0000000n);
  decode(all, true);
  configWrite(all.world, all.guest, SLOT, 0x18, 4, 0xffffffff);
  assert.ok(all.guest.frames.has(0xe0000n));
  configWrite(all.world, all.guest, SLOT, 0x1c, 4, 0xffffffff);
  assert.ok(all.guest.frames.has(0xe0000n));
  place(all, 0xe0000000n);
  assert.is(all.world.faults.calls.get("guest_relocate"), undefined);
  assert.is(all.guest.frames.size, 1);
  assert.is(vgpuNode(all.world, "state"), "ready");
});

test("an address that no guest can reach is left alone", () => {
  const all = machine(4096);
  place(all, 1n << 48n);
  decode(all, true);
  assert.is(all.guest.frames.size, 0);
  place(all, (1n << 48n) - 4096n);
  assert.is(all.guest.frames.size, 1, "the last page that it can");
});

test("detach gives the pages back", () => {
  const all = machine();
  place(all, HIGH);
  decode(all, true);
  storeRemove(all.world.store, `data/glovebox/vgpu/${GUEST}/0`);
  settle(all.world);
  assert.is(all.guest.frames.size, 0);
  assert.is(all.guest.allowancePages, ALLOWANCE);
});

test("too few pages: nothing stays, the vGPU is lost, in numbers", () => {
  const all = machine();
  all.guest.allowancePages = PAGES;
  place(all, HIGH);
  decode(all, true);
  assert.is(all.guest.frames.size, 0);
  assert.is(all.guest.allowancePages, PAGES);
  settle(all.world);
  assert.is(vgpuNode(all.world, "state"), "lost");
  assert.is(
    vgpuNode(all.world, "error"),
    "guest 7 vgpu 0: BAR 2: 2048 pages at gfn 0x100000, Xen gave 1280 (is the guest's maxmem raised?)",
  );
  assert.is(stat(all.world).get("ram_pages"), "0");
});

for (const nth of [1, 2, 4]) {
  test(`the ${nth}. populate fails: nothing stays`, () => {
    const all = machine();
    place(all, HIGH);
    failNth(all.world.faults, "guest_populate", nth, 12);
    decode(all, true);
    settle(all.world);
    assert.is(all.guest.frames.size, 0);
    assert.match(vgpuNode(all.world, "error") ?? "", /2048 pages at gfn 0x100000, error -12$/);
  });

  test(`the ${nth}. relocate fails: the pages are back where they were`, () => {
    const all = machine();
    place(all, HIGH);
    decode(all, true);
    writeMemory(all.guest, HIGH + 0x7ff000n, Uint8Array.of(4));
    decode(all, false);
    place(all, 4n * HIGH);
    failNth(all.world.faults, "guest_relocate", nth, 22);
    decode(all, true);
    settle(all.world);
    assert.is(vgpuNode(all.world, "state"), "lost");
    assert.is(all.guest.frames.size, 2048);
    assert.equal([...(readMemory(all.guest, HIGH + 0x7ff000n, 1) ?? [])], [4]);
    storeRemove(all.world.store, `data/glovebox/vgpu/${GUEST}/0`);
    settle(all.world);
    assert.is(all.guest.frames.size, 0, "and are given back from there");
  });
}

test("a lost vGPU keeps its pages until it is detached; another of the guest moving its BARs changes nothing", () => {
  const all = machine(4096);
  assert.is(specify(all.world, "module=probe guest=pvh slot=3", 1), "ready");
  place(all, HIGH);
  configWrite(all.world, all.guest, SLOT, 0x10, 4, 0xf0000000);
  decode(all, true);
  all.world.core.irq_raise(0, 0);
  all.device.script.barRead = () => {
    throw new Error("not asked");
  };
  lose(all);
  configWrite(all.world, all.guest, 3, 0x10, 4, 0xf0002000); // not beside it: Xen would make one range of two
  configWrite(all.world, all.guest, 3, 0x04, 2, 2);
  assert.ok(all.guest.frames.has(HIGH >> 12n));
  const ranges = all.guest.servers[0]?.ranges[1].map((one) => one.start);
  assert.equal(ranges, [0xf0000000n, 0xf0002000n], "its range still stands");
  assert.is(memoryRead(all.world, all.guest, 0xf0000000n, 4), 0xffffffffn);
});

test("two over each other: the second waits until the first has left, and neither loses a page", () => {
  const all = machine(4096 * 4);
  assert.is(specify(all.world, "module=probe guest=pvh slot=3 ram_bytes=16384", 1), "ready");
  const second = (address: number) => configWrite(all.world, all.guest, 3, 0x18, 4, address);
  place(all, 0xe0000000n);
  decode(all, true);
  writeMemory(all.guest, 0xe0000000n, Uint8Array.of(5));
  second(0xe0000000);
  configWrite(all.world, all.guest, 3, 0x04, 2, 2);
  assert.is(all.guest.frames.size, 4);
  assert.is(stat(all.world, 1).get("refused"), "1");
  assert.is(stat(all.world, 1).get("ram_pages"), "0");
  place(all, 0xe1000000n);
  assert.equal([...(readMemory(all.guest, 0xe1000000n, 1) ?? [])], [5]);
  assert.is(stat(all.world, 1).get("ram_pages"), "4", "there is room now");
  assert.is(all.guest.frames.size, 8);
  assert.is(all.guest.allowancePages, ALLOWANCE - 8);
});

test("pages parked where another is put now are given back, and come anew", () => {
  const all = machine(4096 * 4);
  assert.is(specify(all.world, "module=probe guest=pvh slot=3 ram_bytes=16384", 1), "ready");
  place(all, 0xe0000000n);
  decode(all, true);
  decode(all, false);
  configWrite(all.world, all.guest, 3, 0x18, 4, 0xe0000000);
  configWrite(all.world, all.guest, 3, 0x04, 2, 2);
  assert.is(all.guest.frames.size, 4);
  assert.is(stat(all.world).get("ram_pages"), "0");
  assert.is(all.guest.allowancePages, ALLOWANCE - 4);
  place(all, 0xe1000000n);
  decode(all, true);
  assert.is(all.guest.frames.size, 8);
});

/** A capability used wrongly, in the event that the command register brings. */
function lose(all: Machine): void {
  all.device.script.event = () => void all.device.capabilities().irqRaise(99);
  configWrite(all.world, all.guest, SLOT, 0x04, 2, 6);
  delete all.device.script.event;
}

test("pages that the guest gave away itself: detach takes all the others", () => {
  const all = machine(4096 * 8);
  place(all, HIGH);
  decode(all, true);
  const before = all.guest.frames.size;
  for (const page of [0n, 3n, 4n]) assert.ok(balloonOut(all.guest, (HIGH >> 12n) + page));
  assert.is(all.guest.frames.size, before - 3);
  storeRemove(all.world.store, `data/glovebox/vgpu/${GUEST}/0`);
  settle(all.world);
  assert.is(all.guest.frames.size, 0);
  assert.is(all.guest.allowancePages, ALLOWANCE);
});

test.run();
