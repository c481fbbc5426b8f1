// SPDX-License-Identifier: MIT
//
// Requests of many items: count, direction flag, data in guest memory. First by hand, then a seeded property: the real
// core against a model of five lines, over random regions, sizes, directions and buffers.

import { inspect } from "node:util";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { addMemory, readMemory, writeMemory } from "../../host/sim/domain.js";
import { failNth } from "../../host/sim/faults.js";
import { configWrite, type Ioreq, sendIoreq } from "../../host/sim/guest.js";
import { IOREQ_TYPE_COPY, IOREQ_TYPE_PCI_CONFIG, IOREQ_TYPE_PIO } from "../../unikernel/abi/xen/ioreq.js";
import { random } from "./random.js";
import { attached, SLOT, stat } from "./support.js";

const BAR0 = 0xf0000000n;
const PORTS = 0xc000n;
const BUFFER_GFN = 0x100n;
const BUFFER = BUFFER_GFN << 12n;
const BUFFER_PAGES = 16;

/** BAR 0 is 4 KiB of memory that the device keeps, BAR 1 a FIFO of ports that counts up. */
function machine() {
  const all = attached();
  const registers = new Uint8Array(0x1000);
  let port = 0n;
  all.device.script.barRead = (bar, offset, size) => {
    if (bar === 1) return port++;
    return registers.subarray(offset, offset + size).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  };
  all.device.script.barWrite = (bar, offset, size, value) => {
    if (bar === 0) for (let i = 0; i < size; i++) registers[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  };
  addMemory(all.guest, BUFFER_GFN, BUFFER_PAGES);
  configWrite(all.world, all.guest, SLOT, 0x10, 4, Number(BAR0));
  configWrite(all.world, all.guest, SLOT, 0x14, 4, Number(PORTS));
  configWrite(all.world, all.guest, SLOT, 0x04, 2, 3);
  all.device.calls.length = 0;
  return { ...all, registers };
}

function bytes(count: number, seed: number): Uint8Array {
  const next = random(seed);
  return Uint8Array.from({ length: count }, () => next(256));
}

test("rep movs into the device", () => {
  const { world, guest, registers, device } = machine();
  const data = bytes(512, 1);
  writeMemory(guest, BUFFER, data);
  sendIoreq(world, 0, {
    type: IOREQ_TYPE_COPY,
    addr: BAR0 + 0x100n,
    data: BUFFER,
    dataIsPtr: true,
    count: 128,
    size: 4,
  });
  assert.equal(registers.slice(0x100, 0x300), data);
  assert.is(device.calls.length, 128);
  const figures = stat(world);
  assert.is(figures.get("reps"), "1");
  assert.is(figures.get("mmio_writes"), "128");
  assert.is(figures.get("traps"), "4", "three of configuration, one for all 128");
});

test("rep movs out of the device, backwards", () => {
  const { world, guest, registers } = machine();
  registers.set(bytes(0x1000, 2));
  const request = { type: IOREQ_TYPE_COPY, addr: BAR0 + 0x1f8n, data: BUFFER + 0x3f8n, dataIsPtr: true } as const;
  const answer = sendIoreq(world, 0, { ...request, df: true, read: true, count: 64, size: 8 });
  assert.is(answer, BUFFER + 0x3f8n, "the answer is in memory");
  assert.equal(readMemory(guest, BUFFER + 0x200n, 512), registers.slice(0, 512));
});

test("rep outs and rep ins stay at their port", () => {
  const { world, guest, device } = machine();
  writeMemory(guest, BUFFER, Uint8Array.of(1, 2, 3, 4));
  sendIoreq(world, 0, { type: IOREQ_TYPE_PIO, addr: PORTS + 4n, data: BUFFER, dataIsPtr: true, count: 4, size: 1 });
  assert.equal(
    device.calls.map((one) => one.kind === "write" && [one.bar, one.offset, Number(one.value)]),
    [1, 2, 3, 4].map((value) => [1, 4, value]),
  );
  sendIoreq(world, 0, {
    type: IOREQ_TYPE_PIO,
    addr: PORTS,
    data: BUFFER,
    dataIsPtr: true,
    read: true,
    count: 3,
    size: 2,
  });
  assert.equal([...(readMemory(guest, BUFFER, 6) ?? [])], [0, 0, 1, 0, 2, 0]);
});

test("rep outs to the configuration data port stays at its register", () => {
  const { world, guest } = machine();
  writeMemory(guest, BUFFER, Uint8Array.of(5, 6, 7));
  const addr = (BigInt(SLOT << 3) << 32n) | 0x3cn;
  sendIoreq(world, 0, { type: IOREQ_TYPE_PCI_CONFIG, addr, data: BUFFER, dataIsPtr: true, count: 3, size: 1 });
  assert.is(sendIoreq(world, 0, { type: IOREQ_TYPE_PCI_CONFIG, addr, size: 1, read: true }), 7n);
});

test("without a buffer every item is written alike, and the last one read is the answer", () => {
  const { world, registers } = machine();
  sendIoreq(world, 0, { type: IOREQ_TYPE_COPY, addr: BAR0, data: 0xabcdn, count: 3, size: 2 });
  assert.equal([...registers.slice(0, 8)], [0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0, 0]);
  registers.set([9, 8, 7, 6]);
  assert.is(sendIoreq(world, 0, { type: IOREQ_TYPE_COPY, addr: BAR0, count: 4, size: 1, read: true }), 6n);
  assert.is(sendIoreq(world, 0, { type: IOREQ_TYPE_PIO, addr: PORTS, count: 4, size: 1, read: true }), 3n);
});

test("one item with its data in memory", () => {
  const { world, guest, registers } = machine();
  writeMemory(guest, BUFFER, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  sendIoreq(world, 0, { type: IOREQ_TYPE_COPY, addr: BAR0, data: BUFFER, dataIsPtr: true, size: 8 });
  assert.equal([...registers.slice(0, 8)], [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("memory that is not there: a write stops, a read goes on without it; both are counted", () => {
  const { world, device } = machine();
  sendIoreq(world, 0, { type: IOREQ_TYPE_COPY, addr: BAR0, data: 0x9000n, dataIsPtr: true, count: 4, size: 4 });
  assert.equal(device.calls, []);
  sendIoreq(world, 0, {
    type: IOREQ_TYPE_COPY,
    addr: BAR0,
    data: 0x9000n,
    dataIsPtr: true,
    read: true,
    count: 4,
    size: 4,
  });
  assert.is(device.calls.length, 4);
  assert.is(stat(world).get("guest_refused"), "2");
});

test("copies are made in pieces, not item by item", () => {
  const { world } = machine();
  const before = world.faults.calls.get("guest_read") ?? 0;
  sendIoreq(world, 0, { type: IOREQ_TYPE_PIO, addr: PORTS, data: BUFFER, dataIsPtr: true, count: 4096, size: 4 });
  assert.is((world.faults.calls.get("guest_read") ?? 0) - before, 4);
});

test("a copy that fails in the middle of a write leaves what was written and stops", () => {
  const { world, device } = machine();
  failNth(world.faults, "guest_read", 2, 14);
  sendIoreq(world, 0, { type: IOREQ_TYPE_PIO, addr: PORTS, data: BUFFER, dataIsPtr: true, count: 4096, size: 4 });
  assert.is(device.calls.length, 1024);
});

test("addresses that would wrap are refused as a whole", () => {
  const { world, device } = machine();
  const top = 0xffffffffffffffffn;
  const cases: Ioreq[] = [
    { type: IOREQ_TYPE_COPY, addr: top - 6n, size: 4, count: 2, read: true },
    { type: IOREQ_TYPE_COPY, addr: top - 2n, size: 4, read: true },
    { type: IOREQ_TYPE_COPY, addr: 4n, size: 4, count: 3, df: true, read: true },
    { type: IOREQ_TYPE_COPY, addr: BAR0, data: top - 6n, dataIsPtr: true, size: 4, count: 2 },
    { type: IOREQ_TYPE_COPY, addr: BAR0 + 64n, data: 4n, dataIsPtr: true, size: 4, count: 3, df: true },
    { type: IOREQ_TYPE_PIO, addr: PORTS, data: 4n, dataIsPtr: true, size: 4, count: 3, df: true },
  ];
  for (const one of cases) sendIoreq(world, 0, one);
  assert.equal(device.calls, []);
  assert.is(stat(world).get("guest_refused"), String(cases.length));
  sendIoreq(world, 0, { type: IOREQ_TYPE_COPY, addr: top - 7n, size: 4, count: 2, read: true });
  assert.is(stat(world).get("guest_refused"), String(cases.length), "up to the very last byte is fine");
});

// --- the property ---

interface Model {
  registers: Uint8Array;
  buffer: Uint8Array;
}

/** BAR 0 only; bytes outside it are ones and vanish. */
function model({ registers, buffer }: Model, one: Required<Ioreq>): void {
  for (let i = 0; i < one.count; i++) {
    const step = BigInt((one.df ? -i : i) * one.size);
    for (let byte = 0n; byte < BigInt(one.size); byte++) {
      const there = Number(one.addr + step + byte - BAR0);
      const here = Number(one.data + step + byte - BUFFER);
      const inside = there >= 0 && there < registers.length;
      if (one.read) buffer[here] = inside ? (registers[there] as number) : 0xff;
      else if (inside) registers[there] = buffer[here] as number;
    }
  }
}

function randomRequest(next: (end: number) => number): Required<Ioreq> {
  const size = [1, 2, 4, 8][next(4)] as number;
  const count = 1 + next(next(2) === 0 ? 8 : 4096);
  const df = next(2) === 0;
  const length = size * count;
  const low = next(BUFFER_PAGES * 4096 - length + 1);
  const start = next(0x1400) - 0x200;
  const far = df ? length - size : 0;
  return {
    type: IOREQ_TYPE_COPY,
    addr: BAR0 + BigInt(start + far),
    data: BUFFER + BigInt(low + far),
    size,
    count,
    df,
    read: next(2) === 0,
    dataIsPtr: true,
  };
}

test("random requests do what the model does", () => {
  const { world, guest, registers } = machine();
  const next = random(20261123);
  const twin: Model = { registers: bytes(0x1000, 3), buffer: bytes(BUFFER_PAGES * 4096, 4) };
  registers.set(twin.registers);
  writeMemory(guest, BUFFER, twin.buffer);
  for (let step = 0; step < 300; step++) {
    const one = randomRequest(next);
    sendIoreq(world, 0, one);
    model(twin, one);
    const what = `step ${step}: ${inspect(one)}`;
    assert.ok(Buffer.compare(registers, twin.registers) === 0, what);
    assert.ok(Buffer.compare(readMemory(guest, BUFFER, twin.buffer.length) as Uint8Array, twin.buffer) === 0, what);
  }
});

test.run();
