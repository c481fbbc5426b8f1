// SPDX-License-Identifier: MIT
//
// Blob resources: shown straight from the guest's pages; those that cannot be.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../host/sim/crc32.js";
import * as D from "./driver.js";
import { live, OK, PARAMETER, part, RESOURCE, rect, SCANOUT, scattered, shown } from "./pictures.js";
import type { Piece } from "./virtqueue.js";

const U32 = 0xffffffff;

test("a blob is shown straight from the guest's pages", () => {
  const { mediator, driver, ram } = live({ outputs: 2, memory_bytes: 4096 });
  const { list, pattern } = scattered(ram, 640 * 480 * 4);
  const picture = { width: 640, height: 480, stride: 2560 };
  assert.is(driver.send(D.createBlob(7, 1228800n, list)).type, OK);
  assert.is(driver.send(D.setScanoutBlob(0, 7, rect(0, 0, 640, 480), picture)).type, OK);
  assert.is(shown(mediator, 0), crc32(pattern));
  assert.is(driver.send(D.transfer(7, rect(0, 0, 640, 480), 0)).type, OK, "Linux sends one all the same");
  assert.is(driver.send(D.flush(7, rect(0, 0, 640, 480))).type, OK);
  ram.fill((list[0] as Piece).gpa, Uint8Array.of(1, 2, 3, 4));
  pattern.set([1, 2, 3, 4]);
  assert.is(shown(mediator, 0), crc32(pattern), "drawn without a trap");
  const small = { width: 320, height: 240, stride: 2560, offset: 2560 * 10 + 400 };
  assert.is(driver.send(D.setScanoutBlob(1, 7, rect(20, 30, 100, 100), small)).type, OK);
  assert.is(shown(mediator, 1), part(pattern, 2560, rect(120, 40, 100, 100)));
  assert.is(driver.send(D.detach(7)).type, OK);
  assert.equal(
    mediator.scanouts.filter((one) => one !== undefined),
    [],
  );
  assert.is(driver.send(D.setScanoutBlob(0, 7, rect(0, 0, 640, 480), picture)).type, RESOURCE, "nothing is behind it");
  assert.is(driver.send(D.unref(7)).type, OK);
  assert.is(mediator.buffers.all.size, 0);
});

test("blobs that cannot be", () => {
  const { mediator, driver, ram } = live();
  const { list } = scattered(ram, 8192);
  const create = (id: number, size: bigint, kind?: number, pieces = list) =>
    driver.send(D.createBlob(id, size, pieces, kind)).type;
  assert.is(create(0, 4096n), RESOURCE);
  assert.is(create(1, 0n), PARAMETER);
  assert.is(create(1, 8193n), PARAMETER, "more than its entries hold");
  assert.is(create(1, -1n), PARAMETER);
  for (const kind of [0, 2, 3, U32]) assert.is(create(1, 4096n, kind), PARAMETER);
  assert.is(create(1, 4096n, 1, []), PARAMETER);
  assert.is(mediator.buffers.all.size, 0);
  assert.is(create(1, 8192n), OK);
  assert.is(create(1, 8192n), RESOURCE);
  assert.is(driver.send(D.attach(1, list)).type, RESOURCE, "it has its backing");
  assert.is(driver.send(D.setScanout(0, 1, rect(0, 0, 16, 16))).type, RESOURCE, "it has no extents of its own");
  const show = (
    one: D.Rect,
    picture: { width: number; height: number; stride: number; offset?: number; format?: number },
  ) => driver.send(D.setScanoutBlob(0, 1, one, picture)).type;
  assert.is(show(rect(0, 0, 32, 64), { width: 32, height: 64, stride: 128 }), OK);
  assert.is(show(rect(0, 0, 32, 64), { width: 32, height: 64, stride: 128, offset: 1 }), PARAMETER);
  assert.is(show(rect(0, 0, 32, 64), { width: 32, height: 64, stride: 127 }), PARAMETER);
  assert.is(show(rect(0, 0, 32, 64), { width: 32, height: 64, stride: U32 }), PARAMETER);
  assert.is(show(rect(0, 0, 32, 65), { width: 32, height: 65, stride: 128 }), PARAMETER);
  assert.is(show(rect(0, 0, 33, 1), { width: 32, height: 64, stride: 128 }), PARAMETER);
  assert.is(show(rect(0, 0, 1, 1), { width: U32, height: 1, stride: U32 }), PARAMETER);
  assert.is(show(rect(0, 0, 1, 1), { width: 1, height: 0, stride: 4 }), PARAMETER);
  assert.is(show(rect(0, 0, 1, 1), { width: 1, height: 1, stride: 4, format: 67 }), PARAMETER);
  assert.is(show(rect(0, 0, 1, 1), { width: 1, height: 1, stride: 4, offset: U32 }), PARAMETER);
  driver.send(D.create2d(2, 16, 16));
  const none = { width: 16, height: 16, stride: 64 };
  assert.is(driver.send(D.setScanoutBlob(0, 2, rect(0, 0, 16, 16), none)).type, RESOURCE, "that is no blob");
  assert.is(driver.send(D.setScanoutBlob(9, 1, rect(0, 0, 16, 16), none)).type, SCANOUT);
});

test.run();
