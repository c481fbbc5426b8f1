// SPDX-License-Identifier: MIT
//
// The cursor queue: what is shown, moved and hidden.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../host/sim/crc32.js";
import * as V from "../../unikernel/abi/virtio.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import * as D from "./driver.js";
import type { Cursor } from "./mediator.js";
import { live, rect, scattered } from "./pictures.js";

const U32 = 0xffffffff;

test("cursor commands come back, whatever they say", () => {
  const { driver } = live({ outputs: 2 });
  driver.send(D.create2d(1, 64, 64, G.VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM));
  driver.send(D.create2d(2, 65, 64));
  for (const type of [G.VIRTIO_GPU_CMD_UPDATE_CURSOR, G.VIRTIO_GPU_CMD_MOVE_CURSOR, 0x100, U32]) {
    for (const scanout of [0, 1, 2, U32]) {
      for (const id of [0, 1, 2, 3, U32]) driver.sendCursor(D.cursor(type, scanout, U32, U32, id, U32, U32));
    }
  }
  driver.sendCursor(new Uint8Array(1));
  assert.is(driver.status() & V.VIRTIO_CONFIG_S_NEEDS_RESET, 0);
});

test("a cursor: shown, moved, hidden, and hidden with its resource", () => {
  const { mediator, driver, ram } = live({ outputs: 2 });
  const { list, pattern } = scattered(ram, 64 * 64 * 4);
  driver.send(D.create2d(1, 64, 64, G.VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM)); // as Linux does
  driver.send(D.attach(1, list));
  driver.send(D.transfer(1, rect(0, 0, 64, 64), 0));
  driver.send(D.createBlob(2, 16384n, list));
  driver.send(D.create2d(3, 64, 64, G.VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM));
  driver.send(D.createBlob(4, 16383n, list));
  const update = (scanout: number, x: number, y: number, id: number) =>
    driver.sendCursor(D.cursor(G.VIRTIO_GPU_CMD_UPDATE_CURSOR, scanout, x, y, id, 3, 4));
  const seen = (number: number) => {
    const { x, y, picture } = mediator.cursors[number] as Cursor;
    if (picture === undefined) return [x, y];
    const bytes = mediator.buffers.read(picture.buffer, picture.offset, picture.height * picture.stride);
    return [x, y, picture.width, picture.height, bytes === undefined ? -1 : crc32(bytes)];
  };
  update(1, 10, 0xfffffff6, 1);
  assert.equal(seen(1), [10, -10, 64, 64, crc32(pattern)], "the place has a sign, the hot spot takes no part");
  driver.sendCursor(D.cursor(G.VIRTIO_GPU_CMD_MOVE_CURSOR, 1, 500, 400, 0, 0, 0));
  assert.equal(seen(1), [500, 400, 64, 64, crc32(pattern)]);
  update(0, 1, 2, 2);
  assert.equal(seen(0), [1, 2, 64, 64, crc32(pattern)], "a blob's pixels lie in the guest");
  for (const id of [3, 4, 5, U32]) update(0, 9, 9, id);
  assert.equal(seen(0), [1, 2, 64, 64, crc32(pattern)], "what cannot be a cursor changes nothing");
  update(0, 7, 8, 0);
  assert.equal(seen(0), [7, 8]);
  update(0, 7, 8, 2);
  driver.send(D.unref(2));
  assert.equal(seen(0), [7, 8]);
  driver.send(D.unref(1));
  assert.equal(seen(1), [500, 400]);
});

test.run();
