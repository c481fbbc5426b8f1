// SPDX-License-Identifier: MIT
//
// Rings: chains of every lawful shape, the event index through its wrap at 2^16, few notifications and interrupts under
// load; and chains of every unlawful shape, which end in DEVICE_NEEDS_RESET and never in a fault.

import { test } from "uvu";
import * as assert from "uvu/assert";
import * as V from "../../unikernel/abi/virtio.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import { bit, CONTROL, CURSOR, cursor, Driver, FEATURES_LINUX, getDisplayInfo, getEdid } from "./driver.js";
import { createMediator, type Mediator } from "./mediator.js";
import type { Virtqueue } from "./virtqueue.js";

const DIRECT = FEATURES_LINUX & ~bit(V.VIRTIO_RING_F_INDIRECT_DESC);
const PLAIN = DIRECT & ~bit(V.VIRTIO_RING_F_EVENT_IDX);
const NEXT = V.VRING_DESC_F_NEXT;
const WRITE = V.VRING_DESC_F_WRITE;
const INDIRECT = V.VRING_DESC_F_INDIRECT;

function live(features = FEATURES_LINUX, params: Record<string, number> = {}, size?: number) {
  const mediator = createMediator(params);
  const driver = new Driver(mediator).start(features, size);
  return { mediator, driver, queue: driver.queues[CONTROL] as Virtqueue };
}

const isBroken = (driver: Driver): boolean => (driver.status() & V.VIRTIO_CONFIG_S_NEEDS_RESET) !== 0;

for (const [title, features] of [
  ["indirect, event index", FEATURES_LINUX],
  ["direct, event index", DIRECT],
  ["direct, flags", PLAIN],
] as const) {
  test(`a response over many pieces, a command byte by byte: ${title}`, () => {
    const { mediator, driver, queue } = live(features);
    const bytes = getEdid(0);
    const at = mediator.ram.pages(1);
    mediator.ram.fill(at, bytes);
    const pieces = Array.from(bytes, (_, i) => ({ gpa: at + BigInt(i), bytes: 1 }));
    const into = mediator.ram.pages(1);
    const out = Array.from({ length: 132 }, (_, i) => ({ gpa: into + BigInt(i * 8), bytes: 8 }));
    queue.add(pieces, out);
    driver.kick(CONTROL);
    mediator.settle();
    assert.equal(queue.collect(), [{ head: 0, written: G.EDID_BYTES }]);
    const view = new DataView(mediator.ram.bytes(into, 1056).buffer);
    assert.is(view.getUint32(0, true), G.VIRTIO_GPU_RESP_OK_EDID);
    assert.is(view.getUint32(G.EDID_SIZE, true), 128);
  });

  test(`70,000 chains, twice around every index: ${title}`, () => {
    const { mediator, driver, queue } = live(features, { poll_us: 0 }, 64);
    const request = driver.putRequest(getDisplayInfo());
    const into = mediator.ram.pages(1);
    let done = 0;
    for (let sent = 0; sent < 70_000; ) {
      const batch = 1 + (sent % 31);
      for (let i = 0; i < batch; i++) queueAdd(queue, request[0]?.gpa as bigint, into);
      sent += batch;
      driver.kick(CONTROL);
      mediator.settle();
      done += queue.collect().length;
      assert.is(done, sent);
    }
    assert.not(isBroken(driver));
    assert.ok(mediator.interrupts().length > 1000);
  });
}

/** Two direct descriptors: a page of the test's guest is not spent on each. */
function queueAdd(queue: Virtqueue, request: bigint, into: bigint): void {
  const head = (queue.availIndex * 2) % queue.size;
  queue.putDescriptor(queue.descriptors, head, { gpa: request, bytes: 24, flags: NEXT, next: head + 1 });
  queue.putDescriptor(queue.descriptors, head + 1, { gpa: into, bytes: 408, flags: WRITE, next: 0 });
  queue.offer(head);
}

