// SPDX-License-Identifier: MIT
//
// Each command of the virtio GPU: what it does when it is right, and the answer of the specification when it is not.

import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../host/sim/crc32.js";
import * as V from "../../unikernel/abi/virtio.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import type { Ram } from "./bus.js";
import * as D from "./driver.js";
import { type Cursor, createMediator, type Mediator } from "./mediator.js";
import type { Piece, Virtqueue } from "./virtqueue.js";

const OK = G.VIRTIO_GPU_RESP_OK_NODATA;
const UNSPEC = G.VIRTIO_GPU_RESP_ERR_UNSPEC;
const MEMORY = G.VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
const SCANOUT = G.VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
const RESOURCE = G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
const PARAMETER = G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
const U32 = 0xffffffff;

function live(params: Record<string, number> = {}) {
  const mediator = createMediator(params);
  return { mediator, driver: new D.Driver(mediator).start(), ram: mediator.ram };
}

const rect = (x: number, y: number, width: number, height: number): D.Rect => ({ x, y, width, height });

/** Pages of the guest, last first, as a scatter list; and a pattern in them. */
function scattered(ram: Ram, bytes: number, seed = 1): { list: Piece[]; pattern: Uint8Array } {
  const pages = Math.ceil(bytes / 4096);
  const first = ram.pages(pages);
  const pattern = Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 0xff);
  const list: Piece[] = [];
  for (let i = 0; i < pages; i++) {
    const gpa = first + BigInt((pages - 1 - i) * 4096);
    const part = pattern.subarray(i * 4096, (i + 1) * 4096);
    ram.fill(gpa, part);
    list.push({ gpa, bytes: part.length });
  }
  return { list, pattern };
}

/** What a scanout shows, row by row. */
function shown(mediator: Mediator, number: number): number {
  const scanout = mediator.scanouts[number];
  if (scanout === undefined) return -1;
  let crc = 0;
  for (let row = 0; row < scanout.height; row++) {
    const bytes = mediator.buffers.read(scanout.buffer, scanout.offset + row * scanout.stride, scanout.width * 4);
    crc = crc32(bytes ?? new Uint8Array(), crc);
  }
  return crc;
}

function part(pattern: Uint8Array, stride: number, { x, y, width, height }: D.Rect): number {
  let crc = 0;
  for (let row = y; row < y + height; row++) {
    crc = crc32(pattern.subarray(row * stride + x * 4, row * stride + (x + width) * 4), crc);
  }
  return crc;
}

// --- outputs ---

test("display info and EDID of two outputs", () => {
  const { driver } = live({ outputs: 2, width: 1920, height: 1080, width1: 1280, height1: 720 });
  const view = new DataView(driver.send(D.getDisplayInfo(), 408).bytes.buffer);
  const one = (i: number) => [0, 4, 8, 12, 16, 20].map((at) => view.getUint32(24 + i * 24 + at, true));
  assert.equal(one(0), [0, 0, 1920, 1080, 1, 0]);
  assert.equal(one(1), [1920, 0, 1280, 720, 1, 0]);
  assert.equal(one(2), [0, 0, 0, 0, 0, 0]);
  for (const [number, width, height] of [
    [0, 1920, 1080],
    [1, 1280, 720],
  ] as const) {
    const edid = driver.send(D.getEdid(number));
    assert.is(edid.type, G.VIRTIO_GPU_RESP_OK_EDID);
    const block = edid.bytes.subarray(32, 160);
    assert.is(
      block.reduce((sum, one) => (sum + one) & 0xff, 0),
      0,
      "checksum",
    );
    assert.is((block[56] as number) | (((block[58] as number) & 0xf0) << 4), width);
    assert.is((block[59] as number) | (((block[61] as number) & 0xf0) << 4), height);
  }
  assert.is(driver.send(D.getEdid(2)).type, SCANOUT);
  assert.is(driver.send(D.getEdid(U32)).type, SCANOUT);
});

