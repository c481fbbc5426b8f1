// SPDX-License-Identifier: MIT
//
// Scanouts: a picture is believed only as far as its BAR reaches, to the last byte; formats, extents, flushes.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { CAPABILITY_OK, CAPABILITY_REFUSED } from "../../unikernel/abi/module.js";
import { attached, stat } from "./support.js";

const XR24 = 0x34325258;
const RG24 = 0x34324752;
const RG16 = 0x36314752;
const FATAL = -0x80000000;
const RAM = 0x10000; // the probe's default
const U32 = 0xffffffff;

/** [offset, width, height, stride, format, answer] in the probe's BAR 2 */
const CASES: [bigint, number, number, number, number, number][] = [
  [0n, 128, 128, 512, XR24, CAPABILITY_OK],
  [1n, 128, 128, 512, XR24, CAPABILITY_REFUSED],
  [0n, 128, 129, 512, XR24, CAPABILITY_REFUSED],
  [0n, 128, 128, 513, XR24, CAPABILITY_REFUSED],
  [0n, 128, 128, 511, XR24, CAPABILITY_REFUSED],
  [0n, 129, 128, 512, XR24, CAPABILITY_REFUSED],
  [0n, 256, 128, 512, RG16, CAPABILITY_OK],
  [0n, 170, 128, 512, RG24, CAPABILITY_OK],
  [0n, 171, 128, 512, RG24, CAPABILITY_REFUSED],
  [BigInt(RAM - 4), 1, 1, 4, XR24, CAPABILITY_OK],
  [BigInt(RAM - 3), 1, 1, 4, XR24, CAPABILITY_REFUSED],
  [BigInt(RAM), 1, 1, 4, XR24, CAPABILITY_REFUSED],
  [BigInt(RAM - 4), 1, 1, U32, XR24, CAPABILITY_OK],
  [0n, 1, 2, U32, XR24, CAPABILITY_REFUSED],
  [0xffffffffffffffffn, 1, 1, 4, XR24, CAPABILITY_REFUSED],
  [0xfffffffffffffffcn, 1, 1, 4, XR24, CAPABILITY_REFUSED],
  [0n, 0, 1, 4, XR24, CAPABILITY_REFUSED],
  [0n, 1, 0, 4, XR24, CAPABILITY_REFUSED],
  [0n, U32, U32, U32, XR24, CAPABILITY_REFUSED],
  [0n, 0x40000000, 1, 0, XR24, CAPABILITY_REFUSED],
  [0n, 16384, 1, 65536, XR24, CAPABILITY_OK],
  [0n, 16385, 1, 65540, RG16, CAPABILITY_REFUSED],
  [0n, 1, 1, 4, 0x12345678, CAPABILITY_REFUSED],
];

for (const [offset, width, height, stride, format, answer] of CASES) {
  test(`${width} x ${height}, stride ${stride}, at 0x${offset.toString(16)}, 0x${format.toString(16)}`, () => {
    const { world } = attached();
    const set = world.core.scanout_set(0, 0, 2, BigInt.asIntN(64, offset), width, height, stride, format);
    assert.is(set, answer);
    assert.is(stat(world).get("scanout0") === "off", answer !== CAPABILITY_OK);
    assert.is(stat(world).get("refused"), answer === CAPABILITY_OK ? "0" : "1");
  });
}

test("a refusal leaves the picture that was there", () => {
  const { world } = attached();
  world.core.scanout_set(0, 0, 2, 0n, 16, 8, 64, XR24);
  world.core.scanout_set(0, 0, 2, 0n, 9999, 9999, 64, XR24);
  assert.is(stat(world).get("scanout0"), "16x8/XR24");
  world.core.scanout_set(0, 1, 2, 64n, 8, 8, 16, RG16);
  assert.is(stat(world).get("scanout1"), "8x8/RG16");
  world.core.scanout_set(0, 0, 99, 0n, 0, 0, 0, 0);
  assert.is(stat(world).get("scanout0"), "off");
});

test("a scanout or BAR that does not exist, or is no RAM, is the module's bug", () => {
  const { world } = attached();
  const set = (scanout: number, bar: number) => world.core.scanout_set(0, scanout, bar, 0n, 1, 1, 4, XR24);
  assert.is(set(2, 2), FATAL);
  assert.is(set(U32, 2), FATAL);
  for (const bar of [0, 1, 3, 4, 5, 6, U32]) assert.is(set(0, bar), FATAL, `bar ${bar}`);
  assert.is(world.core.scanout_flush(0, 2, 0, 0, 1, 1), FATAL);
});

test("flushes lie within the picture", () => {
  const { world } = attached();
  const flush = (x: number, y: number, width: number, height: number) =>
    world.core.scanout_flush(0, 0, x, y, width, height);
  assert.is(flush(0, 0, 0, 0), CAPABILITY_REFUSED, "there is none");
  world.core.scanout_set(0, 0, 2, 0n, 16, 8, 64, XR24);
  assert.is(flush(0, 0, 16, 8), CAPABILITY_OK);
  assert.is(flush(15, 7, 1, 1), CAPABILITY_OK);
  assert.is(flush(16, 8, 0, 0), CAPABILITY_OK);
  assert.is(flush(15, 7, 2, 1), CAPABILITY_REFUSED);
  assert.is(flush(0, 0, 16, 9), CAPABILITY_REFUSED);
  assert.is(flush(U32, 0, 2, 1), CAPABILITY_REFUSED);
  assert.is(flush(1, 0, U32, 1), CAPABILITY_REFUSED);
});

test.run();