test("an interrupt exactly when the event index is passed, across the wrap", () => {
  const { mediator, driver, queue } = live(FEATURES_LINUX, { poll_us: 0 }, 64);
  const request = driver.putRequest(getDisplayInfo())[0]?.gpa as bigint;
  const into = mediator.ram.pages(1);
  for (let i = 0; i < 65_530; i++) {
    queue.wantInterrupt((queue.usedIndex + 100) & 0xffff); // far ahead: never
    queueAdd(queue, request, into);
    queue.show();
    driver.notify(CONTROL);
    mediator.settle();
    queue.usedIndex = (queue.usedIndex + 1) & 0xffff;
  }
  assert.equal(mediator.interrupts(), []);
  const seen: number[] = [];
  queue.wantInterrupt(65_533);
  for (let i = 0; i < 12; i++) {
    if (i === 6) queue.wantInterrupt(2);
    queueAdd(queue, request, into);
    queue.show();
    driver.notify(CONTROL);
    mediator.settle();
    if (mediator.interrupts().length > 0) seen.push((65_530 + i) & 0xffff);
  }
  assert.equal(seen, [65_533, 2]);
});

test("no interrupt while the driver's flag says so", () => {
  const { mediator, driver, queue } = live(PLAIN);
  queue.setNoInterrupt(true);
  driver.send(getDisplayInfo(), 408);
  assert.equal(mediator.interrupts(), []);
  queue.setNoInterrupt(false);
  driver.send(getDisplayInfo(), 408);
  assert.equal(mediator.interrupts(), [1]);
});

for (const [title, features] of [
  ["event index", FEATURES_LINUX],
  ["flags", PLAIN],
] as const) {
  test(`under load the guest need not notify; idle, nobody is polled: ${title}`, () => {
    const { mediator, driver, queue } = live(features, { poll_us: 50 });
    const request = driver.putRequest(getDisplayInfo())[0]?.gpa as bigint;
    const into = mediator.ram.pages(1);
    const before = mediator.traps;
    let kicks = 0;
    for (let i = 0; i < 500; i++) {
      queueAdd(queue, request, into);
      if (driver.kick(CONTROL)) kicks++;
      mediator.poll();
      assert.is(queue.collect().length, 1);
    }
    assert.is(kicks, 1, "the first one only");
    assert.is(mediator.traps - before, 1);
    mediator.settle();
    assert.not(mediator.isPolled());
    queueAdd(queue, request, into);
    assert.ok(driver.kick(CONTROL), "after a pause it must notify again");
    mediator.settle();
    assert.is(queue.collect().length, 1);
  });
}

for (const [title, features] of [
  ["event index", FEATURES_LINUX],
  ["flags", PLAIN],
] as const) {
  test(`a chain that came before the guest could see that we listen is found: ${title}`, () => {
    const { mediator, driver, queue } = live(features, { poll_us: 0 });
    const into = mediator.ram.pages(1);
    const request = driver.putRequest(getDisplayInfo())[0]?.gpa as bigint;
    queueAdd(queue, request, into);
    queueAdd(queue, request, into);
    const index = queue.available + BigInt(V.VRING_IDX);
    const listens = queue.eventIndex ? queue.used + BigInt(V.VRING_RING + queue.size * 8) : queue.used;
    mediator.ram.setWord(index, 1); // one is shown; the other appears just when the device says that it listens
    mediator.afterWrite = (gpa) => gpa === listens && mediator.ram.setWord(index, 2);
    driver.notify(CONTROL);
    mediator.settle();
    mediator.afterWrite = undefined;
    assert.is(queue.collect().length, 2);
  });
}

// --- what no lawful driver does ---

interface Bad {
  title: string;
  features?: bigint;
  /** Descriptors of the ring's own table, from 0. */
  ring?: [gpa: bigint | "page", bytes: number, flags: number, next: number][];
  /** Descriptors of an indirect table; ring descriptor 0 points there. */
  table?: [gpa: bigint | "page", bytes: number, flags: number, next: number][];
  tableBytes?: number;
  head?: number;
}

