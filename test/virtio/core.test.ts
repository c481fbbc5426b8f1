// SPDX-License-Identifier: MIT
//
// virtio-gpu with the real core in the simulated machine: found by its capabilities as Linux finds it, modes on two
// outputs with the CRC that the operator's request sees, both doorbells, interrupts by MSI-X; and a hostile neighbour,
// of the same guest and of another, that nobody notices.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../host/sim/crc32.js";
import { configRead } from "../../host/sim/guest.js";
import { addDomain, step } from "../../host/sim/world.js";
import * as P from "../../unikernel/abi/pci.js";
import * as V from "../../unikernel/abi/virtio.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import { GUEST, machine, realModule, request, specify, stat, vgpuNode } from "../core/support.js";
import { random } from "../pipeline/host.js";
import * as D from "./driver.js";
import type { Virtqueue } from "./virtqueue.js";
import { giveMemory, setUp, type WorldBus } from "./world.js";

const SPEC = "module=virtio-gpu guest=pvh outputs=2 width1=1280 height1=720";
const OK = G.VIRTIO_GPU_RESP_OK_NODATA;
const OTHER = 8;
const MODULE = await realModule("unikernel/modules/virtio-gpu");

function attached(spec = SPEC) {
  const { world, guest } = machine([MODULE]);
  giveMemory(guest);
  assert.is(specify(world, spec), "ready");
  const bus = setUp(world, guest, 1);
  return { world, guest, bus, driver: new D.Driver(bus).start() };
}

test("Linux finds the structures: virtio_pci_modern's walk through the capabilities", () => {
  const { world, guest } = attached();
  const read = (offset: number, size: number) => configRead(world, guest, 1, offset, size);
  assert.equal([read(0, 2), read(2, 2)], [V.VIRTIO_PCI_VENDOR_ID, V.VIRTIO_PCI_DEVICE_ID_BASE + G.VIRTIO_ID_GPU]);
  const found: number[][] = [];
  for (let at = read(P.PCI_CAPABILITY_LIST, 1); at !== 0; at = read(at + 1, 1)) {
    if (read(at, 1) !== 9) continue;
    assert.is(read(at + 2, 1) >= 16, true);
    found.push([read(at + 3, 1), read(at + 4, 1), read(at + 8, 4), read(at + 12, 4)]);
  }
  assert.equal(found, [
    [V.VIRTIO_PCI_CAP_COMMON_CFG, 0, 0x000, V.VIRTIO_PCI_COMMON_BYTES],
    [V.VIRTIO_PCI_CAP_ISR_CFG, 0, 0x100, 1],
    [V.VIRTIO_PCI_CAP_NOTIFY_CFG, 2, 0, 4],
    [V.VIRTIO_PCI_CAP_NOTIFY_CFG, 0, 0x300, 4],
    [V.VIRTIO_PCI_CAP_DEVICE_CFG, 0, 0x200, G.VIRTIO_GPU_CONFIG_BYTES],
  ]);
});

/** A picture in scattered pages: what was drawn, and where. */
function drawn(bus: WorldBus, bytes: number, seed: number) {
  const pages = Math.ceil(bytes / 4096);
  const first = bus.ram.pages(pages);
  const pattern = Uint8Array.from({ length: bytes }, (_, i) => (i * 13 + (i >> 9) + seed) & 0xff);
  const list = Array.from({ length: pages }, (_, i) => {
    const gpa = first + BigInt((pages - 1 - i) * 4096);
    const part = pattern.subarray(i * 4096, (i + 1) * 4096);
    bus.ram.fill(gpa, part);
    return { gpa, bytes: 4096 };
  });
  return { list, crc: crc32(pattern).toString(16).padStart(8, "0") };
}

const crcIn = (reply: string | undefined): string => /crc32=([0-9a-f]{8})/.exec(reply ?? "")?.[1] ?? String(reply);
const seen = (bus: WorldBus, scanout: number): string =>
  crcIn(request(bus.world, `${1 + scanout} crc ${bus.domain.domid} ${bus.slot - 1} ${scanout}`));

function drawBlob(driver: D.Driver, bus: WorldBus, id: number, output: number, [width, height]: [number, number]) {
  const { list, crc } = drawn(bus, width * height * 4, id);
  const rect = { x: 0, y: 0, width, height };
  assert.is(driver.send(D.createBlob(id, BigInt(width * height * 4), list)).type, OK);
  assert.is(driver.send(D.setScanoutBlob(output, id, rect, { width, height, stride: width * 4 })).type, OK);
  assert.is(driver.send(D.flush(id, rect)).type, OK);
  return crc;
}

