// SPDX-License-Identifier: MIT
//
// Who answers an access: BARs where the guest put them, the CF8 register, touching BARs, overlapping BARs, nobody; and
// the requests that are no access at all.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { failNth } from "../../host/sim/faults.js";
import {
  configRead,
  configWrite,
  invalidate,
  memoryRead,
  memoryWrite,
  portRead,
  portWrite,
  sendIoreq,
} from "../../host/sim/guest.js";
import { IOREQ_TYPE_COPY, IOREQ_TYPE_PIO, IOREQ_TYPE_TIMEOFFSET } from "../../unikernel/abi/xen/ioreq.js";
import { attached, SLOT, specify, stat } from "./support.js";

const BAR0 = 0xf0000000n;
const PORTS = 0xc000;

function enabled(options?: Parameters<typeof attached>[0]) {
  const machine = attached(options);
  configWrite(machine.world, machine.guest, SLOT, 0x10, 4, Number(BAR0));
  configWrite(machine.world, machine.guest, SLOT, 0x14, 4, PORTS);
  configWrite(machine.world, machine.guest, SLOT, 0x20, 4, 0xf1000000);
  configWrite(machine.world, machine.guest, SLOT, 0x04, 2, 3);
  machine.device.calls.length = 0;
  return machine;
}

test("a BAR is reached from its first to its last byte, in the guest's own sizes", () => {
  const { world, guest, device } = enabled();
  device.script.barRead = (_bar, offset, size) => (BigInt(offset) << 8n) | BigInt(size);
  for (const size of [1, 2, 4, 8]) {
    const last = 0x1000 - size;
    const ones = (1n << BigInt(8 * size)) - 1n;
    assert.is(memoryRead(world, guest, BAR0, size), BigInt(size) & ones);
    assert.is(memoryRead(world, guest, BAR0 + BigInt(last), size), ((BigInt(last) << 8n) | BigInt(size)) & ones);
    memoryWrite(world, guest, BAR0 + BigInt(last), size, 0x1122334455667788n & ones);
    assert.equal(device.calls.at(-1), { kind: "write", bar: 0, offset: last, size, value: 0x1122334455667788n & ones });
  }
  assert.is(memoryRead(world, guest, BAR0 - 1n, 1), 0xffn);
  assert.is(memoryRead(world, guest, BAR0 + 0x1000n, 1), 0xffn);
  assert.is(memoryRead(world, guest, BAR0 + 0xffcn, 8), 0xffffffffffffffffn, "Xen delivers no access across the end");
});

test("ports go to the I/O BAR", () => {
  const { world, guest, device } = enabled();
  portWrite(world, guest, PORTS + 0x1e, 2, 0xbeefn);
  assert.equal(device.calls, [{ kind: "write", bar: 1, offset: 0x1e, size: 2, value: 0xbeefn }]);
  assert.is(portRead(world, guest, PORTS, 4), 0x11111111n);
  assert.is(portRead(world, guest, PORTS + 0x20, 1), 0xffn);
});

test("an answer never has more bits than were asked for", () => {
  const { world, device } = enabled();
  device.script.barRead = () => 0xffffffffffffffffn;
  assert.is(sendIoreq(world, 0, { type: IOREQ_TYPE_COPY, addr: BAR0, size: 2, read: true }), 0xffffn);
});

test("decode off: nobody; moved: only at the new address; the module is not asked meanwhile", () => {
  const { world, guest, device } = enabled();
  configWrite(world, guest, SLOT, 0x04, 2, 1);
  assert.is(memoryRead(world, guest, BAR0, 4), 0xffffffffn);
  configWrite(world, guest, SLOT, 0x10, 4, 0xe0000000);
  configWrite(world, guest, SLOT, 0x04, 2, 3);
  device.calls.length = 0;
  assert.is(memoryRead(world, guest, BAR0, 4), 0xffffffffn);
  assert.is(memoryRead(world, guest, 0xe0000000n, 4), 0x11111111n);
  configWrite(world, guest, SLOT, 0x10, 4, 0xd0000000);
  assert.is(memoryRead(world, guest, 0xe0000000n, 4), 0xffffffffn, "moved with decode on");
  assert.is(memoryRead(world, guest, 0xd0000000n, 4), 0x11111111n);
  assert.is(device.calls.length, 2);
});