const BAD: Bad[] = [
  { title: "a head outside the ring", head: 256 },
  { title: "a head far outside the ring", head: 0xffff },
  { title: "a chain that loops", ring: [["page", 24, NEXT, 0]] },
  {
    title: "a chain of two that loops",
    ring: [
      ["page", 12, NEXT, 1],
      ["page", 12, NEXT, 0],
    ],
  },
  { title: "next outside the ring", ring: [["page", 24, NEXT, 256]] },
  {
    title: "readable behind writable",
    ring: [
      ["page", 8, WRITE | NEXT, 1],
      ["page", 24, 0, 0],
    ],
  },
  { title: "a piece that wraps at 2^64", ring: [[0xfffffffffffffff0n, 24, 0, 0]] },
  { title: "an indirect table with a next", ring: [["page", 32, INDIRECT | NEXT, 1]] },
  { title: "an empty indirect table", table: [], tableBytes: 0 },
  { title: "half a descriptor in a table", table: [["page", 24, 0, 0]], tableBytes: 24 },
  { title: "a table that is too long", table: [["page", 24, 0, 0]], tableBytes: 513 * 16 },
  { title: "a table of 4 GiB", table: [["page", 24, 0, 0]], tableBytes: 0xfffffff0 },
  { title: "a table in a table", table: [["page", 16, INDIRECT, 0]] },
  { title: "a loop in a table", table: [["page", 24, NEXT, 0]] },
  { title: "next outside the table", table: [["page", 24, NEXT, 1]] },
  { title: "a table where there is no RAM", ring: [[0x7f00000000n, 32, INDIRECT, 0]] },
  { title: "a table that wraps at 2^64", ring: [[0xfffffffffffffff0n, 32, INDIRECT, 0]] },
  { title: "a table that was not agreed on", features: DIRECT, table: [["page", 24, 0, 0]] },
];

