// SPDX-License-Identifier: MIT
//
// What one guest may have of each thing, with the real core: one more is refused by the specification's answer, what
// was given back counts no more, the mediator's own memory is not touched, and a neighbour notices nothing. The table
// is in docs/VIRTIO_GPU.md.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { addDomain, step } from "../../host/sim/world.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import { GUEST, machine, realModule, specify, stat } from "../core/support.js";
import * as D from "./driver.js";
import { QUOTAS } from "./mediator.js";
import type { Piece, Virtqueue } from "./virtqueue.js";
import { giveMemory, setUp, type WorldBus } from "./world.js";

const MODULE = await realModule("unikernel/modules/virtio-gpu");
const SPEC = "module=virtio-gpu guest=pvh outputs=2 memory_bytes=4194304 poll_us=0";
const OTHER = 8;
const OK = G.VIRTIO_GPU_RESP_OK_NODATA;
const MEMORY = G.VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
const SCANOUT = G.VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
const ALL: D.Rect = { x: 0, y: 0, width: 64, height: 64 };
const PIXELS = 64 * 64 * 4;

function live() {
  const { world, guest } = machine([MODULE]);
  giveMemory(guest);
  assert.is(specify(world, SPEC), "ready");
  const bus = setUp(world, guest, 1);
  return { world, bus, driver: new D.Driver(bus).start() };
}

const type = (driver: D.Driver, bytes: Uint8Array): number => driver.send(bytes).type;

/** Every second page, so that no two touch. */
function apart(bus: WorldBus, count: number): Piece[] {
  const first = bus.ram.pages(2);
  return Array.from({ length: count }, (_, i) => ({ gpa: first + BigInt((i % 2) * 8192), bytes: 4096 }));
}

test("handles: a 2D resource takes one for its pixels and one for its backing, a blob one", () => {
  const { bus, driver } = live();
  const page = [{ gpa: bus.ram.pages(1), bytes: 4096 }];
  for (let id = 1; id <= QUOTAS.buffers; id++) assert.is(type(driver, D.create2d(id, 1, 1)), OK, String(id));
  assert.is(type(driver, D.create2d(100, 1, 1)), MEMORY);
  assert.is(type(driver, D.attach(1, page)), MEMORY);
  assert.is(type(driver, D.createBlob(100, 4096n, page)), MEMORY);
  assert.is(type(driver, D.unref(2)), OK);
  assert.is(type(driver, D.attach(1, page)), OK);
  assert.is(type(driver, D.unref(3)), OK);
  assert.is(type(driver, D.createBlob(100, 4096n, page)), OK);
});

test("pieces of all scatter lists, and all of a list that is too long is undone", () => {
  const { bus, driver } = live();
  for (const id of [1, 2]) assert.is(type(driver, D.create2d(id, 64, 64)), OK);
  assert.is(type(driver, D.attach(1, apart(bus, QUOTAS.bufferPieces + 1))), MEMORY);
  assert.is(type(driver, D.attach(1, apart(bus, QUOTAS.bufferPieces))), OK);
  assert.is(type(driver, D.attach(2, apart(bus, 1))), MEMORY);
  assert.is(type(driver, D.detach(1)), OK);
  assert.is(type(driver, D.attach(2, apart(bus, 1))), OK);
});

test("bytes that lists speak of", () => {
  const { driver } = live();
  for (const id of [1, 2]) assert.is(type(driver, D.create2d(id, 16, 16)), OK);
  const rest = QUOTAS.bufferBytes - 2 * 1024; // the pixels' buffers count, too
  const attach = (id: number, bytes: number) => type(driver, D.attach(id, [{ gpa: 0x100000n, bytes }]));
  assert.is(attach(1, rest + 1), MEMORY);
  assert.is(attach(1, 0xffffffff), MEMORY);
  assert.is(attach(1, rest), OK);
  assert.is(attach(2, 1), MEMORY);
});

test("pixels: memory_bytes, in whole pages", () => {
  const { driver } = live();
  assert.is(type(driver, D.create2d(1, 1024, 1025)), MEMORY);
  assert.is(type(driver, D.create2d(1, 1024, 1023)), OK);
  assert.is(type(driver, D.create2d(2, 1, 1)), OK, "the last page");
  assert.is(type(driver, D.create2d(3, 1, 1)), MEMORY);
});