test("ranges change only when something moves", () => {
  const { world, guest } = enabled();
  const calls = () =>
    (world.faults.calls.get("ioreq_range_map") ?? 0) + (world.faults.calls.get("ioreq_range_unmap") ?? 0);
  const before = calls();
  configWrite(world, guest, SLOT, 0x10, 4, Number(BAR0));
  configWrite(world, guest, SLOT, 0x04, 2, 7);
  configWrite(world, guest, SLOT, 0x3c, 1, 11);
  assert.is(calls(), before);
  configWrite(world, guest, SLOT, 0x04, 2, 0);
  const off = calls();
  configWrite(world, guest, SLOT, 0x10, 4, 0xffffffff);
  configWrite(world, guest, SLOT, 0x10, 4, 0xd0000000);
  assert.is(calls(), off, "sizing with decode off touches nothing");
});

test("a BAR that is being sized, or was never assigned, is nowhere even with decode on", () => {
  const { world, guest } = enabled();
  const memory = () => guest.servers[0]?.ranges[1].length;
  assert.is(memory(), 2);
  configWrite(world, guest, SLOT, 0x10, 4, 0xffffffff);
  assert.is(memory(), 1);
  configWrite(world, guest, SLOT, 0x10, 4, 0);
  assert.is(memory(), 1);
  configWrite(world, guest, SLOT, 0x10, 4, Number(BAR0));
  assert.is(memory(), 2);
});

test("BARs that collide: the first keeps the address, the other comes when the place is free", () => {
  const { world, guest, device } = enabled();
  configWrite(world, guest, SLOT, 0x20, 4, Number(BAR0));
  assert.is(memoryRead(world, guest, BAR0, 4), 0x11111111n, "BAR 0 still");
  assert.is(stat(world).get("refused"), "1");
  device.calls.length = 0;
  configWrite(world, guest, SLOT, 0x10, 4, 0xd0000000);
  assert.is(memoryRead(world, guest, BAR0 + 12n, 4), 1n, "now the MSI-X table: vector 0 is masked");
  assert.equal(device.calls, []);
});

test("two BARs can be exchanged, in whatever steps", () => {
  const { world, guest } = enabled();
  configWrite(world, guest, SLOT, 0x10, 4, 0xf1000000);
  configWrite(world, guest, SLOT, 0x20, 4, Number(BAR0));
  assert.is(memoryRead(world, guest, 0xf1000000n, 4), 0x11111111n);
  assert.is(memoryRead(world, guest, BAR0 + 12n, 4), 1n);
});

test("an access across two touching BARs goes byte by byte, each to its own", () => {
  const { world, guest, device } = enabled();
  configWrite(world, guest, SLOT, 0x20, 4, Number(BAR0) + 0x1000);
  device.calls.length = 0;
  const addr = BAR0 + 0xffen;
  assert.is(memoryRead(world, guest, addr, 4), 0x00001111n, "two bytes of the device, two of an MSI-X address");
  assert.equal(
    device.calls.map((one) => one.kind === "read" && [one.offset, one.size]),
    [
      [0xffe, 1],
      [0xfff, 1],
    ],
  );
  memoryWrite(world, guest, addr, 4, 0x44332211n);
  assert.equal(
    device.calls.slice(2).map((one) => one.kind === "write" && [one.offset, one.size, one.value]),
    [
      [0xffe, 1, 0x11n],
      [0xfff, 1, 0x22n],
    ],
  );
});

test("bytes of nobody, in a request that Xen should not have sent, are ones", () => {
  const { world } = enabled();
  const read = (addr: bigint) => sendIoreq(world, 0, { type: IOREQ_TYPE_COPY, addr, size: 4, read: true });
  assert.is(read(BAR0 - 2n), 0x1111ffffn);
  assert.is(read(BAR0 + 0xffen), 0xffff1111n);
  assert.is(read(0x5000n), 0xffffffffn);
  assert.is(stat(world).get("unclaimed"), "8");
});