for (const bad of BAD) {
  test(`${bad.title}: asks for a reset, and works after it`, () => {
    const { mediator, driver, queue } = live(bad.features);
    place(mediator, queue, bad);
    mediator.interrupts();
    queue.show();
    driver.notify(CONTROL);
    mediator.settle();
    assert.ok(isBroken(driver));
    assert.equal(mediator.interrupts(), [0], "the configuration interrupt tells");
    assert.is(queue.collect().length, 0);
    driver.notify(CONTROL);
    driver.notify(CURSOR);
    assert.not(mediator.poll(), "nothing is taken any more");
    driver.start();
    assert.is(driver.send(getDisplayInfo(), 408).type, G.VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
  });
}

function place(mediator: Mediator, queue: Virtqueue, bad: Bad): void {
  const page = mediator.ram.pages(1);
  const put =
    (at: bigint) =>
    ([gpa, bytes, flags, next]: NonNullable<Bad["ring"]>[0], i: number) =>
      queue.putDescriptor(at, i, { gpa: gpa === "page" ? page : gpa, bytes, flags, next });
  bad.ring?.forEach(put(queue.descriptors));
  if (bad.table !== undefined) {
    const table = mediator.ram.pages(3);
    bad.table.forEach(put(table));
    put(queue.descriptors)([table, bad.tableBytes ?? bad.table.length * 16, INDIRECT, 0], 0);
  }
  queue.offer(bad.head ?? 0);
}

test("an available index that jumps ahead of the ring asks for a reset; the most that is lawful does not", () => {
  for (const [ahead, broken] of [
    [257, true],
    [0x8000, true],
    [0xffff, true],
    [256, false],
  ] as const) {
    const { mediator, driver, queue } = live(FEATURES_LINUX, { poll_us: 0 });
    queue.putDescriptor(queue.descriptors, 0, { gpa: mediator.ram.pages(1), bytes: 24, flags: 0, next: 0 });
    mediator.ram.setWord(queue.available + 2n, ahead);
    driver.notify(CONTROL);
    mediator.settle();
    assert.is(isBroken(driver), broken, String(ahead));
  }
});

test("normal descriptors before an indirect table are one chain", () => {
  const { mediator, driver, queue } = live();
  const table = mediator.ram.pages(1);
  const into = mediator.ram.pages(1);
  const at = driver.putRequest(getEdid(0))[0]?.gpa as bigint;
  queue.putDescriptor(queue.descriptors, 0, { gpa: at, bytes: 10, flags: NEXT, next: 7 });
  queue.putDescriptor(queue.descriptors, 7, { gpa: table, bytes: 32, flags: INDIRECT | WRITE, next: 99 });
  queue.putDescriptor(table, 0, { gpa: at + 10n, bytes: 22, flags: NEXT, next: 1 });
  queue.putDescriptor(table, 1, { gpa: into, bytes: 2000, flags: WRITE, next: 0 });
  queue.offer(0);
  driver.kick(CONTROL);
  mediator.settle();
  assert.equal(queue.collect(), [{ head: 0, written: 1056 }]);
});

test("the longest table, and one piece more", () => {
  for (const [pieces, broken] of [
    [512, false],
    [513, true],
  ] as const) {
    const { mediator, driver, queue } = live();
    const table = mediator.ram.pages(3);
    for (let i = 0; i < pieces; i++) {
      const last = i === pieces - 1;
      const flags = (last ? 0 : NEXT) | (i < 2 ? 0 : WRITE);
      queue.putDescriptor(table, i, { gpa: mediator.ram.pages(1), bytes: i < 2 ? 12 : 1, flags, next: i + 1 });
    }
    queue.putDescriptor(queue.descriptors, 0, { gpa: table, bytes: pieces * 16, flags: INDIRECT, next: 0 });
    queue.offer(0);
    driver.kick(CONTROL);
    mediator.settle();
    assert.is(isBroken(driver), broken);
    if (!broken) assert.equal(queue.collect(), [{ head: 0, written: 24 }]);
  }
});

test("pieces of no bytes, a response that does not fit, none at all", () => {
  const { mediator, driver, queue } = live(DIRECT);
  const into = mediator.ram.pages(1);
  const at = driver.putRequest(getDisplayInfo())[0]?.gpa as bigint;
  const sent = (pieces: number[], out: number[]) => {
    queue.add(
      pieces.map((bytes) => ({ gpa: at, bytes })),
      out.map((bytes) => ({ gpa: into, bytes })),
    );
    driver.kick(CONTROL);
    mediator.settle();
    return queue.collect()[0]?.written;
  };
  assert.is(sent([0, 24, 0], [0, 408, 0]), 408);
  assert.is(sent([24], [10]), 10);
  assert.is(sent([24], [0]), 0);
  assert.is(sent([24], []), 0);
  assert.is(sent([], [408]), 24, "no command: an error in return");
  assert.is(sent([23], [408]), 24);
  assert.not(isBroken(driver));
});

test("data where there is no RAM is an error of that command; a response there asks for a reset", () => {
  const { mediator, driver, queue } = live();
  const answer = driver.send(getDisplayInfo(), 408, [{ gpa: 0x7f0000000n, bytes: 24 }]);
  assert.is(answer.type, G.VIRTIO_GPU_RESP_ERR_UNSPEC);
  queue.add(driver.putRequest(getDisplayInfo()), [{ gpa: 0x7f0000000n, bytes: 408 }]);
  driver.kick(CONTROL);
  mediator.settle();
  assert.ok(isBroken(driver));
});

test("a full ring of the dearest chains stays within the fuel of each call", () => {
  const { mediator, driver, queue } = live(DIRECT, { poll_us: 0 });
  const page = mediator.ram.pages(1);
  mediator.ram.fill(page, getEdid(0).slice(0, 24));
  for (let i = 0; i < 256; i++) {
    const last = i === 255;
    const flags = (last ? 0 : NEXT) | (i < 24 ? 0 : WRITE);
    queue.putDescriptor(queue.descriptors, i, { gpa: page + BigInt(i < 24 ? i : 512), bytes: 1, flags, next: i + 1 });
  }
  for (let i = 0; i < 256; i++) queue.offer(0); // the same chain 256 times
  driver.kick(CONTROL);
  mediator.settle();
  assert.is(queue.collect().length, 256);
  assert.ok(mediator.fuelMost() < 0.5, `${mediator.fuelMost()}`);
});

test("the cursor queue is served while the control queue is empty", () => {
  const { driver } = live();
  driver.sendCursor(cursor(G.VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 10, 20, 0, 0, 0));
  assert.not(isBroken(driver));
});

test.run();
