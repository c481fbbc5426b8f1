// SPDX-License-Identifier: MIT
//
// Hostile drivers, seeded: rings and commands of random and of nearly right contents, registers written at random, the
// clock and the operator in between. Whatever comes, the module never faults (the mediator throws), no call takes half
// of its fuel, nothing of the mediator's is left after a reset, and a proper driver works afterwards.

import { test } from "uvu";
import * as assert from "uvu/assert";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import { random } from "../pipeline/host.js";
import * as D from "./driver.js";
import { createMediator, type Mediator } from "./mediator.js";
import type { Virtqueue } from "./virtqueue.js";

const RUNS = 60;
const STEPS = 250;

type Pick = (below: number) => number;

const EDGES = [0, 1, 2, 3, 4, 7, 8, 15, 16, 24, 63, 64, 255, 256, 4095, 4096, 16384, 65535, 0x7fffffff, 0xffffffff];

function number(pick: Pick): number {
  return pick(3) === 0 ? (EDGES[pick(EDGES.length)] as number) : pick(80);
}

/** A command that is nearly right. */
function someCommand(pick: Pick, page: bigint): Uint8Array {
  const rect = { x: number(pick), y: number(pick), width: number(pick), height: number(pick) };
  const id = 1 + pick(6);
  const list = Array.from({ length: pick(5) }, () => ({ gpa: page, bytes: 4096 * (1 + pick(4)) }));
  const makers: (() => Uint8Array)[] = [
    () => D.create2d(id, 1 + pick(64), 1 + pick(64), 1 + pick(3)),
    () => D.create2d(id, number(pick), number(pick), number(pick)),
    () => D.attach(id, list, pick(4) === 0 ? number(pick) : list.length),
    () => D.detach(id),
    () => D.unref(id),
    () => D.setScanout(pick(3), pick(7), pick(2) === 0 ? { x: 0, y: 0, width: 1, height: 1 } : rect),
    () => D.flush(id, rect),
    () => D.transfer(id, { x: 0, y: 0, width: 1 + pick(16), height: 1 + pick(16) }, pick(64), BigInt(pick(1000))),
    () => D.transfer(id, rect, number(pick)),
    () => D.createBlob(id, BigInt(1 + number(pick)), list, 1 + pick(2)),
    () => D.setScanoutBlob(pick(3), pick(7), rect, { width: number(pick), height: number(pick), stride: number(pick) }),
    () => D.setScanoutBlob(0, id, { x: 0, y: 0, width: 8, height: 8 }, { width: 8, height: 8, stride: 32 }),
    () => D.getEdid(pick(4)),
    () => D.getDisplayInfo(),
    () => D.cursor(0x300 + pick(2), pick(3), number(pick), number(pick), pick(7), 1, 1),
  ];
  const bytes = (makers[pick(makers.length)] as () => Uint8Array)();
  if (pick(5) === 0) bytes[pick(bytes.length)] = pick(256);
  return pick(8) === 0 ? bytes.slice(0, pick(bytes.length)) : bytes;
}

/** Into the ring: a lawful chain, or descriptors as they come. */
function offer(driver: D.Driver, queue: Virtqueue, pick: Pick, area: { page: bigint; into: bigint }): void {
  const bytes = someCommand(pick, area.page);
  queue.ram.fill(area.page, bytes);
  const wild = pick(6) === 0;
  const cut = pick(bytes.length + 1);
  const pieces = [
    { gpa: area.page, bytes: cut },
    { gpa: area.page + BigInt(cut), bytes: bytes.length - cut },
    { gpa: area.into, bytes: pick(4) === 0 ? number(pick) % 4096 : 1056 },
  ];
  const table = pick(2) === 0;
  const base = table ? area.into + 8192n : queue.descriptors;
  pieces.forEach(({ gpa, bytes: length }, i) => {
    queue.putDescriptor(base, i, {
      gpa: wild && pick(3) === 0 ? BigInt(number(pick)) << BigInt(pick(64)) : gpa,
      bytes: wild && pick(3) === 0 ? number(pick) : length,
      flags: wild && pick(3) === 0 ? pick(8) : (i < 2 ? 1 : 0) | (i === 2 ? 2 : 0),
      next: wild && pick(3) === 0 ? number(pick) & 0xffff : i + 1,
    });
  });
  if (table) queue.putDescriptor(queue.descriptors, 0, { gpa: base, bytes: 48, flags: 4, next: 0 });
  queue.offer(wild && pick(4) === 0 ? number(pick) & 0xffff : 0);
  if (wild && pick(4) === 0) queue.availIndex = (queue.availIndex + pick(1000)) & 0xffff;
  queue.show();
  driver.notify(pick(2));
}

function step(mediator: Mediator, driver: D.Driver, pick: Pick, area: { page: bigint; into: bigint }): void {
  const what = pick(100);
  const queue = driver.queues[pick(8) === 0 ? D.CURSOR : D.CONTROL];
  if (what < 70 && queue !== undefined) offer(driver, queue, pick, area);
  else if (what < 79) mediator.poll();
  else if (what < 85) mediator.work();
  else if (what < 90) mediator.write(0, pick(0x340), 1 << pick(4), number(pick));
  else if (what < 93) mediator.read(0, pick(0x340), 1 << pick(4));
  else if (what < 95) mediator.output(pick(5), number(pick) & 0xffff, number(pick) & 0xffff);
  else if (what < 96) mediator.buffers.refuseAfter = pick(10);
  else if (what < 98) mediator.settle();
  else if (what < 99) driver.reset();
  else driver.start(D.FEATURES_LINUX & ~(pick(4) === 0 ? D.bit(28 + pick(2)) : 0n));
}

test(`${RUNS} hostile drivers, ${STEPS} steps each`, () => {
  let answered = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const next = random(seed);
    const pick: Pick = (below) => next() % below;
    const mediator = createMediator({ outputs: 2, memory_bytes: 1 << 20, poll_us: pick(100) });
    const driver = new D.Driver(mediator).start();
    const area = { page: mediator.ram.pages(8), into: mediator.ram.pages(4) };
    for (let i = 0; i < STEPS; i++) {
      step(mediator, driver, pick, area);
      if (driver.queues.length === 0 || driver.status() & 0x40) driver.start();
      answered += driver.queues[D.CONTROL]?.collect().length ?? 0;
      const bytes = [...mediator.buffers.all.values()].reduce((sum, one) => sum + one.own.length, 0);
      assert.ok(bytes <= 1 << 20, "the guest's quota holds");
    }
    mediator.buffers.refuseAfter = Number.POSITIVE_INFINITY;
    driver.reset();
    mediator.settle();
    assert.is(mediator.buffers.all.size, 0);
    assert.ok(mediator.fuelMost() < 0.5, `${mediator.fuelMost()}`);
    driver.start();
    assert.is(driver.send(D.create2d(1, 8, 8)).type, G.VIRTIO_GPU_RESP_OK_NODATA, `seed ${seed}`);
  }
  assert.ok(answered > (RUNS * STEPS) / 10, `the runs reach the commands: ${answered} came back`);
});

test.run();