test("modes on two outputs, one from a blob, one transferred: the operator sees the guest's bytes", () => {
  const { bus, driver } = attached();
  const blob = drawBlob(driver, bus, 1, 0, [1024, 768]);
  const { list, crc } = drawn(bus, 1280 * 720 * 4, 9);
  const rect = { x: 0, y: 0, width: 1280, height: 720 };
  assert.is(driver.send(D.create2d(2, 1280, 720)).type, OK);
  assert.is(driver.send(D.attach(2, list)).type, OK);
  assert.is(driver.send(D.setScanout(1, 2, rect)).type, OK);
  assert.is(driver.send(D.transfer(2, rect, 0)).type, OK);
  assert.is(driver.send(D.flush(2, rect)).type, OK);
  assert.is(seen(bus, 0), blob);
  assert.is(seen(bus, 1), crc);
  assert.is(stat(bus.world).get("refused"), "0");
  assert.ok(bus.interrupts().every((vector) => vector === 1));
});

test("a cursor on each output, from a blob and transferred: the operator sees its place and the guest's bytes", () => {
  const { world, bus, driver } = attached();
  const { list, crc } = drawn(bus, 64 * 64 * 4, 3);
  const rect = { x: 0, y: 0, width: 64, height: 64 };
  assert.is(driver.send(D.createBlob(1, 16384n, list)).type, OK);
  assert.is(driver.send(D.create2d(2, 64, 64, G.VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM)).type, OK);
  assert.is(driver.send(D.attach(2, list)).type, OK);
  assert.is(driver.send(D.transfer(2, rect, 0)).type, OK);
  const ask = (seq: number, scanout: number) => request(world, `${seq} crc ${GUEST} 0 ${scanout} cursor`);
  assert.is(ask(30, 0), "30 error cursor off: 0");
  driver.sendCursor(D.cursor(G.VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 500, 400, 1, 0, 0));
  driver.sendCursor(D.cursor(G.VIRTIO_GPU_CMD_UPDATE_CURSOR, 1, -20, -30, 2, 0, 0));
  const shape = "width=64 height=64 stride=256 format=AR24";
  assert.is(ask(31, 0), `31 ok crc32=${crc} ${shape} x=500 y=400`);
  assert.is(ask(32, 1), `32 ok crc32=${crc} ${shape} x=-20 y=-30`);
  assert.equal([stat(world).get("cursor0"), stat(world).get("cursor1")], ["500,400", "-20,-30"]);
  driver.sendCursor(D.cursor(G.VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 1, 2, 0, 0, 0));
  assert.is(stat(world).get("cursor0"), "1,2");
  driver.reset();
  assert.equal([stat(world).get("cursor0"), stat(world).get("cursor1")], ["off", "off"]);
});

test("a flush that is found by polling is done without another event: the domain does not go to sleep on it", () => {
  const { world, bus, driver } = attached(`${SPEC} poll_us=1000`);
  drawBlob(driver, bus, 1, 0, [640, 480]);
  const queue = driver.queues[D.CONTROL] as Virtqueue;
  const request_page = bus.ram.pages(1);
  const bytes = D.flush(1, { x: 0, y: 0, width: 640, height: 480 });
  bus.ram.fill(request_page, bytes);
  const pieces = [{ gpa: request_page, bytes: bytes.length }];
  queue.add(pieces, [{ gpa: request_page + 2048n, bytes: 24 }]);
  driver.kick(D.CONTROL);
  while (queue.collect().length === 0) assert.ok(step(world));
  for (let i = 0; i < 20; i++) {
    queue.add(pieces, [{ gpa: request_page + 2048n, bytes: 24 }]);
    assert.is(driver.kick(D.CONTROL), false, "the window is open");
    let done = 0;
    for (let left = 8; done === 0 && left > 0 && step(world); left--) done = queue.collect().length;
    assert.is(done + queue.collect().length, 1, `flush ${i}`);
  }
});

test("reset by the driver and by the operator, then everything again", () => {
  const { bus, driver, world } = attached();
  drawBlob(driver, bus, 1, 0, [640, 480]);
  driver.reset();
  assert.match(seen(bus, 0), /scanout off/);
  driver.start();
  const crc = drawBlob(driver, bus, 1, 0, [640, 480]);
  assert.is(seen(bus, 0), crc);
  request(world, `7 reset ${GUEST} 0`);
  const again = setUp(world, bus.domain, 1);
  const fresh = new D.Driver(again).start();
  assert.is(fresh.send(D.create2d(1, 64, 64)).type, OK);
  assert.is(stat(world).get("state") ?? "ready", "ready");
});