test("port 0xCF8 reads back what was written as a whole, and nothing else", () => {
  const { world, guest } = enabled();
  portWrite(world, guest, 0xcf8, 4, 0xffffffffn);
  assert.is(portRead(world, guest, 0xcf8, 4), 0x8ffffffcn);
  portWrite(world, guest, 0xcf8, 1, 0n);
  portWrite(world, guest, 0xcfa, 2, 0n);
  assert.is(portRead(world, guest, 0xcf8, 4), 0x8ffffffcn);
  assert.is(portRead(world, guest, 0xcf8, 1), 0xffn);
  assert.is(portRead(world, guest, 0xcfb, 1), 0xffn);
});

test("the host bridge has a class and nothing to write", () => {
  const { world, guest } = enabled();
  assert.is(configRead(world, guest, 0, 0x0a, 2), 0x0600);
  assert.is(configRead(world, guest, 0, 0x00, 2), 0x1b36);
  configWrite(world, guest, 0, 0x04, 2, 0xffff);
  configWrite(world, guest, 0, 0x10, 4, 0xffffffff);
  for (const offset of [0x04, 0x10, 0x34, 0x3c]) assert.is(configRead(world, guest, 0, offset, 4), 0, `${offset}`);
  assert.is(configRead(world, guest, 0, 0xfe, 4), 0xffffffff);
});

test("INVALIDATE, TIMEOFFSET and unknown requests are completed and counted", () => {
  const { world, guest, device } = enabled();
  invalidate(world, guest);
  assert.is(sendIoreq(world, 0, { type: IOREQ_TYPE_TIMEOFFSET, addr: 0n, data: 123n, size: 8 }), 123n);
  assert.is(sendIoreq(world, 0, { type: 99, addr: 0n, size: 4, read: true }), 0xffffffffffffffffn);
  const figures = stat(world);
  assert.is(figures.get("invalidates"), "1");
  assert.is(figures.get("timeoffsets"), "1");
  assert.is(figures.get("unclaimed"), "1");
  assert.equal(device.calls, []);
});

test("an impossible size or count is answered with ones and asks nobody", () => {
  const { world, device } = enabled();
  for (const [size, count] of [
    [0, 1],
    [3, 1],
    [5, 1],
    [16, 1],
    [4, 0],
    [4, 4097],
    [4, 0xffffffff],
    [0x80000000, 1],
  ] as const) {
    const answer = sendIoreq(world, 0, { type: IOREQ_TYPE_COPY, addr: BAR0, size, count, read: true });
    assert.is(answer, 0xffffffffffffffffn, `size ${size} count ${count}`);
    sendIoreq(world, 0, { type: IOREQ_TYPE_PIO, addr: BigInt(PORTS), size, count });
  }
  assert.equal(device.calls, []);
  assert.is(stat(world).get("guest_refused"), "16");
});

test("a range that Xen refuses leaves the BAR unreachable, and only that one", () => {
  const { world, guest } = attached();
  configWrite(world, guest, SLOT, 0x10, 4, Number(BAR0));
  configWrite(world, guest, SLOT, 0x14, 4, PORTS);
  failNth(world.faults, "ioreq_range_map", 1, 28);
  configWrite(world, guest, SLOT, 0x04, 2, 3);
  assert.is(memoryRead(world, guest, BAR0, 4), 0xffffffffn);
  assert.is(portRead(world, guest, PORTS, 4), 0x11111111n);
  configWrite(world, guest, SLOT, 0x04, 2, 7);
  assert.is(memoryRead(world, guest, BAR0, 4), 0x11111111n, "tried again at the next occasion");
});

test("two vGPUs of one guest do not answer for each other", () => {
  const { world, guest, device } = enabled();
  assert.is(specify(world, "module=probe guest=pvh slot=5", 1), "ready");
  configWrite(world, guest, 5, 0x10, 4, 0xe0000000);
  configWrite(world, guest, 5, 0x04, 2, 2);
  device.calls.length = 0;
  memoryWrite(world, guest, 0xe0000004n, 4, 5n);
  assert.is(stat(world, 0).get("mmio_writes"), "0");
  assert.is(stat(world, 1).get("mmio_writes"), "1");
  assert.is(device.calls.length, 1);
});

test.run();
