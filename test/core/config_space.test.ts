// SPDX-License-Identifier: MIT
//
// PCI configuration space as a guest's PCI core uses it: identity, sizing, 64-bit BARs, byte lanes, bits that cannot be
// written, bits that writing one clears, the capability list; and a random walk against a model of one merge.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { configRead, configWrite, sendIoreq } from "../../host/sim/guest.js";
import { IOREQ_TYPE_PCI_CONFIG } from "../../unikernel/abi/xen/ioreq.js";
import { random } from "./random.js";
import { attached, type PROBE, SLOT, specify } from "./support.js";

type Machine = ReturnType<typeof attached>;

const read = ({ world, guest }: Machine, offset: number, size = 4, slot = SLOT) =>
  configRead(world, guest, slot, offset, size);
const write = ({ world, guest }: Machine, offset: number, value: number, size = 4, slot = SLOT) =>
  configWrite(world, guest, slot, offset, size, value);

test("identity comes from the manifest, whatever the size of the access", () => {
  const machine = attached();
  assert.is(read(machine, 0x00), 0x0001fffe);
  assert.is(read(machine, 0x08), 0x03800009);
  assert.is(read(machine, 0x2c), 0x0002fffd);
  assert.is(read(machine, 0x02, 2), 0x0001);
  assert.is(read(machine, 0x0b, 1), 0x03);
  assert.is(read(machine, 0x0e, 1), 0, "type 0, one function");
  write(machine, 0x00, 0);
  write(machine, 0x08, 0);
  assert.is(read(machine, 0x00), 0x0001fffe);
  assert.is(read(machine, 0x08), 0x03800009);
});

test("sizing tells each BAR's size and kind", () => {
  const machine = attached({ spec: "module=probe guest=pvh ram_bytes=1048576" });
  const size = (offset: number) => {
    write(machine, offset, 0xffffffff);
    return read(machine, offset);
  };
  assert.is(size(0x10), 0xfffff000);
  assert.is(size(0x14), 0xffffffe1);
  assert.is(size(0x18), 0xfff0000c, "64-bit, prefetchable, 1 MiB");
  assert.is(size(0x1c), 0xffffffff, "its upper half");
  assert.is(size(0x20), 0xfffff000);
  assert.is(size(0x24), 0, "there is no BAR 5");
  assert.is(size(0x30), 0, "there is no ROM");
});

test("a BAR can be written a byte at a time", () => {
  const machine = attached();
  write(machine, 0x13, 0xe1, 1);
  write(machine, 0x12, 0x23, 1);
  write(machine, 0x11, 0x45, 1);
  write(machine, 0x10, 0x67, 1);
  assert.is(read(machine, 0x10), 0xe1234000);
  write(machine, 0x12, 0xf0ff, 2);
  assert.is(read(machine, 0x10), 0xf0ff4000);
});

test("the command register has only the bits that mean something", () => {
  const machine = attached();
  write(machine, 0x04, 0xffff, 2);
  assert.is(read(machine, 0x04, 2), 0x0547, "I/O, memory, master, parity, SERR, INTx disable");
  assert.equal(
    machine.device.calls.filter((one) => one.kind === "event"),
    [{ kind: "event", event: 0, argument: 0x547n }],
  );
  write(machine, 0x04, 0xffff, 2);
  assert.is(machine.device.calls.filter((one) => one.kind === "event").length, 1, "told only when it changes");
});

test("a device without I/O BARs has no I/O decode", () => {
  const bars = [{ index: 0, kind: "trap", space: "memory32", size: 16 }] as (typeof PROBE)["bars"];
  const machine = attached({ manifest: { bars, interrupts: { intx: true } } });
  write(machine, 0x04, 0xffff, 2);
  assert.is(read(machine, 0x04, 2) & 3, 2);
});

test("status bits are not set by writing them", () => {
  const machine = attached();
  assert.is(read(machine, 0x06, 2), 0x10, "there is a capability list");
  write(machine, 0x06, 0xffff, 2);
  assert.is(read(machine, 0x06, 2), 0x10);
});

test("cache line, latency timer and interrupt line keep what is written, the pin does not", () => {
  const machine = attached();
  write(machine, 0x0c, 0xffff, 2);
  assert.is(read(machine, 0x0c, 2), 0xffff);
  write(machine, 0x3c, 0xff0b, 2);
  assert.is(read(machine, 0x3c, 2), 0x000b, "a PVH guest has no interrupt pin");
});

test("an HVM guest sees the interrupt pin, and the vGPU only in its slot", () => {
  const machine = attached({ spec: "module=probe guest=hvm slot=17" });
  assert.is(read(machine, 0x3d, 1, 17), 1);
  assert.is(read(machine, 0x00, 4, 0), 0xffffffff, "the host bridge is QEMU's");
  assert.is(machine.guest.servers[0]?.ranges[0].length, 0, "and so is port 0xCF8");
});

