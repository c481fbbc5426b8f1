// SPDX-License-Identifier: MIT
//
// Ioreq servers and requests on their way, with a core of our own in place of core.wasm where only transport matters:
// states go forward, answers come once, death and destruction leave nobody waiting that Xen would not.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { addMemory, balloonOut, type Domain } from "../../host/sim/domain.js";
import { dispatch } from "../../host/sim/event.js";
import { ask, configRead, configWrite, memoryRead, memoryWrite, post } from "../../host/sim/guest.js";
import { selectServer, takeAnswer } from "../../host/sim/ioreq.js";
import type { Entry } from "../../host/sim/journal.js";
import { isStep } from "../../host/sim/slot.js";
import { addDomain, killDomain, settle, type World } from "../../host/sim/world.js";
import { storeRemove } from "../../host/sim/xenstore.js";
import { IOREQ_TYPE_COPY } from "../../unikernel/abi/xen/ioreq.js";
import { attached, GUEST, machine, probe, SLOT, specify, vgpuNode } from "../core/support.js";

const BAR0 = 0xf000_0000;
const SPEC = "module=probe guest=pvh";

function placed(vcpus = 2) {
  const device = probe();
  const both = machine([device.module]);
  both.world.domains.delete(GUEST);
  const guest = addDomain(both.world, GUEST, { vcpus });
  both.world.journal = { entries: [] };
  assert.is(specify(both.world, SPEC), "ready");
  configWrite(both.world, guest, SLOT, 0x10, 4, BAR0);
  configWrite(both.world, guest, SLOT, 4, 2, 2);
  return { world: both.world, guest, device };
}

const slots = (world: World): (Entry & { kind: "slot" })[] =>
  (world.journal?.entries ?? []).filter((one): one is Entry & { kind: "slot" } => one.kind === "slot");

const request = { type: IOREQ_TYPE_COPY, addr: BigInt(BAR0), size: 4, read: true };

test("a request goes NONE, READY, INPROCESS, RESP_READY, NONE, each step by whom it belongs to", () => {
  const { world, guest } = placed();
  world.journal = { entries: [] };
  assert.is(memoryRead(world, guest, BigInt(BAR0), 4), 0x11111111n);
  assert.equal(
    slots(world).map(({ by, from, to }) => `${by} ${from} ${to}`),
    ["xen 0 1", "us 1 2", "us 2 3", "xen 3 0"],
  );
  assert.ok(slots(world).every(({ by, from, to }) => isStep(by, from, to)));
});

test("two vCPUs ask at a time: each gets its own answer; one that waits asks no second time", () => {
  const { world, guest, device } = placed();
  device.script.barRead = (_bar, offset) => BigInt(offset);
  assert.ok(post(world, guest, 0, request));
  assert.ok(post(world, guest, 1, { ...request, addr: BigInt(BAR0 + 8) }));
  assert.not(post(world, guest, 0, request));
  dispatch(world.shim.events);
  assert.equal(
    guest.vcpuStates.map((one) => one.answer),
    [0n, 8n],
  );
});

test("a paused guest takes its answer when it goes on", () => {
  const { world, guest } = placed();
  assert.ok(post(world, guest, 0, request));
  guest.paused = true;
  dispatch(world.shim.events);
  assert.is(takeAnswer(world, guest, 0), undefined);
  guest.paused = false;
  assert.is(takeAnswer(world, guest, 0), 0x11111111n);
});

test("detached while it waits: the answer is all ones, once", () => {
  const { world, guest } = placed();
  assert.ok(post(world, guest, 1, request));
  guest.servers[0]?.ports.forEach((one) => {
    const port = world.shim.events.ports.get(one.bound);
    if (port !== undefined) port.pending = false; // the event is late: the detach comes first
  });
  storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/0`);
  settle(world);
  const answers = world.journal?.entries.filter((one) => one.kind === "answered" && one.vcpu === 1);
  assert.is(answers?.length, 1);
  assert.is(guest.vcpuStates[1]?.answer, 0xffff_ffff_ffff_ffffn);
  assert.is(world.shim.events.ports.size, 0);
});

test("a guest dies with a request pending: nobody panics, detach gives everything back", () => {
  const { world, guest } = placed();
  assert.ok(post(world, guest, 0, request));
  killDomain(world, GUEST);
  settle(world);
  assert.is(guest.frames.size, 0);
  storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/0`);
  settle(world);
  assert.equal([world.shim.servers.size, world.shim.instances.size, world.shim.events.ports.size], [0, 0, 0]);
});

test("a dead guest is refused in words", () => {
  const { world } = placed();
  killDomain(world, GUEST);
  assert.is(specify(world, SPEC, 1), "refused");
  const other = addDomain(world, 9);
  other.dying = true;
  assert.is(specify(world, SPEC, 0, 9), "refused");
  assert.match(vgpuNode(world, "error", 0, 9) ?? "", /no ioreq server, error -12$/);
});

test("the eight servers of a guest; the newest that is enabled wins", () => {
  const { world, guest } = attached();
  const others: Domain["servers"] = [];
  for (let id = 1; id < 8; id++)
    others.push({ ...(guest.servers[0] as Domain["servers"][0]), id, ranges: [[], [], []] });
  guest.servers.unshift(...others.reverse());
  const second = addDomain(world, 9);
  second.servers.push(...others, { ...(others[0] as Domain["servers"][0]), id: 0 });
  assert.is(specify(world, SPEC, 0, 9), "refused");
  assert.match(vgpuNode(world, "error", 0, 9) ?? "", /no ioreq server, error -28$/);
  others[0]?.ranges[1].push({ start: 0n, end: 10n });
  others[3]?.ranges[1].push({ start: 0n, end: 10n });
  assert.is(selectServer(guest, 1, 4n, 7n)?.id, 7);
});

test("memory that goes away under a copy is an error, never a fault", () => {
  const { world, guest } = placed();
  addMemory(guest, 0x100n, 2);
  const copy = { type: IOREQ_TYPE_COPY, addr: BigInt(BAR0), size: 4, count: 4, data: 0x100ff8n, dataIsPtr: true };
  ask(world, guest, 0, copy);
  assert.ok(balloonOut(guest, 0x101n));
  memoryWrite(world, guest, BigInt(BAR0), 4, 1n);
  ask(world, guest, 0, copy);
  assert.is(configRead(world, guest, SLOT, 0, 2), 0xfffe);
});

test.run();