test("outputs that cannot be are refused in words: too many, or too large", () => {
  for (const [words, reason] of [
    ["outputs=5", "outputs=5: must be 1 to 4"],
    ["outputs=0", "outputs=0: must be 1 to 4"],
    ["outputs=4 width3=3841", "width3=3841: must be 640 to 3840"],
    ["outputs=4 height2=479", "height2=479: must be 480 to 2400"],
    ["outputs=4 width4=800", "width4"],
  ] as const) {
    const { world } = machine([MODULE]);
    assert.is(specify(world, `module=virtio-gpu guest=pvh ${words}`), "refused");
    const error = String(vgpuNode(world, "error"));
    assert.ok(error.includes(reason), error);
  }
  const { world, guest } = machine([MODULE]);
  giveMemory(guest);
  const most = ["", "1", "2", "3"].map((i) => `width${i}=3840 height${i}=2400`).join(" ");
  assert.is(specify(world, `module=virtio-gpu guest=pvh outputs=4 ${most}`), "ready");
});

test("the operator plugs in, resizes, unplugs by a request; what cannot be is refused in words", () => {
  const { world, bus, driver } = attached();
  const size = (): number[] => {
    const view = new DataView(driver.send(D.getDisplayInfo(), 408).bytes.buffer);
    return [56, 60, 64].map((at) => view.getUint32(at, true));
  };
  bus.interrupts();
  assert.is(request(world, `20 output ${GUEST} 0 1 1600 1200`), "20 ok");
  assert.equal(bus.interrupts(), [0]);
  assert.is(driver.config(G.VIRTIO_GPU_CONFIG_EVENTS_READ), 1);
  assert.equal(size(), [1600, 1200, 1]);
  assert.is(request(world, `21 output ${GUEST} 0 1 0 0`), "21 ok");
  assert.equal(size(), [0, 0, 0]);
  assert.match(String(request(world, `22 output ${GUEST} 0 4 800 600`)), /output must be 0 to 3/);
  assert.match(String(request(world, `23 output ${GUEST} 0 1 16385 600`)), /width must be 0 to 16384/);
  assert.match(String(request(world, `24 output ${GUEST} 0 1 800`)), /height must be/);
  assert.match(String(request(world, `25 output ${GUEST} 0 1 800 600 1`)), /is too much/);
  request(world, `26 output ${GUEST} 0 1 100 100`);
  assert.ok(world.console.some((line) => line.includes("output 1: 100x100 cannot be")));
  assert.equal(size(), [0, 0, 0]);
});

/** Lawful and unlawful chains, commands of any bytes; what comes of them is the guest's own affair. */
function torment(driver: D.Driver, bus: WorldBus, seed: number, steps: number): void {
  const next = random(seed);
  const page = bus.ram.pages(4);
  for (let i = 0; i < steps; i++) {
    if (driver.status() & V.VIRTIO_CONFIG_S_NEEDS_RESET) driver.start();
    const queue = driver.queues[next() % 2] as Virtqueue;
    const bytes = Uint8Array.from({ length: 128 }, () => next() & 0xff);
    new DataView(bytes.buffer).setUint32(0, (next() % 4 === 0 ? 0x300 : 0x100) + (next() % 14), true);
    bus.ram.fill(page, bytes);
    queue.putDescriptor(queue.descriptors, 0, { gpa: page, bytes: next() % 128, flags: 1, next: 1 });
    const wild = next() % 8 === 0;
    const gpa = wild ? BigInt(next()) << BigInt(next() % 33) : page + 4096n;
    queue.putDescriptor(queue.descriptors, 1, {
      gpa,
      bytes: next() % 4096,
      flags: wild ? next() % 8 : 2,
      next: next() % 3,
    });
    queue.offer(next() % 16 === 0 ? next() & 0xffff : 0);
    queue.show();
    driver.notify(next() % 2);
    if (next() % 4 === 0) bus.settle();
  }
}

test("a hostile driver harms nobody: not the other device of its guest, not another guest", () => {
  const { world, guest, bus, driver } = attached();
  const other = addDomain(world, OTHER);
  giveMemory(other);
  assert.is(specify(world, SPEC, 1), "ready");
  assert.is(specify(world, SPEC, 0, OTHER), "ready");
  const second = setUp(world, guest, 2);
  const foreign = setUp(world, other, 1);
  const neighbours = [new D.Driver(second).start(), new D.Driver(foreign).start()] as const;
  const crcs = [drawBlob(neighbours[0], second, 1, 0, [640, 480]), drawBlob(neighbours[1], foreign, 1, 0, [800, 600])];
  for (let seed = 1; seed <= 5; seed++) torment(driver, bus, seed, 200);
  assert.is(seen(second, 0), crcs[0]);
  assert.is(crcIn(request(world, `9 crc ${OTHER} 0 0`)), crcs[1]);
  for (const one of neighbours) assert.is(one.send(D.create2d(5, 16, 16)).type, OK);
  for (const [number, domid] of [
    [0, GUEST],
    [1, GUEST],
    [0, OTHER],
  ] as const) {
    assert.is(stat(world, number, domid).get("faults") ?? "0", "0");
  }
  assert.not.match(world.console.join("\n"), /lost:/);
  assert.is(driver.start().send(D.create2d(5, 16, 16)).type, OK, "and the hostile one may begin anew");
});

test.run();