test("the capability list: MSI, then MSI-X", () => {
  const machine = attached();
  const first = read(machine, 0x34, 1);
  assert.is(read(machine, first, 1), 0x05);
  const second = read(machine, first + 1, 1);
  assert.is(read(machine, second, 1), 0x11);
  assert.is(read(machine, second + 1, 1), 0);
  assert.is(read(machine, first + 2, 2), 0x0184, "4 vectors, 64-bit, maskable");
  assert.is(read(machine, second + 2, 2), 2, "3 vectors");
  assert.is(read(machine, second + 4), 4, "the table is in BAR 4");
  assert.is(read(machine, second + 8), 48 | 4, "the pending bits behind it");
});

test("without interrupts there is no capability list", () => {
  const bars = [{ index: 0, kind: "trap", space: "memory32", size: 16 }] as (typeof PROBE)["bars"];
  const machine = attached({ manifest: { bars, interrupts: {} } });
  assert.is(read(machine, 0x06, 2), 0);
  assert.is(read(machine, 0x34, 1), 0);
});

test("beyond 256 bytes there is nothing", () => {
  const machine = attached();
  assert.is(read(machine, 0x100), 0xffffffff);
  assert.is(read(machine, 0xfe), 0xffff0000, "the last two bytes, then none");
  const addr = (BigInt(SLOT << 3) << 32n) | 0xfffffffen;
  const answer = sendIoreq(machine.world, 0, { type: IOREQ_TYPE_PCI_CONFIG, addr, size: 4, read: true });
  assert.is(answer & 0xffffffffn, 0xffffffffn, "an offset at the end of 32 bits does not wrap");
});

test("other functions, buses and segments are nobody's", () => {
  const machine = attached();
  for (const sbdf of [(SLOT << 3) | 1, 0x100 | (SLOT << 3), 0x10000 | (SLOT << 3), 31 << 3]) {
    const addr = BigInt(sbdf) << 32n;
    const answer = sendIoreq(machine.world, 0, { type: IOREQ_TYPE_PCI_CONFIG, addr, size: 4, read: true });
    assert.is(answer & 0xffffffffn, 0xffffffffn, sbdf.toString(16));
  }
});

test("two vGPUs have two configuration spaces", () => {
  const machine = attached();
  assert.is(specify(machine.world, "module=probe guest=pvh slot=9", 1), "ready");
  write(machine, 0x10, 0xe0000000);
  assert.is(read(machine, 0x10, 4, 9), 0);
  assert.is(read(machine, 0x00, 4, 9), 0x0001fffe);
});

test("a random walk stays with a model of one merge", () => {
  for (let seed = 1; seed <= 20; seed++) walk(seed);
});

/** The bits of the probe that can be written; all the rest is as it was at the start. */
const WRITABLE: [number, number, number][] = [
  [0x04, 2, 0x0547],
  [0x0c, 2, 0xffff],
  [0x10, 4, 0xfffff000],
  [0x14, 4, 0xffffffe0],
  [0x18, 4, 0xffff0000],
  [0x1c, 4, 0xffffffff],
  [0x20, 4, 0xfffff000],
  [0x3c, 1, 0xff],
  [0x42, 2, 0x0071],
  [0x44, 4, 0xfffffffc],
  [0x48, 4, 0xffffffff],
  [0x4c, 2, 0xffff],
  [0x50, 4, 0x0000000f],
  [0x62, 2, 0xc000],
];

function walk(seed: number): void {
  const machine = attached();
  const next = random(seed);
  const values = Array.from({ length: 256 }, (_, i) => read(machine, i, 1));
  const masks = new Array<number>(256).fill(0);
  for (const [at, size, mask] of WRITABLE) for (let i = 0; i < size; i++) masks[at + i] = (mask >>> (8 * i)) & 0xff;
  masks[0x04] = 0; // decode stays off: where the BARs go is not this test's
  for (let step = 0; step < 300; step++) {
    const size = [1, 2, 4][next(3)] as number;
    const offset = next(256 - size + 1);
    if (touchesCommand(offset, size)) continue;
    const value = next(0x100000000);
    write(machine, offset, value, size);
    for (let i = 0; i < size; i++) {
      const mask = masks[offset + i] as number;
      values[offset + i] = ((values[offset + i] as number) & ~mask) | ((value >>> (8 * i)) & mask);
    }
    const at = next(253);
    const expected = [0, 1, 2, 3].reduce((sum, i) => sum + (values[at + i] as number) * 256 ** i, 0);
    assert.is(read(machine, at), expected, `seed ${seed} step ${step} offset ${at}`);
  }
}

function touchesCommand(offset: number, size: number): boolean {
  return offset < 0x06 && offset + size > 0x04;
}

test.run();
