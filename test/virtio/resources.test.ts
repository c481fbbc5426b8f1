// SPDX-License-Identifier: MIT
//
// Resources and their backing: ids, formats, extents, quotas, lists of any length.

import { test } from "uvu";
import * as assert from "uvu/assert";
import * as D from "./driver.js";
import { live, MEMORY, OK, PARAMETER, RESOURCE, UNSPEC } from "./pictures.js";
import type { Piece } from "./virtqueue.js";

const U32 = 0xffffffff;

test("create: ids, formats, extents, quota", () => {
  const { driver, mediator } = live({ memory_bytes: 4 << 20 });
  const create = (id: number, width = 16, height = 16, format = 2) =>
    driver.send(D.create2d(id, width, height, format)).type;
  assert.is(create(0), RESOURCE);
  assert.is(create(U32), OK);
  assert.is(create(U32), RESOURCE, "taken");
  for (const format of [1, 2, 3, 4, 67, 68, 121, 134]) assert.is(create(1000 + format, 1, 1, format), OK);
  for (const format of [0, 5, 66, 69, 135, U32]) assert.is(create(5, 16, 16, format), PARAMETER);
  for (const [width, height] of [
    [0, 1],
    [1, 0],
    [16385, 1],
    [1, 16385],
    [U32, U32],
    [0x10000, 0x10000],
  ] as const) {
    assert.is(create(5, width, height), PARAMETER, `${width}x${height}`);
  }
  assert.is(create(5, 16384, 16384), MEMORY, "1 GiB is not within 4 MiB");
  assert.is(create(5, 1024, 1024), MEMORY, "nor is all of it, now that some is taken");
  assert.is(create(5, 1024, 1000), OK);
  assert.is(create(6, 1024, 1000), MEMORY);
  assert.is(driver.send(D.unref(5)).type, OK);
  assert.is(create(6, 1024, 1000), OK, "what was given back counts no more");
  mediator.buffers.refuseAfter = 0;
  assert.is(create(7, 1, 1), MEMORY, "the mediator has no handle");
  mediator.buffers.refuseAfter = 1;
  assert.is(create(7, 1, 1), OK, "and no trace of it stays");
});

test("the table of resources fills up, and empties", () => {
  const { driver, mediator } = live();
  for (let id = 1; id <= 128; id++) assert.is(driver.send(D.create2d(id * 128, 1, 1)).type, OK);
  assert.is(driver.send(D.create2d(1, 1, 1)).type, MEMORY);
  assert.is(mediator.buffers.all.size, 128);
  for (let id = 1; id <= 128; id++) assert.is(driver.send(D.unref(id * 128)).type, OK);
  assert.is(mediator.buffers.all.size, 0);
  assert.is(driver.send(D.create2d(1, 1, 1)).type, OK);
});

test("backing: entries that cannot be, and all of it undone", () => {
  const { mediator, driver, ram } = live();
  const page = ram.pages(1);
  const good = { gpa: page, bytes: 4096 };
  driver.send(D.create2d(1, 16, 16));
  const attach = (list: Piece[], count?: number) => driver.send(D.attach(1, list, count)).type;
  assert.is(driver.send(D.attach(2, [good])).type, RESOURCE);
  assert.is(driver.send(D.attach(0, [good])).type, RESOURCE);
  assert.is(attach([]), PARAMETER, "no entries");
  assert.is(attach([good], 2), PARAMETER, "fewer than it says");
  assert.is(attach([good], 65537), PARAMETER);
  assert.is(attach([good], U32), PARAMETER);
  assert.is(attach([good, { gpa: page, bytes: 0 }]), PARAMETER, "an entry of no bytes");
  assert.is(attach([good, { gpa: -4096n, bytes: 4096 }]), MEMORY, "beyond what a guest can address");
  assert.is(mediator.buffers.all.size, 1, "the picture only");
  mediator.buffers.refuseAfter = 0;
  assert.is(attach([good]), MEMORY);
  mediator.buffers.refuseAfter = Number.POSITIVE_INFINITY;
  assert.is(attach([good]), OK);
  assert.is(attach([good]), UNSPEC, "there is one already");
  assert.is(driver.send(D.detach(1)).type, OK);
  assert.is(driver.send(D.detach(1)).type, UNSPEC);
  assert.is(driver.send(D.detach(2)).type, RESOURCE);
  assert.is(attach([good]), OK);
  assert.is(driver.send(D.unref(1)).type, OK);
  assert.is(mediator.buffers.all.size, 0);
});

test("a list of 20,000 entries, over many calls", () => {
  const { mediator, driver, ram } = live();
  const page = ram.pages(1);
  driver.send(D.create2d(1, 64, 64));
  const list = Array.from({ length: 20_000 }, () => ({ gpa: page, bytes: 4096 }));
  assert.is(driver.send(D.attach(1, list)).type, OK);
  assert.is(mediator.buffers.bytes(2), 20_000 * 4096);
  assert.ok(mediator.fuelMost() < 0.5, `${mediator.fuelMost()}`);
});

test.run();