test("scanouts: as many as outputs", () => {
  const { driver } = live();
  assert.is(type(driver, D.create2d(1, 64, 64)), OK);
  assert.is(type(driver, D.setScanout(1, 1, ALL)), OK);
  assert.is(type(driver, D.setScanout(2, 1, ALL)), SCANOUT);
});

/** Resource 1 with a backing, by commands that are not waited for. */
function resource(driver: D.Driver, bus: WorldBus): void {
  const queue = driver.queues[D.CONTROL] as Virtqueue;
  for (const bytes of [D.create2d(1, 64, 64), D.attach(1, [{ gpa: bus.ram.pages(4), bytes: PIXELS }])]) {
    put(driver, bytes);
    ring(driver);
  }
  ring(driver); // the list is read behind the command that has it
  assert.is(queue.collect().length, 2);
}

/** A doorbell, whether it is wanted or not: a call of the module, with a budget of its own. */
function ring(driver: D.Driver): void {
  (driver.queues[D.CONTROL] as Virtqueue).show();
  driver.notify(D.CONTROL);
}

function put(driver: D.Driver, bytes: Uint8Array): bigint {
  const { ram } = driver.bus;
  const page = ram.pages(1);
  ram.fill(page, bytes);
  const pieces = [{ gpa: page, bytes: bytes.length }];
  (driver.queues[D.CONTROL] as Virtqueue).add(pieces, [{ gpa: page + 2048n, bytes: 24 }]);
  return page + 2048n;
}

test("workloads: what a reset leaves with the engine makes the next wait, not fail", () => {
  const { world, bus, driver } = live();
  for (let i = 0; i <= QUOTAS.workloads; i++) {
    resource(driver, bus);
    put(driver, D.transfer(1, ALL, 0));
    ring(driver);
    if (i === QUOTAS.workloads) break;
    driver.reset();
    driver.start();
  }
  bus.settle();
  assert.is((driver.queues[D.CONTROL] as Virtqueue).collect().length, 1);
  assert.is(stat(world).get("state") ?? "ready", "ready");
  assert.is(stat(world).get("faults") ?? "0", "0");
});

test("fences and deep rings: a full ring of transfers and flushes, in order; a neighbour is served in between", () => {
  const { world, bus, driver } = live();
  const other = addDomain(world, OTHER);
  giveMemory(other);
  assert.is(specify(world, SPEC, 0, OTHER), "ready");
  const neighbour = setUp(world, other, 1);
  const second = new D.Driver(neighbour).start();
  resource(driver, bus);
  resource(second, neighbour);
  const queue = driver.queues[D.CONTROL] as Virtqueue;
  const fences = Array.from({ length: queue.size }, (_, i) => {
    const fence = 0xfffffffffff00000n + BigInt(i);
    return put(driver, i % 2 === 0 ? D.transfer(1, ALL, 0, fence) : D.flush(1, ALL, fence));
  });
  driver.kick(D.CONTROL);
  put(second, D.transfer(1, ALL, 0));
  second.kick(D.CONTROL);
  let before = 0;
  for (let done = 0; done < fences.length; ) {
    const moved = step(world);
    if ((second.queues[D.CONTROL] as Virtqueue).collect().length > 0) before = done;
    const now = bus.ram.word(queue.used + 2n) - 2;
    assert.ok(moved || now === fences.length, "nothing stalls");
    assert.ok(now >= done, "forward only");
    done = now;
  }
  assert.ok(before < 8, `the neighbour waited for ${before} of the ${fences.length} commands`);
  fences.forEach((at, i) => {
    const view = new DataView(bus.ram.bytes(at, 24).buffer);
    assert.is(view.getUint32(0, true), OK);
    assert.is(view.getBigUint64(G.HEADER_FENCE_ID, true), 0xfffffffffff00000n + BigInt(i));
  });
  assert.is(stat(world, 0, GUEST).get("faults") ?? "0", "0");
});

test.run();