test("four outputs, each in its own mode; the parameters stand in the manifest where the module looks for them", () => {
  const modes = [
    [1920, 1080],
    [1280, 720],
    [800, 600],
    [3840, 2400],
  ] as const;
  const named = modes.flatMap(([width, height], i): [string, number][] => {
    const end = i === 0 ? "" : String(i);
    return [
      [`width${end}`, width],
      [`height${end}`, height],
    ];
  });
  const { driver, mediator } = live({ outputs: 4, ...Object.fromEntries(named) });
  const view = new DataView(driver.send(D.getDisplayInfo(), 408).bytes.buffer);
  const sizes = modes.map((_, i) => [view.getUint32(24 + i * 24 + 8, true), view.getUint32(24 + i * 24 + 12, true)]);
  assert.equal(sizes, modes);
  assert.is(view.getUint32(24 + 3 * 24, true), 1920 + 1280 + 800, "side by side");
  assert.is(driver.send(D.getEdid(3)).type, G.VIRTIO_GPU_RESP_OK_EDID);
  const text = readFileSync("unikernel/modules/virtio-gpu/params.ts", "utf8");
  for (const [, name, key] of text.matchAll(/PARAM_(\w+): u32 = (\d+)/g)) {
    assert.is(mediator.manifest.params[Number(key)]?.name, name?.toLowerCase());
  }
});

test("plugged in, resized, unplugged while it runs: event, interrupt, new answers", () => {
  const { mediator, driver } = live({ outputs: 2 });
  mediator.interrupts();
  mediator.output(1, 1600, 1200);
  assert.equal(mediator.interrupts(), [0]);
  assert.is(driver.config(G.VIRTIO_GPU_CONFIG_EVENTS_READ), G.VIRTIO_GPU_EVENT_DISPLAY);
  driver.setConfig(G.VIRTIO_GPU_CONFIG_EVENTS_CLEAR, G.VIRTIO_GPU_EVENT_DISPLAY);
  assert.is(driver.config(G.VIRTIO_GPU_CONFIG_EVENTS_READ), 0);
  const size = (): number[] => {
    const view = new DataView(driver.send(D.getDisplayInfo(), 408).bytes.buffer);
    return [56, 60, 64].map((at) => view.getUint32(at, true));
  };
  assert.equal(size(), [1600, 1200, 1]);
  mediator.output(1, 0, 0);
  assert.equal(size(), [0, 0, 0]);
  const edid = driver.send(D.getEdid(1));
  assert.is(new DataView(edid.bytes.buffer).getUint32(G.EDID_SIZE, true), 0);
  for (const [number, width, height] of [
    [1, 639, 480],
    [1, 640, 479],
    [1, 3841, 2400],
    [1, 640, 2401],
    [1, 0, 480],
    [2, 800, 600],
    [U32, 800, 600],
  ] as const) {
    mediator.output(number, width, height);
    assert.equal(size(), [0, 0, 0], `${number}: ${width}x${height}`);
  }
  mediator.output(1, 640, 480);
  assert.equal(size(), [640, 480, 1]);
});

// --- 2D ---

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

// --- blobs ---

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

// --- cursor ---

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

// --- life ---

test("a reset in the middle of a list or a transfer: nothing of the old life completes in the new one", () => {
  for (const what of ["list", "transfer"]) {
    const { mediator, driver, ram } = live({ poll_us: 0 });
    const { list } = scattered(ram, 1024 * 768 * 4);
    driver.send(D.create2d(1, 1024, 768));
    if (what === "transfer") driver.send(D.attach(1, list));
    const bytes =
      what === "list"
        ? D.attach(
            1,
            Array.from({ length: 60_000 }, () => list[0] as Piece),
          )
        : D.transfer(1, rect(0, 0, 1024, 768), 0);
    const queue = driver.queues[D.CONTROL] as Virtqueue;
    const used = queue.used;
    queue.add(driver.putRequest(bytes), [{ gpa: ram.pages(1), bytes: 24 }]);
    const before = ram.word(used + 2n);
    driver.kick(D.CONTROL);
    assert.is(mediator.isPolled(), what === "list", "it is under way");
    assert.is(mediator.works.length, what === "transfer" ? 1 : 0);
    assert.is(ram.word(used + 2n), before);
    driver.reset();
    mediator.settle();
    assert.is(ram.word(used + 2n), before, "the old ring stays as it was");
    assert.is(mediator.buffers.all.size, 0);
    driver.start();
    assert.is(driver.send(D.create2d(1, 16, 16)).type, OK);
  }
});

test("a reset by the operator leaves nothing either", () => {
  const { mediator, driver } = live();
  driver.send(D.create2d(1, 640, 480));
  driver.send(D.setScanout(0, 1, rect(0, 0, 640, 480)));
  mediator.reset();
  assert.is(mediator.buffers.all.size, 0);
  assert.is(driver.status(), 0);
  assert.is(driver.start().send(D.getDisplayInfo(), 408).type, G.VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
});

test.run();
