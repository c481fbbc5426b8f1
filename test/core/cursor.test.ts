// SPDX-License-Identifier: MIT
//
// Cursors: a picture over each scanout, believed as far as its buffer reaches; it goes with its buffer, a reset, a
// loss, and with its vGPU; Dom0 reads it by the requests for a scanout, with one word more.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../host/sim/crc32.js";
import { addMemory, writeMemory } from "../../host/sim/domain.js";
import { ModuleFault } from "../../host/sim/module.js";
import { attached, request, specify, stat } from "./support.js";

const AR24 = 0x34325241;
const XR24 = 0x34325258;
const [OK, REFUSED, FATAL] = [0, 2, -0x80000000];
const U32 = 0xffffffff;
const BYTES = 3 * 4096;
const CAPABILITIES = ["irq", "scanout", "log", "memory", "buffer"];

function device(capabilities = CAPABILITIES) {
  const all = attached({ manifest: { capabilities } });
  addMemory(all.guest, 0n, 16);
  const bytes = Uint8Array.from({ length: 16 * 4096 }, (_, i) => (i * 29 + (i >> 8)) & 0xff);
  writeMemory(all.guest, 0n, bytes);
  const caps = all.device.capabilities();
  const list = BigUint64Array.from([0x2000n, 0x1000n, 0x8000n, 0x2000n]);
  const buffer = capabilities.includes("buffer") ? caps.bufferCreate(new Uint8Array(list.buffer)) : 0;
  const own = Buffer.concat([bytes.slice(0x2000, 0x3000), bytes.slice(0x8000, 0xa000)]);
  const set = (...args: [number, number, bigint, number, number, number, number]) =>
    all.world.core.cursor_set(0, ...args);
  return { ...all, caps, buffer, own, set };
}

test("shown, moved, hidden; the scanout below is another thing", () => {
  const { world, set, buffer, caps } = device();
  assert.equal([stat(world).get("cursor0"), stat(world).get("cursor1")], ["off", "off"]);
  assert.is(set(1, buffer, 0n, 32, 24, 128, AR24), OK);
  assert.is(stat(world).get("cursor1"), "0,0");
  assert.is(caps.cursorMove(1, -2147483648, 2147483647), OK);
  assert.equal([stat(world).get("cursor0"), stat(world).get("cursor1")], ["off", "-2147483648,2147483647"]);
  assert.is(stat(world).get("scanout1"), "off");
  assert.is(set(1, 0, 0n, 0, 0, 0, 0), OK);
  assert.is(stat(world).get("cursor1"), "off");
  caps.cursorMove(1, 5, 6);
  set(1, buffer, 0n, 32, 24, 128, AR24);
  assert.is(stat(world).get("cursor1"), "5,6", "a place is kept while it is hidden");
});

/** [offset, width, height, stride, format, answer] in a buffer of 12288 bytes. */
const CASES: [bigint, number, number, number, number, number][] = [
  [0n, 64, 48, 256, AR24, OK],
  [1n, 64, 48, 256, AR24, REFUSED],
  [0n, 64, 49, 256, AR24, REFUSED],
  [0n, 65, 48, 256, AR24, REFUSED],
  [0n, 256, 12, 1024, AR24, OK],
  [0n, 257, 1, 1028, AR24, REFUSED],
  [0n, 1, 256, 48, AR24, OK],
  [0n, 1, 257, 4, AR24, REFUSED],
  [0n, 0, 1, 4, AR24, REFUSED],
  [0n, 1, 0, 4, AR24, REFUSED],
  [0n, U32, U32, U32, AR24, REFUSED],
  [0xffffffffffffffffn, 1, 1, 4, AR24, REFUSED],
  [BigInt(BYTES - 4), 1, 1, 4, AR24, OK],
  [BigInt(BYTES - 3), 1, 1, 4, AR24, REFUSED],
  [0n, 8, 8, 32, XR24, REFUSED],
  [0n, 8, 8, 32, 0x12345678, REFUSED],
];

for (const [offset, width, height, stride, format, answer] of CASES) {
  test(`${width} x ${height}, stride ${stride}, at 0x${offset.toString(16)}, 0x${format.toString(16)}`, () => {
    const { world, set, buffer } = device();
    assert.is(set(0, buffer, BigInt.asIntN(64, offset), width, height, stride, format), answer);
    assert.is(stat(world).get("cursor0"), answer === OK ? "0,0" : "off");
    assert.is(stat(world).get("refused"), answer === OK ? "0" : "1");
  });
}

test("a scanout or a buffer that is none, or a missing capability, is the module's bug", () => {
  const { world, set, buffer } = device();
  for (const scanout of [2, 4, 8, U32]) {
    assert.is(set(scanout, buffer, 0n, 1, 1, 4, AR24), FATAL);
    assert.is(set(scanout, 0, 0n, 0, 0, 0, 0), FATAL);
    assert.is(world.core.cursor_move(0, scanout, 0, 0), FATAL);
  }
  for (const handle of [0, buffer + 1, -1]) assert.is(set(0, handle, 0n, 1, 1, 4, AR24), FATAL);
  assert.is(device(["irq", "scanout"]).set(0, 0, 0n, 0, 0, 0, 0), FATAL);
  assert.is(device(["irq", "buffer"]).world.core.cursor_move(0, 0, 0, 0), FATAL);
});

