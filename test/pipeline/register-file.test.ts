// SPDX-License-Identifier: MIT
//
// The bench's device behaves as its head says, and each of its misdeeds ends in a trap.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Device, openModule } from "./host.js";

const FOLDER = "test/modules/register-file";
const ONES = 0xffffffffffffffffn;
const MEMORY = 0;
const PORTS = 1;
const [IDENTITY, SCRATCH, DOORBELL, WRITES, READS, MISDEED, SEED, COMMAND, PLAIN] = [
  0, 4, 8, 0xc, 0x10, 0x14, 0x18, 0x1c, 0x20,
];

async function open(params: Record<string, number> = {}): Promise<Device> {
  const device = await openModule(FOLDER, params);
  assert.is(device.attach(), 0);
  return device;
}

test("identity, scratch, plain registers, at any size", async () => {
  const device = await open();
  assert.is(device.read(MEMORY, IDENTITY, 4), 0x47425246n);
  device.write(MEMORY, IDENTITY, 4, 0);
  assert.is(device.read(MEMORY, IDENTITY, 4), 0x47425246n);
  device.write(MEMORY, SCRATCH, 4, 0x11223344);
  device.write(MEMORY, SCRATCH + 1, 2, 0xaabb);
  assert.is(device.read(MEMORY, SCRATCH, 4), 0x11aabb44n);
  assert.is(device.read(MEMORY, SCRATCH + 3, 1), 0x11n);
  device.write(MEMORY, PLAIN, 8, 0x0123456789abcdefn);
  assert.is(device.read(MEMORY, PLAIN, 8), 0x0123456789abcdefn);
  device.write(MEMORY, 0xff8, 8, ONES);
  assert.is(device.read(MEMORY, 0xffc, 4), 0xffffffffn);
});

test("ports are the first sixteen bytes", async () => {
  const device = await open();
  assert.is(device.read(PORTS, IDENTITY, 4), 0x47425246n);
  device.write(PORTS, SCRATCH, 2, 0x5566);
  assert.is(device.read(MEMORY, SCRATCH, 4), 0x5566n);
  assert.is(device.read(PORTS, 16, 1), ONES);
  assert.is(device.read(PORTS, 14, 4), ONES);
});

test("the small windows show their part of the same registers", async () => {
  const device = await open();
  device.write(2, 0xf8, 8, 0x0123456789abcdefn);
  assert.is(device.read(MEMORY, 0x1f8, 8), 0x0123456789abcdefn);
  device.write(3, 0x1c, 4, 0x55667788);
  assert.is(device.read(MEMORY, 0x5c, 4), 0x55667788n);
  assert.is(device.read(3, 0x1d, 4), ONES);
  device.write(2, DOORBELL, 4, 1); // that is 0x108, a plain register
  assert.equal(device.asked, []);
});

test("accesses are counted, the one that asks not included", async () => {
  const device = await open();
  assert.is(device.read(MEMORY, READS, 4), 0n);
  assert.is(device.read(MEMORY, READS, 4), 1n);
  device.write(PORTS, SCRATCH, 4, 1);
  device.write(MEMORY, SCRATCH, 4, 1);
  assert.is(device.read(PORTS, WRITES, 4), 2n);
});

test("the doorbell raises the vector written", async () => {
  const device = await open();
  device.write(MEMORY, DOORBELL, 4, 3);
  device.write(PORTS, DOORBELL, 1, 2);
  assert.equal(device.asked, [
    ["irq_raise", 3],
    ["irq_raise", 2],
  ]);
  assert.is(device.read(MEMORY, DOORBELL, 4), 0n);
});

test("parameter, command register, reset", async () => {
  const device = await open({ seed: 77 });
  assert.is(device.read(MEMORY, SEED, 4), 77n);
  device.event(0, 0x107n);
  assert.is(device.read(MEMORY, COMMAND, 4), 0x107n);
  device.write(MEMORY, PLAIN, 4, 5);
  device.reset();
  assert.is(device.read(MEMORY, PLAIN, 4), 0n);
  assert.is(device.read(MEMORY, READS, 4), 1n);
  assert.is(device.read(MEMORY, SEED, 4), 77n);
});

test("nothing is at other bars, behind the end, at odd sizes", async () => {
  const device = await open();
  for (const [bar, offset, size] of [
    [4, 0, 4],
    [5, 0, 4],
    [2, 253, 4],
    [MEMORY, 4096, 4],
    [MEMORY, 4093, 4],
    [MEMORY, 0xffffffff, 8],
    [MEMORY, 0, 3],
  ] as const) {
    assert.is(device.read(bar, offset, size), ONES);
    device.write(bar, offset, size, ONES);
  }
  assert.is(device.read(MEMORY, WRITES, 4), 0n);
});

/** The ones that V8 answers by itself; wrong capability arguments are the mediator's to judge. */
const MISDEEDS: [kind: number, reason: RegExp][] = [
  [1, /unreachable/],
  [2, /unreachable/], // out of fuel
  [4, /out of bounds/],
  [5, /out of bounds/],
  [6, /divide by zero/],
  [9, /unreachable/], // out of fuel
];

for (const [kind, reason] of MISDEEDS) {
  test(`misdeed ${kind} ends in a trap`, async () => {
    const device = await open();
    assert.throws(() => device.write(MEMORY, MISDEED, 4, kind), reason);
  });
}

test("misdeed 3 ends, by whatever is shorter: stack or fuel", async () => {
  const device = await open();
  assert.throws(() => device.write(MEMORY, MISDEED, 4, 3));
});

test("misdeeds 7 and 8 ask for what cannot be", async () => {
  const device = await open();
  device.write(MEMORY, MISDEED, 4, 7);
  assert.equal(device.asked, [["irq_raise", 0xffffffff]]);
  assert.throws(() => device.write(MEMORY, MISDEED, 4, 8), RangeError); // the test's mediator reads the text, too
});

test("a number without a misdeed does nothing", async () => {
  const device = await open();
  device.write(MEMORY, MISDEED, 4, 1000);
  assert.is(device.read(MEMORY, MISDEED, 4), 0n);
});

test.run();
