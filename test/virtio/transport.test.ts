// SPDX-License-Identifier: MIT
//
// The transport as a driver meets it: features, status, queues, vectors, reset at any moment; and what a driver must
// not do, which changes nothing or asks for a reset.

import { test } from "uvu";
import * as assert from "uvu/assert";
import * as V from "../../unikernel/abi/virtio.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import { BAR_DOORBELL, bit, CONTROL, CURSOR, create2d, Driver, FEATURES_LINUX, getDisplayInfo } from "./driver.js";
import { createMediator } from "./mediator.js";

const ACKNOWLEDGE = V.VIRTIO_CONFIG_S_ACKNOWLEDGE | V.VIRTIO_CONFIG_S_DRIVER;
const LIVE = ACKNOWLEDGE | V.VIRTIO_CONFIG_S_FEATURES_OK | V.VIRTIO_CONFIG_S_DRIVER_OK;
const ISR_AT = 0x100;

function fresh(params: Record<string, number> = {}) {
  const mediator = createMediator(params);
  return { mediator, driver: new Driver(mediator) };
}

test("Linux' way from reset to DRIVER_OK", () => {
  const { mediator, driver } = fresh();
  driver.start();
  assert.is(driver.status(), LIVE);
  assert.is(driver.features, FEATURES_LINUX);
  assert.is(driver.queues[CONTROL]?.size, 256);
  assert.is(driver.queues[CURSOR]?.size, 16);
  assert.is(driver.get(V.VIRTIO_PCI_COMMON_NUMQ, 2), 2);
  assert.is(driver.config(G.VIRTIO_GPU_CONFIG_NUM_SCANOUTS), 1);
  assert.is(driver.send(getDisplayInfo(), 408).type, G.VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
  assert.equal(mediator.interrupts(), [CONTROL + 1]);
});

test("what is offered: nothing that addresses memory in another way than the guest's own", () => {
  const { driver } = fresh();
  assert.is(driver.offered(), FEATURES_LINUX);
  assert.is(driver.offered() & bit(V.VIRTIO_F_ACCESS_PLATFORM), 0n);
  driver.set(V.VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
  assert.is(driver.get(V.VIRTIO_PCI_COMMON_DF, 4), 0);
  assert.is(fresh({ blob: 0 }).driver.offered(), FEATURES_LINUX & ~bit(G.VIRTIO_GPU_F_RESOURCE_BLOB));
});

for (const [title, features] of [
  ["no VERSION_1", FEATURES_LINUX & ~bit(V.VIRTIO_F_VERSION_1)],
  ["nothing", 0n],
  ["one that was not offered", FEATURES_LINUX | bit(0)],
  ["ACCESS_PLATFORM", FEATURES_LINUX | bit(V.VIRTIO_F_ACCESS_PLATFORM)],
] as const) {
  test(`FEATURES_OK does not stand: ${title}`, () => {
    const { driver } = fresh();
    driver.reset();
    driver.addStatus(ACKNOWLEDGE);
    driver.accept(features);
    driver.addStatus(V.VIRTIO_CONFIG_S_FEATURES_OK);
    assert.is(driver.status(), ACKNOWLEDGE);
    driver.addStatus(V.VIRTIO_CONFIG_S_DRIVER_OK);
    assert.is(driver.status(), ACKNOWLEDGE, "and DRIVER_OK without it neither");
  });
}

test("features are fixed once FEATURES_OK stands", () => {
  const { driver } = fresh();
  driver.start();
  driver.accept(0n);
  driver.set(V.VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
  assert.is(driver.get(V.VIRTIO_PCI_COMMON_GF, 4), 1);
});

test("status bits are only ever added; NEEDS_RESET is not the driver's to set", () => {
  const { driver } = fresh();
  driver.start();
  driver.set(V.VIRTIO_PCI_COMMON_STATUS, 1, 1);
  assert.is(driver.status(), LIVE);
  driver.set(V.VIRTIO_PCI_COMMON_STATUS, 1, 0xff);
  assert.is(driver.status(), LIVE | V.VIRTIO_CONFIG_S_FAILED);
});

test("a reset forgets everything, at once, whatever is under way", () => {
  const { mediator, driver } = fresh();
  driver.start();
  driver.send(create2d(1, 640, 480));
  assert.is(mediator.buffers.all.size, 1);
  driver.reset();
  assert.is(mediator.buffers.all.size, 0);
  assert.not(mediator.isPolled());
  assert.is(driver.get(V.VIRTIO_PCI_COMMON_MSIX, 2), V.VIRTIO_MSI_NO_VECTOR);
  for (const queue of [CONTROL, CURSOR]) {
    driver.set(V.VIRTIO_PCI_COMMON_Q_SELECT, 2, queue);
    assert.is(driver.get(V.VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
    assert.is(driver.get(V.VIRTIO_PCI_COMMON_Q_DESCLO, 4), 0);
    assert.is(driver.get(V.VIRTIO_PCI_COMMON_Q_MSIX, 2), V.VIRTIO_MSI_NO_VECTOR);
  }
  driver.start();
  assert.is(driver.send(create2d(1, 640, 480)).type, G.VIRTIO_GPU_RESP_OK_NODATA, "the id is free again");
});

test("vectors that there are not read back as none", () => {
  const { driver } = fresh();
  for (const [value, back] of [
    [0, 0],
    [2, 2],
    [3, V.VIRTIO_MSI_NO_VECTOR],
    [0xfffe, V.VIRTIO_MSI_NO_VECTOR],
    [0xffff, V.VIRTIO_MSI_NO_VECTOR],
  ] as const) {
    driver.set(V.VIRTIO_PCI_COMMON_MSIX, 2, value);
    assert.is(driver.get(V.VIRTIO_PCI_COMMON_MSIX, 2), back);
    driver.set(V.VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
    driver.set(V.VIRTIO_PCI_COMMON_Q_MSIX, 2, value);
    assert.is(driver.get(V.VIRTIO_PCI_COMMON_Q_MSIX, 2), back);
  }
});

test("without vectors the ISR status tells, and is cleared by reading", () => {
  const { mediator, driver } = fresh();
  driver.start();
  for (const queue of [CONTROL, CURSOR]) {
    driver.set(V.VIRTIO_PCI_COMMON_Q_SELECT, 2, queue);
    driver.set(V.VIRTIO_PCI_COMMON_Q_MSIX, 2, V.VIRTIO_MSI_NO_VECTOR);
  }
  driver.set(V.VIRTIO_PCI_COMMON_MSIX, 2, V.VIRTIO_MSI_NO_VECTOR);
  driver.send(getDisplayInfo(), 408);
  mediator.output(0, 800, 600);
  assert.is(driver.get(ISR_AT, 1), V.VIRTIO_PCI_ISR_QUEUE | V.VIRTIO_PCI_ISR_CONFIG);
  assert.is(driver.get(ISR_AT, 1), 0);
  assert.equal(mediator.interrupts(), []);
});

test("a queue that does not exist reads 0 and cannot be enabled", () => {
  const { driver } = fresh();
  driver.start();
  for (const number of [2, 3, 4, 0xffff]) {
    driver.set(V.VIRTIO_PCI_COMMON_Q_SELECT, 2, number);
    assert.is(driver.get(V.VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
    driver.set(V.VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    assert.is(driver.get(V.VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
    driver.notify(number);
  }
  assert.is(driver.status(), LIVE);
});

/** [what, field, value] written before the queue is enabled */
const BAD_QUEUES: [string, number, number, number][] = [
  ["a size that is no power of two", V.VIRTIO_PCI_COMMON_Q_SIZE, 2, 3],
  ["no entries", V.VIRTIO_PCI_COMMON_Q_SIZE, 2, 0],
  ["more entries than offered", V.VIRTIO_PCI_COMMON_Q_SIZE, 2, 512],
  ["descriptors across a boundary of 8", V.VIRTIO_PCI_COMMON_Q_DESCLO, 4, 8],
  ["an odd available ring", V.VIRTIO_PCI_COMMON_Q_AVAILLO, 4, 1],
  ["a used ring across a boundary of 2", V.VIRTIO_PCI_COMMON_Q_USEDLO, 4, 2],
];
for (const [title, field, size, value] of BAD_QUEUES) {
  test(`enabling a queue with ${title} asks for a reset`, () => {
    const { driver } = fresh();
    driver.reset();
    driver.addStatus(ACKNOWLEDGE);
    assert.ok(driver.negotiate(FEATURES_LINUX));
    driver.setUpQueue(CONTROL);
    driver.set(field, size, value);
    driver.set(V.VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    assert.is(driver.get(V.VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
    assert.ok(driver.status() & V.VIRTIO_CONFIG_S_NEEDS_RESET);
    driver.start();
    assert.is(driver.status(), LIVE);
  });
}

for (const [title, field] of [
  ["descriptors", V.VIRTIO_PCI_COMMON_Q_DESCLO],
  ["available ring", V.VIRTIO_PCI_COMMON_Q_AVAILLO],
  ["used ring", V.VIRTIO_PCI_COMMON_Q_USEDLO],
] as const) {
  test(`${title} that would wrap at 2^64 ask for a reset; where there is no RAM, too, once they are used`, () => {
    for (const [high, low] of [
      [0xffffffff, 0xfffffff0],
      [0xffff, 0],
    ] as const) {
      const { driver } = fresh();
      driver.reset();
      driver.addStatus(ACKNOWLEDGE);
      assert.ok(driver.negotiate(FEATURES_LINUX));
      const queue = driver.setUpQueue(CONTROL);
      driver.set(field, 4, low);
      driver.set(field + 4, 4, high);
      driver.set(V.VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
      driver.addStatus(V.VIRTIO_CONFIG_S_DRIVER_OK);
      queue.add(driver.putRequest(getDisplayInfo()), [{ gpa: queue.ram.pages(1), bytes: 408 }]);
      queue.show();
      driver.notify(CONTROL);
      driver.bus.settle();
      assert.ok(driver.status() & V.VIRTIO_CONFIG_S_NEEDS_RESET);
    }
  });
}

test("addresses and size are fixed once the queue is enabled", () => {
  const { driver } = fresh();
  driver.start();
  driver.set(V.VIRTIO_PCI_COMMON_Q_SELECT, 2, CONTROL);
  const before = driver.get(V.VIRTIO_PCI_COMMON_Q_USEDLO, 4);
  driver.set(V.VIRTIO_PCI_COMMON_Q_USEDLO, 4, 0);
  driver.set(V.VIRTIO_PCI_COMMON_Q_SIZE, 2, 2);
  driver.set(V.VIRTIO_PCI_COMMON_Q_ENABLE, 2, 0);
  assert.is(driver.get(V.VIRTIO_PCI_COMMON_Q_USEDLO, 4), before);
  assert.is(driver.get(V.VIRTIO_PCI_COMMON_Q_SIZE, 2), 256);
  assert.is(driver.get(V.VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
});

test("doorbells before DRIVER_OK take nothing; both ways of ringing work after it", () => {
  const { mediator, driver } = fresh();
  driver.reset();
  driver.addStatus(ACKNOWLEDGE);
  driver.negotiate(FEATURES_LINUX);
  const queue = driver.setUpQueue(CONTROL);
  driver.set(V.VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
  queue.add(driver.putRequest(getDisplayInfo()), [{ gpa: queue.ram.pages(1), bytes: 408 }]);
  queue.show();
  driver.notify(CONTROL);
  mediator.settle();
  assert.is(queue.collect().length, 0);
  driver.addStatus(V.VIRTIO_CONFIG_S_DRIVER_OK);
  mediator.settle();
  assert.is(queue.collect().length, 1, "what was there before DRIVER_OK is found by it");
  driver.byPort = false;
  assert.is(driver.send(getDisplayInfo(), 408).type, G.VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
});

test("every access of every size at every offset is answered", () => {
  const { mediator, driver } = fresh();
  driver.start();
  for (const size of [1, 2, 4, 8]) {
    for (let offset = 0; offset + size <= 4096; offset += offset < 0x400 ? 1 : 61) {
      mediator.read(0, offset, size);
      if (offset !== V.VIRTIO_PCI_COMMON_STATUS) mediator.write(0, offset, size, 0xffffffffffffffffn);
    }
    for (let offset = 0; offset + size <= 4; offset++) {
      assert.is(mediator.read(BAR_DOORBELL, offset, size), 0n);
      mediator.write(BAR_DOORBELL, offset, size, 0xffffffffn);
    }
  }
  assert.is(mediator.read(0, 0x800, 4), 0xffffffffn);
  driver.start();
  assert.is(driver.send(getDisplayInfo(), 408).type, G.VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
});

test.run();
