// SPDX-License-Identifier: MIT
//
// Transfers and flushes are the engine's: the command stays under way until the engine is done with it, then it is
// answered and the next is taken at once; whatever happens to the device in between answers nobody twice, and nobody of
// another life.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../host/sim/crc32.js";
import * as V from "../../unikernel/abi/virtio.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import * as D from "./driver.js";
import { createMediator, QUOTAS } from "./mediator.js";
import type { Virtqueue } from "./virtqueue.js";

const OK = G.VIRTIO_GPU_RESP_OK_NODATA;
const UNSPEC = G.VIRTIO_GPU_RESP_ERR_UNSPEC;
const RESOURCE = G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
const EXTENT = 64;
const ALL: D.Rect = { x: 0, y: 0, width: EXTENT, height: EXTENT };
const PIXELS = EXTENT * EXTENT * 4;

/** A device that shows resource 1, which has a backing with a pattern. */
function live(params: Record<string, number> = { poll_us: 0 }) {
  const mediator = createMediator(params);
  const driver = new D.Driver(mediator).start();
  const backing = mediator.ram.pages(PIXELS / 4096);
  const all = { mediator, driver, ram: mediator.ram, backing };
  show(all);
  mediator.interrupts();
  return all;
}

type Live = Pick<ReturnType<typeof live>, "mediator" | "driver" | "ram" | "backing">;

/** Nothing of it is the engine's. */
function show(all: Live): void {
  const { mediator, driver, ram, backing } = all;
  ram.fill(
    backing,
    Uint8Array.from({ length: PIXELS }, (_, i) => (i * 7 + (i >> 8)) & 0xff),
  );
  const commands = [
    D.create2d(1, EXTENT, EXTENT),
    D.attach(1, [{ gpa: backing, bytes: PIXELS }]),
    D.setScanout(0, 1, ALL),
  ];
  const responses = commands.map((one) => put(all, one));
  driver.kick(D.CONTROL);
  while (mediator.poll()); // they are more than one call does
  assert.is(control(driver).collect().length, 3);
  for (const one of responses) assert.is(typeAt(all, one), OK);
}

/** Into the ring, without a doorbell; answers where the response will be. */
function put({ driver, ram }: Live, bytes: Uint8Array): bigint {
  const request = ram.pages(1);
  const response = ram.pages(1);
  ram.fill(request, bytes);
  control(driver).add([{ gpa: request, bytes: bytes.length }], [{ gpa: response, bytes: 24 }]);
  return response;
}

const control = (driver: D.Driver): Virtqueue => driver.queues[D.CONTROL] as Virtqueue;
const typeAt = ({ ram }: Live, gpa: bigint): number => new DataView(ram.bytes(gpa, 4).buffer).getUint32(0, true);

function shown({ mediator }: Live): number {
  const { buffer, offset } = mediator.scanouts[0] ?? { buffer: 0, offset: 0 };
  return crc32(mediator.buffers.read(buffer, offset, PIXELS) ?? new Uint8Array());
}

test("a transfer is under way until the engine is done, and nobody polls meanwhile", () => {
  const all = live({ poll_us: 50 });
  const { mediator, driver } = all;
  mediator.settle();
  const black = shown(all);
  const response = put(all, D.transfer(1, ALL, 0));
  driver.kick(D.CONTROL);
  assert.is(mediator.works.length, 1);
  assert.not(mediator.isPolled());
  assert.equal([control(driver).collect().length, typeAt(all, response), shown(all)], [0, 0, black]);
  mediator.work();
  assert.equal([control(driver).collect().length, typeAt(all, response)], [1, OK]);
  assert.is(shown(all), crc32(all.ram.bytes(all.backing, PIXELS)));
  assert.ok(mediator.isPolled(), "the window of polling is open again");
});

test("the next command is taken when the engine is done with the last: no queue runs dry, nobody traps", () => {
  const all = live();
  const { mediator, driver } = all;
  const commands = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? D.transfer(1, ALL, 0) : D.flush(1, ALL)));
  const responses = commands.map((one) => put(all, one));
  driver.kick(D.CONTROL);
  const { traps } = mediator;
  responses.forEach((response, i) => {
    assert.is(mediator.works.length, 1);
    assert.is(mediator.works[0]?.copy === undefined, i % 2 === 1, "a flush is a fence");
    mediator.work();
    assert.is(typeAt(all, response), OK);
  });
  assert.is(mediator.works.length, 0);
  assert.is(mediator.traps, traps);
  assert.is(mediator.scanouts[0]?.flushes.length, 10);
  assert.is(control(driver).collect().length, 20);
});

test("a transfer and its flush: one notification, one interrupt", () => {
  const all = live({ poll_us: 50 });
  const { mediator, driver } = all;
  mediator.settle();
  control(driver).collect();
  put(all, D.transfer(1, ALL, 0));
  put(all, D.flush(1, ALL));
  const { traps } = mediator;
  driver.kick(D.CONTROL);
  mediator.settle();
  assert.is(mediator.traps - traps, 1);
  assert.equal(mediator.interrupts(), [1]);
  assert.is(control(driver).collect().length, 2);
});

