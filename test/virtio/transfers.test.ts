// SPDX-License-Identifier: MIT
//
// Pictures on their way from a guest's pages to a scanout: each byte where it belongs, and the answer of the
// specification to what cannot be.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../host/sim/crc32.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import * as D from "./driver.js";
import { live, OK, PARAMETER, part, RESOURCE, rect, SCANOUT, scattered, shown, UNSPEC } from "./pictures.js";

const U32 = 0xffffffff;

test("a full picture: transferred and shown, CRC as in the guest", () => {
  const { mediator, driver, ram } = live({ outputs: 2 });
  const { list, pattern } = scattered(ram, 1024 * 768 * 4);
  assert.is(driver.send(D.create2d(1, 1024, 768)).type, OK);
  assert.is(driver.send(D.attach(1, list)).type, OK);
  assert.is(driver.send(D.setScanout(0, 1, rect(0, 0, 1024, 768))).type, OK);
  assert.is(driver.send(D.transfer(1, rect(0, 0, 1024, 768), 0)).type, OK);
  assert.is(driver.send(D.flush(1, rect(0, 0, 1024, 768))).type, OK);
  assert.is(shown(mediator, 0), crc32(pattern));
  assert.equal(mediator.scanouts[0]?.flushes, [[0, 0, 1024, 768]]);
  assert.is(driver.send(D.setScanout(1, 1, rect(100, 50, 300, 200))).type, OK);
  assert.is(shown(mediator, 1), part(pattern, 4096, rect(100, 50, 300, 200)), "a part of it on the other output");
  assert.is(driver.send(D.flush(1, rect(90, 40, 20, 20))).type, OK);
  assert.equal(mediator.scanouts[1]?.flushes, [[0, 0, 10, 10]], "in the scanout's own pixels");
  assert.is(driver.send(D.flush(1, rect(0, 0, 100, 768))).type, OK);
  assert.is(mediator.scanouts[1]?.flushes.length, 1, "what it does not show does not concern it");
});

test("rectangles, narrow and wide, land where they belong and nowhere else", () => {
  const { mediator, driver, ram } = live();
  const { list, pattern } = scattered(ram, 300 * 200 * 4);
  driver.send(D.create2d(9, 300, 200));
  driver.send(D.attach(9, list));
  driver.send(D.setScanout(0, 9, rect(0, 0, 300, 200)));
  const wanted = new Uint8Array(300 * 200 * 4);
  for (const one of [
    rect(0, 0, 1, 200),
    rect(299, 0, 1, 200),
    rect(17, 3, 200, 1),
    rect(5, 199, 295, 1),
    rect(7, 7, 90, 90),
  ]) {
    const offset = one.y * 1200 + one.x * 4;
    assert.is(driver.send(D.transfer(9, one, offset)).type, OK);
    for (let row = 0; row < one.height; row++) {
      const at = offset + row * 1200;
      wanted.set(pattern.subarray(at, at + one.width * 4), at);
    }
    assert.is(shown(mediator, 0), crc32(wanted));
  }
});

test("the extremes of a resource: one row of 16384 pixels, one column of 16384", () => {
  for (const [width, height] of [
    [16384, 1],
    [1, 16384],
  ] as const) {
    const { mediator, driver, ram } = live();
    const { list, pattern } = scattered(ram, 65536);
    assert.is(driver.send(D.create2d(1, width, height)).type, OK);
    assert.is(driver.send(D.attach(1, list)).type, OK);
    assert.is(driver.send(D.setScanout(0, 1, rect(0, 0, width, height))).type, OK);
    assert.is(driver.send(D.transfer(1, rect(0, 0, width, height), 0)).type, OK);
    assert.is(shown(mediator, 0), crc32(pattern));
    assert.ok(mediator.fuelMost() < 0.5, `${mediator.fuelMost()}`);
  }
});

test("transfers that leave the resource, or its backing, by one", () => {
  const { driver, ram } = live();
  const { list } = scattered(ram, 64 * 64 * 4);
  const send = (one: D.Rect, offset: number | bigint = 0, id = 1) => driver.send(D.transfer(id, one, offset)).type;
  driver.send(D.create2d(1, 64, 64));
  assert.is(send(rect(0, 0, 64, 64)), UNSPEC, "no backing yet");
  driver.send(D.attach(1, list));
  assert.is(send(rect(0, 0, 64, 64)), OK);
  assert.is(send(rect(63, 63, 1, 1), 16380), OK);
  assert.is(send(rect(63, 63, 1, 1), 16381), PARAMETER);
  assert.is(send(rect(0, 0, 64, 64), 1), PARAMETER);
  for (const one of [
    rect(0, 0, 65, 1),
    rect(0, 0, 1, 65),
    rect(64, 0, 1, 1),
    rect(0, 64, 1, 1),
    rect(1, 0, U32, 1),
    rect(U32, 0, 2, 1),
    rect(0, U32, 1, U32),
    rect(0, 0, 0, 1),
    rect(0, 0, 1, 0),
    rect(U32, U32, U32, U32),
  ]) {
    assert.is(send(one), PARAMETER, JSON.stringify(one));
  }
  for (const offset of [-1n, -4n, 1n << 63n, 0xffffffff00000000n]) assert.is(send(rect(0, 0, 1, 1), offset), PARAMETER);
  assert.is(send(rect(0, 0, 1, 1), 0, 2), RESOURCE);
  assert.is(send(rect(0, 0, 1, 1), 0, 0), RESOURCE);
});

test("pages that the guest has given up fail the transfer, not the device", () => {
  const { driver } = live();
  driver.send(D.create2d(1, 64, 64));
  assert.is(driver.send(D.attach(1, [{ gpa: 0x7f000000n, bytes: 16384 }])).type, OK);
  assert.is(driver.send(D.transfer(1, rect(0, 0, 64, 64), 0)).type, UNSPEC);
  assert.is(driver.send(D.getDisplayInfo(), 408).type, G.VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
});

test("set scanout and flush: whose, what, where", () => {
  const { mediator, driver } = live({ outputs: 2 });
  driver.send(D.create2d(1, 64, 64));
  driver.send(D.create2d(2, 64, 64, G.VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM));
  const set = (scanout: number, id: number, one = rect(0, 0, 64, 64)) =>
    driver.send(D.setScanout(scanout, id, one)).type;
  assert.is(set(2, 1), SCANOUT);
  assert.is(set(U32, 1), SCANOUT);
  assert.is(set(0, 3), RESOURCE);
  assert.is(set(0, 2), PARAMETER, "a format that we do not show");
  for (const one of [rect(0, 0, 65, 64), rect(1, 0, 64, 64), rect(0, 0, 0, 0), rect(U32, 0, 2, 2)]) {
    assert.is(set(0, 1, one), PARAMETER);
  }
  assert.is(mediator.scanouts[0], undefined);
  assert.is(set(0, 1), OK);
  assert.is(set(1, 1), OK);
  assert.is(driver.send(D.flush(3, rect(0, 0, 1, 1))).type, RESOURCE);
  assert.is(driver.send(D.flush(1, rect(0, 0, 65, 1))).type, PARAMETER);
  assert.is(driver.send(D.flush(1, rect(1, 1, U32, U32))).type, PARAMETER);
  assert.is(set(0, 0), OK, "off");
  assert.is(mediator.scanouts[0], undefined);
  assert.is(driver.send(D.unref(1)).type, OK);
  assert.is(mediator.scanouts[1], undefined, "what is shown and goes, goes dark");
  assert.is(driver.send(D.unref(1)).type, RESOURCE);
});

test.run();
