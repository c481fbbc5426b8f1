// SPDX-License-Identifier: MIT
//
// All commands of the virtio GPU: cut short, not agreed on, with a fence.

import { test } from "uvu";
import * as assert from "uvu/assert";
import * as V from "../../unikernel/abi/virtio.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import * as D from "./driver.js";
import { createMediator } from "./mediator.js";
import { live, OK, PARAMETER, part, rect, scattered, shown, UNSPEC } from "./pictures.js";

const U32 = 0xffffffff;
const CHAIN_PIECES_MAX = 512; // unikernel/sdk/virtio/chain.ts

test("a fence's number comes back when its command is done", () => {
  const { driver, ram } = live();
  const { list } = scattered(ram, 640 * 480 * 4);
  driver.send(D.create2d(1, 640, 480));
  driver.send(D.attach(1, list));
  const answer = driver.send(D.transfer(1, rect(0, 0, 640, 480), 0, 0x123456789abcn));
  const view = new DataView(answer.bytes.buffer);
  assert.is(view.getUint32(G.HEADER_FLAGS, true), G.VIRTIO_GPU_FLAG_FENCE);
  assert.is(view.getBigUint64(G.HEADER_FENCE_ID, true), 0x123456789abcn);
  const refused = driver.send(D.transfer(77, rect(0, 0, 1, 1), 0, 5n));
  assert.is(new DataView(refused.bytes.buffer).getBigUint64(G.HEADER_FENCE_ID, true), 5n, "also of one that failed");
  const plain = new DataView(driver.send(D.flush(1, rect(0, 0, 1, 1))).bytes.buffer);
  assert.is(plain.getUint32(G.HEADER_FLAGS, true), 0);
});

test("a command in as many pieces as a chain may have, most of them of one byte", () => {
  const { mediator, driver, ram } = live();
  const { list, pattern } = scattered(ram, 192 * 160 * 4); // 30 pages: a list of 480 bytes behind 32 others
  driver.send(D.create2d(1, 192, 160));
  driver.send(D.setScanout(0, 1, rect(0, 0, 192, 160)));
  const bytes = D.attach(1, list);
  const gpa = ram.pages(1);
  ram.fill(gpa, bytes);
  const pieces = Array.from({ length: CHAIN_PIECES_MAX - 1 }, (_, i) => ({ gpa: gpa + BigInt(i), bytes: 1 }));
  pieces.splice(-1, 1, { gpa: gpa + BigInt(pieces.length - 1), bytes: bytes.length - pieces.length + 1 });
  assert.is(driver.send(bytes, 1056, pieces).type, OK); // one more is for the answer
  assert.is(driver.send(D.transfer(1, rect(0, 0, 192, 160), 0)).type, OK);
  assert.is(shown(mediator, 0), part(pattern, 192 * 4, rect(0, 0, 192, 160)));
});

test("what was not agreed on is no command", () => {
  const mediator = createMediator({ blob: 0 });
  const driver = new D.Driver(mediator).start(D.bit(V.VIRTIO_F_VERSION_1));
  assert.is(driver.send(D.getEdid(0)).type, UNSPEC);
  assert.is(driver.send(D.createBlob(1, 4096n, [{ gpa: mediator.ram.pages(1), bytes: 4096 }])).type, UNSPEC);
  for (const type of [0, 0xff, 0x108, 0x109, 0x10b, 0x10e, 0x200, 0x207, 0x300, 0x1100, U32]) {
    assert.is(driver.send(D.command(type, 64)).type, UNSPEC, `0x${type.toString(16)}`);
  }
});

test("each command cut short by one byte", () => {
  const { driver } = live();
  for (const bytes of [
    D.create2d(1, 1, 1),
    D.unref(1),
    D.setScanout(0, 0, rect(0, 0, 1, 1)),
    D.flush(1, rect(0, 0, 1, 1)),
    D.transfer(1, rect(0, 0, 1, 1), 0),
    D.attach(1, []),
    D.detach(1),
    D.getEdid(0),
    D.createBlob(1, 1n, []),
    D.setScanoutBlob(0, 1, rect(0, 0, 1, 1), { width: 1, height: 1, stride: 4 }),
  ]) {
    assert.is(driver.send(bytes.slice(0, -1)).type, PARAMETER);
  }
});

test.run();