test("what comes behind a transfer waits for it: the resource cannot go under it", () => {
  const all = live();
  const { mediator, driver } = all;
  const responses = [D.transfer(1, ALL, 0), D.detach(1), D.transfer(1, ALL, 0), D.unref(1), D.flush(1, ALL)].map(
    (one) => put(all, one),
  );
  driver.kick(D.CONTROL);
  assert.is(typeAt(all, responses[1] as bigint), 0);
  mediator.settle();
  assert.equal(
    responses.map((one) => typeAt(all, one)),
    [OK, OK, UNSPEC, OK, RESOURCE],
  );
  assert.is(mediator.buffers.all.size, 0);
});

test("cursor commands overtake, and are polled for, while a transfer waits", () => {
  const all = live({ poll_us: 50 });
  const { mediator, driver } = all;
  mediator.settle();
  put(all, D.transfer(1, ALL, 0));
  driver.kick(D.CONTROL);
  const cursors = driver.queues[D.CURSOR] as Virtqueue;
  const move = D.cursor(G.VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 1, 2, 0, 0, 0);
  const page = all.ram.pages(1);
  all.ram.fill(page, move);
  let kicks = 0;
  for (let i = 0; i < 20; i++) {
    cursors.add([{ gpa: page, bytes: move.length }], []);
    if (driver.kick(D.CURSOR)) kicks++;
    mediator.poll();
    assert.is(cursors.collect().length, 1);
  }
  assert.is(kicks, 1);
  while (mediator.poll());
  assert.is(mediator.works.length, 1, "still");
  mediator.settle();
  assert.is(control(driver).collect().length, 1);
});

test("a copy that fails is the specification's error, and the next command is taken", () => {
  const all = live();
  const { mediator, driver } = all;
  driver.send(D.create2d(2, EXTENT, EXTENT));
  driver.send(D.attach(2, [{ gpa: 0x7f000000n, bytes: PIXELS }]));
  const responses = [D.transfer(2, ALL, 0), D.transfer(1, ALL, 0)].map((one) => put(all, one));
  driver.kick(D.CONTROL);
  mediator.settle();
  assert.equal(
    responses.map((one) => typeAt(all, one)),
    [UNSPEC, OK],
  );
});

test("reset by the driver, again and again: leftovers are nobody's, and hold the next up only as long", () => {
  const all = live();
  const { mediator, driver } = all;
  const quota = QUOTAS.workloads;
  const old: bigint[] = [];
  for (let i = 0; i < quota; i++) {
    old.push(put(all, D.transfer(1, ALL, 0)));
    driver.kick(D.CONTROL);
    assert.is(mediator.works.length, i + 1);
    driver.reset();
    assert.is(mediator.buffers.all.size, 0, "all that it had is given back at once");
    driver.start();
    show(all);
  }
  const fresh = put(all, D.transfer(1, ALL, 0));
  driver.kick(D.CONTROL);
  assert.is(mediator.works.length, quota, "there is no room, so it waits");
  for (let i = 0; i < quota; i++) {
    assert.is(typeAt(all, fresh), 0);
    mediator.work();
    assert.is(mediator.works.length, quota - i > 1 ? quota - i : 1, "the first that ends makes room");
    if (i === 0) assert.is(control(driver).collect().length, 0);
  }
  mediator.work();
  assert.is(typeAt(all, fresh), OK);
  assert.equal(
    old.map((one) => typeAt(all, one)),
    old.map(() => 0),
  );
});

test("reset by the operator: what waited is cancelled and answers nobody", () => {
  const all = live();
  const { mediator, driver } = all;
  const response = put(all, D.transfer(1, ALL, 0));
  put(all, D.flush(1, ALL));
  driver.kick(D.CONTROL);
  mediator.reset();
  mediator.settle();
  assert.equal([mediator.works.length, typeAt(all, response)], [0, 0]);
  driver.start();
  show(all);
  const again = put(all, D.transfer(1, ALL, 0));
  driver.kick(D.CONTROL);
  mediator.settle();
  assert.is(typeAt(all, again), OK);
});

test("a ring that breaks while the engine works: the command is not answered any more", () => {
  const all = live();
  const { mediator, driver } = all;
  const response = put(all, D.transfer(1, ALL, 0));
  driver.kick(D.CONTROL);
  const cursors = driver.queues[D.CURSOR] as Virtqueue;
  cursors.offer(0xffff);
  cursors.show();
  driver.notify(D.CURSOR);
  assert.ok(driver.status() & V.VIRTIO_CONFIG_S_NEEDS_RESET);
  mediator.settle();
  assert.is(typeAt(all, response), 0);
});

test.run();