test("a scanout cannot be in a cursor's format", () => {
  const { world, buffer } = device();
  assert.is(world.core.scanout_set(0, 0, 2, 0n, 8, 8, 32, AR24), REFUSED);
  assert.is(world.core.scanout_set_buffer(0, 0, buffer, 0n, 8, 8, 32, AR24), REFUSED);
});

test("the operator sees its bytes, over the pieces of its buffer, and where it is", () => {
  const { world, set, buffer, own, caps } = device();
  set(0, buffer, 4000n, 32, 40, 160, AR24);
  caps.cursorMove(0, 500, -3);
  const rows = Array.from({ length: 40 }, (_, y) => own.subarray(4000 + y * 160, 4128 + y * 160));
  const crc = crc32(Buffer.concat(rows)).toString(16).padStart(8, "0");
  const shape = "width=32 height=40 stride=160 format=AR24 x=500 y=-3";
  assert.is(request(world, "3 crc 7 0 0 cursor"), `3 ok crc32=${crc} ${shape}`);
  assert.match(
    String(request(world, "4 read 7 0 0 0 0 cursor")),
    /^4 ok gref=\d+ pages=2 bytes=5120 total=5120 width=32/,
  );
  assert.match(String(request(world, "5 read 7 0 0 5120 0 cursor")), /offset beyond the picture: 5120 of 5120/);
  assert.is(request(world, "6 crc 7 0 0"), "6 error scanout off: 0");
  assert.is(request(world, "7 crc 7 0 1 cursor"), "7 error cursor off: 1");
  assert.is(request(world, "8 crc 7 0 2 cursor"), "8 error no such scanout: 2, there are 2");
  assert.match(String(request(world, "9 crc 7 0 0 cursors")), /"cursors" is too much/);
  assert.match(String(request(world, "10 crc 7 0 0 cursor cursor")), /"cursor" is too much/);
});

test("it goes with its buffer", () => {
  const { world, set, buffer, caps } = device();
  set(0, buffer, 0n, 8, 8, 32, AR24);
  caps.bufferDestroy(buffer);
  assert.is(stat(world).get("cursor0"), "off");
});

test("it goes with a reset and with a loss, and so does its place", () => {
  for (const end of ["reset", "lost"]) {
    const { world, set, buffer, caps, device: one } = device();
    set(0, buffer, 0n, 8, 8, 32, AR24);
    caps.cursorMove(0, 11, 12);
    if (end === "lost") {
      one.script.reset = () => {
        throw new ModuleFault(1);
      };
    }
    request(world, "3 reset 7 0");
    assert.is(stat(world).get("cursor0"), "off", end);
    if (end === "lost") continue;
    const again = one.capabilities();
    const fresh = again.bufferCreate(new Uint8Array(BigUint64Array.from([0n, 4096n]).buffer));
    again.cursorSet(0, fresh, 0n, 8, 8, 32, AR24);
    assert.is(stat(world).get("cursor0"), "0,0");
  }
});

test("the next vGPU in its place inherits nothing of it", () => {
  const { world, set, buffer, caps } = device();
  set(0, buffer, 0n, 8, 8, 32, AR24);
  caps.cursorMove(0, 11, 12);
  assert.is(specify(world, ""), undefined);
  assert.is(specify(world, "module=probe guest=pvh"), "ready");
  assert.is(stat(world).get("cursor0"), "off");
  const list = new Uint8Array(BigUint64Array.from([0n, 4096n]).buffer);
  new Uint8Array(world.core.memory.buffer).set(list, world.core.transfer_buffer());
  const fresh = world.core.buffer_create(0, 1);
  assert.is(set(0, fresh, 0n, 8, 8, 32, AR24), OK);
  assert.is(stat(world).get("cursor0"), "0,0");
});

test("a stat with four scanouts and every cursor far away fits its reply", () => {
  const { world, device: one, guest } = attached({ manifest: { capabilities: CAPABILITIES, scanouts: 4 } });
  addMemory(guest, 0n, 1);
  const caps = one.capabilities();
  const buffer = caps.bufferCreate(new Uint8Array(BigUint64Array.from([0n, 4096n]).buffer));
  for (let i = 0; i < 4; i++) {
    caps.scanoutSet(i, 2, 0n, 128, 128, 512, XR24);
    caps.cursorSet(i, buffer, 0n, 8, 8, 32, AR24);
    caps.cursorMove(i, -2147483648, -2147483648);
  }
  const reply = String(request(world, "3 stat 7 0"));
  assert.ok(reply.endsWith(" cursor3=-2147483648,-2147483648"), reply);
  assert.ok(reply.length < 900, `${reply.length} bytes`);
});

test.run();
