// SPDX-License-Identifier: MIT
//
// Capabilities "memory" and "buffer": what a module gets through them is its own guest's RAM, byte for byte, and
// nothing else, whatever it asks. Edges one by one; then random calls against a model that knows the guest's memory as
// one array and a buffer as a list of addresses.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { addMemory, readMemory, writeMemory } from "../../host/sim/domain.js";
import { configWrite } from "../../host/sim/guest.js";
import { ModuleFault } from "../../host/sim/module.js";
import { addDomain } from "../../host/sim/world.js";
import { random } from "./random.js";
import { attached, GUEST, machine, probe, request, SLOT, specify, stat, vgpuNode } from "./support.js";

const CAPABILITIES = ["irq", "scanout", "log", "memory", "buffer"];
const REFUSED = 2;
const RAM_PAGES = 64;
const RAM_BYTES = RAM_PAGES * 4096;

/** A list as the module's memory holds it. */
function list(...pieces: [gpa: bigint | number, bytes: bigint | number][]): Uint8Array {
  const view = new DataView(new ArrayBuffer(pieces.length * 16));
  for (const [i, [gpa, bytes]] of pieces.entries()) {
    view.setBigUint64(i * 16, BigInt.asUintN(64, BigInt(gpa)), true);
    view.setBigUint64(i * 16 + 8, BigInt.asUintN(64, BigInt(bytes)), true);
  }
  return new Uint8Array(view.buffer);
}

function device(quotas: object = {}) {
  const all = attached({ manifest: { capabilities: CAPABILITIES, quotas } });
  addMemory(all.guest, 0n, RAM_PAGES);
  const bytes = Uint8Array.from({ length: RAM_BYTES }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  writeMemory(all.guest, 0n, bytes);
  return { ...all, bytes, caps: all.device.capabilities() };
}

function faults(run: () => unknown): void {
  assert.throws(run, (error: unknown) => error instanceof ModuleFault && error.fault === 7);
}

test("guest_read and guest_write: RAM of the guest to the last byte, and nothing beyond", () => {
  const { caps, guest, bytes, world } = device();
  const into = new Uint8Array(4096);
  assert.is(caps.guestRead(BigInt(RAM_BYTES - 4096), into), 0);
  assert.equal(into, bytes.slice(-4096));
  assert.is(caps.guestWrite(5n, new Uint8Array([1, 2, 3])), 0);
  assert.equal(readMemory(guest, 4n, 5), new Uint8Array([bytes[4] as number, 1, 2, 3, bytes[8] as number]));
  into.fill(0xee);
  for (const gpa of [RAM_BYTES - 4095, RAM_BYTES, -1, -4096, (1n << 48n) - 1n, 1n << 48n, 1n << 63n]) {
    assert.is(caps.guestRead(BigInt.asUintN(64, BigInt(gpa)), into), REFUSED);
    assert.is(caps.guestWrite(BigInt.asUintN(64, BigInt(gpa)), into), REFUSED);
  }
  assert.ok(into.every((byte) => byte === 0xee));
  assert.equal(readMemory(guest, BigInt(RAM_BYTES - 4096), 4096), bytes.slice(-4096), "all or nothing");
  assert.is(stat(world).get("refused"), "14");
  faults(() => world.core.guest_read(0, 0n, 4097) === -0x80000000 && caps.guestRead(0n, new Uint8Array(4097)));
});

test("a buffer reads as its pieces do, one after the other; its end is its end", () => {
  const { caps, bytes } = device();
  const buffer = caps.bufferCreate(list([0x3ff0, 0x10], [0x8000, 0x2000], [0x1000, 0x1000], [0x7005, 3]));
  assert.ok(buffer > 0);
  const all = [...bytes.slice(0x3ff0, 0x4000), ...bytes.slice(0x8000, 0xa000), ...bytes.slice(0x1000, 0x2000)];
  const into = new Uint8Array(4096);
  assert.is(caps.bufferRead(buffer, 0x2008n, into), 0);
  assert.equal([...into], all.slice(0x2008, 0x3008));
  assert.is(caps.bufferRead(buffer, 0x3013n, new Uint8Array(0)), 0);
  assert.is(caps.bufferRead(buffer, 0x3012n, into.subarray(0, 1)), 0);
  assert.is(into[0], bytes[0x7007]);
  assert.is(caps.bufferRead(buffer, 0x3012n, into.subarray(0, 2)), REFUSED);
  assert.is(caps.bufferRead(buffer, 0x3014n, new Uint8Array(0)), REFUSED);
  assert.is(caps.bufferRead(buffer, 0xffffffffffffffffn, into), REFUSED);
  assert.is(caps.bufferRead(buffer, 0xfffffffffffff001n, into), REFUSED);
});

/** [what, list] */
const BAD_LISTS: [string, Uint8Array][] = [
  ["an empty piece", list([0x1000, 0])],
  ["the last address", list([-1, 1])],
  ["a sum that wraps", list([-0x1000, 0x2000])],
  ["beyond what a guest can address", list([(1n << 48n) - 0x1000n, 0x1001])],
  ["a length of 2^64 - 1", list([0, -1])],
  ["lengths whose sum wraps", list([0, 1n << 47n], [0, 1n << 47n], [0, (1n << 64n) - (1n << 48n)])],
  ["more bytes than promised", list([0, (64n << 20n) + 1n])],
  ["a short piece in the middle", list([0, 1], [0x2000, 0xfff], [0x5000, 1])],
];

for (const [what, bad] of BAD_LISTS) {
  test(`a scatter list is refused as a whole: ${what}`, () => {
    const { caps, world } = device();
    assert.is(caps.bufferCreate(bad), 0);
    const good = caps.bufferCreate(list([0, 0x1000]));
    assert.is(caps.bufferAppend(good, bad), REFUSED);
    assert.is(caps.bufferRead(good, 0x1000n, new Uint8Array(1)), REFUSED, "it did not grow");
    assert.is(stat(world).get("refused"), "3");
  });
}

test("handles: stale, foreign, 0 and made up are faults, and so is more than a list may hold", () => {
  const { caps, world } = device();
  const first = caps.bufferCreate(list([0, 0x1000]));
  assert.is(caps.bufferDestroy(first), 0);
  const second = caps.bufferCreate(list([0, 0x1000]));
  assert.is.not(second, first, "another generation");
  assert.is(specify(world, "module=probe guest=pvh slot=2", 1), "ready");
  const foreign = world.core.buffer_create(1, 0);
  assert.ok(foreign > 0);
  for (const handle of [0, first, foreign, second + 1, second ^ 0x1000, 0x7fffffff, -1, -0x80000000]) {
    faults(() => caps.bufferRead(handle, 0n, new Uint8Array(1)));
    faults(() => caps.bufferWrite(handle, 0n, new Uint8Array(1)));
    faults(() => caps.bufferAppend(handle, list()));
    faults(() => caps.bufferDestroy(handle));
    faults(() => caps.bufferCopy(handle, 0n, 0, second, 0n, 0, 1, 1));
    faults(() => caps.bufferCopy(second, 0n, 0, handle, 0n, 0, 1, 1));
    faults(() => caps.scanoutSetBuffer(0, handle, 0n, 1, 1, 4, 0x34325258));
  }
  assert.is(caps.bufferRead(second, 0n, new Uint8Array(1)), 0);
  for (const count of [257, 0x10000000, -1]) assert.is(world.core.buffer_create(0, count), -0x80000000);
});

test("quotas of the manifest: handles, bytes, pieces; giving back makes room again", () => {
  const { caps } = device({ buffers: 2, bufferBytes: 0x5000, bufferPieces: 3 });
  const first = caps.bufferCreate(list([0, 0x1000], [0x2000, 0x1000]));
  const second = caps.bufferCreate(list([0x4000, 0x1000], [0x5000, 0x1000]));
  assert.ok(first > 0 && second > 0, "neighbours are one piece");
  assert.is(caps.bufferCreate(list()), 0, "a third handle");
  assert.is(caps.bufferAppend(second, list([0x6000, 0x1001])), REFUSED, "a byte too many");
  assert.is(caps.bufferAppend(second, list([0x8000, 0x1000])), REFUSED, "a piece too many");
  assert.is(caps.bufferAppend(second, list([0x6000, 0x1000])), 0);
  assert.is(caps.bufferDestroy(first), 0);
  assert.ok(caps.bufferCreate(list([0, 0x1000], [0x2000, 0x1000])) > 0);
});

test("pieces are set aside at attach: who comes too late is refused in words, others keep what is theirs", () => {
  const many = probe({ capabilities: CAPABILITIES, quotas: { bufferPieces: 8192 } });
  const { world } = machine([many.module]);
  const states = [0, 1, 2].map((n) => specify(world, `module=probe guest=pvh slot=${n + 1}`, n));
  assert.equal(states, ["ready", "ready", "refused"]);
  assert.match(vgpuNode(world, "error", 2) ?? "", /module probe wants 8192 pieces of buffers, of 16384/);
  specify(world, "", 0);
  assert.is(specify(world, "module=probe guest=pvh slot=3", 2), "ready");
});

test("a part of a BAR goes where the BAR goes; before it is placed there is nothing behind it", () => {
  const { caps, world, guest } = device();
  assert.is(caps.bufferBar(2, 0x10000n, 1n), 0);
  assert.is(caps.bufferBar(2, 0xffffn, 2n), 0);
  assert.is(caps.bufferBar(2, 0n, 0n), 0);
  assert.is(caps.bufferBar(2, 1n, 0xffffffffffffffffn), 0);
  for (const bar of [0, 3, 5, 6, -1]) faults(() => caps.bufferBar(bar, 0n, 1n));
  const buffer = caps.bufferBar(2, 0xf000n, 0x1000n);
  faults(() => caps.bufferAppend(buffer, list([0, 0x1000])));
  assert.is(caps.bufferRead(buffer, 0n, new Uint8Array(1)), REFUSED);
  configWrite(world, guest, SLOT, 0x18, 4, 0xe0000000);
  configWrite(world, guest, SLOT, 0x04, 2, 2);
  assert.is(caps.bufferWrite(buffer, 0xfffn, new Uint8Array([7])), 0);
  assert.equal(readMemory(guest, 0xe000ffffn, 1), new Uint8Array([7]));
  configWrite(world, guest, SLOT, 0x18, 4, 0xd0000000);
  const into = new Uint8Array(1);
  assert.is(caps.bufferRead(buffer, 0xfffn, into), 0);
  assert.is(into[0], 7);
});

test("a scanout of a buffer: CRC and picture are those of its pixels, and it is off when the buffer goes", () => {
  const { caps, world, guest } = device();
  const pieces: [number, number][] = [
    [0x3f10, 0xf0],
    [0x9000, 0x1000],
    [0x6000, 0x2000],
    [0x1000, 0x800],
  ];
  const buffer = caps.bufferCreate(list(...pieces));
  assert.is(caps.scanoutSetBuffer(0, buffer, 0x11n, 30, 40, 0x101, 0x34325258), 0);
  const scattered = request(world, `1 crc ${GUEST} 0 0`);
  const joined = Buffer.concat(pieces.map(([gpa, length]) => readMemory(guest, BigInt(gpa), length) as Uint8Array));
  addMemory(guest, 0x100n, 8);
  writeMemory(guest, 0x100000n, joined);
  const flat = caps.bufferCreate(list([0x100000, joined.length]));
  assert.is(caps.scanoutSetBuffer(1, flat, 0x11n, 30, 40, 0x101, 0x34325258), 0);
  assert.is(request(world, `1 crc ${GUEST} 0 1`)?.replace("1 ok", ""), scattered?.replace("1 ok", ""));
  assert.match(scattered ?? "", /crc32=[0-9a-f]{8} width=30 height=40/);
  for (const [number, seq] of [
    [0, 2],
    [1, 3],
  ]) {
    assert.match(request(world, `${seq} read ${GUEST} 0 ${number} 0 0`) ?? "", /bytes=4800 total=4800/);
    const rows = Array.from({ length: 40 }, (_, row) => joined.subarray(0x11 + row * 0x101, 0x11 + row * 0x101 + 120));
    assert.equal(Buffer.from(world.shim.share.subarray(0, 4800)), Buffer.concat(rows));
  }
  assert.is(caps.scanoutSetBuffer(0, flat, BigInt(joined.length - 3), 1, 1, 4, 0x34325258), REFUSED);
  assert.is(caps.scanoutSetBuffer(0, flat, 0xffffffffffffffffn, 1, 1, 4, 0x34325258), REFUSED);
  assert.is(caps.bufferDestroy(buffer), 0);
  assert.is(request(world, `4 crc ${GUEST} 0 0`), "4 error scanout off: 0");
  assert.is(caps.scanoutFlush(0, 0, 0, 1, 1), REFUSED);
  assert.is(caps.scanoutSetBuffer(1, 0, 0n, 0, 0, 0, 0), 0);
  assert.is(request(world, `5 crc ${GUEST} 0 1`), "5 error scanout off: 1");
});

test("a reset makes all handles stale", () => {
  const { caps, world } = device();
  const buffer = caps.bufferCreate(list([0, 0x1000]));
  assert.is(request(world, `1 reset ${GUEST} 0`), "1 ok");
  faults(() => caps.bufferRead(buffer, 0n, new Uint8Array(1)));
});

test("without the capability: every one of them is a fault", () => {
  const { device: one, world } = attached();
  const caps = one.capabilities();
  addDomain(world, 8);
  faults(() => caps.guestRead(0n, new Uint8Array(1)));
  faults(() => caps.guestWrite(0n, new Uint8Array(1)));
  faults(() => caps.bufferCreate(list()));
  faults(() => caps.bufferBar(2, 0n, 1n));
  faults(() => caps.scanoutSetBuffer(0, 0, 0n, 0, 0, 0, 0));
});

// --- against a model ---

/** A buffer as the list of its bytes' addresses. */
type Model = Map<number, number[]>;

test("random calls against a model: answers, bytes moved, bytes not moved", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const below = random(seed);
    const { caps, guest, bytes } = device({ buffers: 6, bufferBytes: 0x40000, bufferPieces: 24 });
    const memory = bytes.slice();
    const model: Model = new Map();
    const stale: number[] = [];
    const pieces = (): [number, number][] =>
      Array.from({ length: below(5) }, () => {
        const page = below(RAM_PAGES - 2);
        return below(4) === 0 ? [page * 4096 + below(4096), 1 + below(5000)] : [page * 4096, 4096 * (1 + below(2))];
      });
    const pick = (): number => [...model.keys()][below(model.size)] as number;
    for (let step = 0; step < 60; step++) {
      const what = below(7);
      if (what === 0 || model.size === 0) {
        const wanted = pieces();
        const expected = joined([], wanted);
        const room = model.size < 6 && fits(model, expected);
        const handle = caps.bufferCreate(list(...wanted));
        assert.is(handle !== 0, expected !== undefined && room, `seed ${seed} step ${step}: create`);
        if (handle !== 0) model.set(handle, expected as number[]);
      } else if (what === 1) {
        const handle = pick();
        const wanted = pieces();
        const expected = joined(model.get(handle) as number[], wanted);
        const rest = new Map([...model].filter(([one]) => one !== handle));
        const answer = caps.bufferAppend(handle, list(...wanted));
        assert.is(answer === 0, expected !== undefined && fits(rest, expected), `seed ${seed} step ${step}: append`);
        if (answer === 0) model.set(handle, expected as number[]);
      } else if (what === 2) {
        const handle = pick();
        assert.is(caps.bufferDestroy(handle), 0);
        model.delete(handle);
        stale.push(handle);
      } else if (what === 3 || what === 4) {
        const handle = pick();
        const addresses = model.get(handle) as number[];
        const offset = below(addresses.length + 2);
        const length = below(Math.min(4097, addresses.length - Math.min(offset, addresses.length) + 2));
        const inside = offset + length <= addresses.length;
        const data = Uint8Array.from({ length }, () => below(256));
        if (what === 3) {
          assert.is(caps.bufferWrite(handle, BigInt(offset), data) === 0, inside);
          if (inside) for (const [i, byte] of data.entries()) memory[addresses[offset + i] as number] = byte;
        } else {
          assert.is(caps.bufferRead(handle, BigInt(offset), data) === 0, inside);
          if (inside)
            assert.equal(
              [...data],
              addresses.slice(offset, offset + length).map((at) => memory[at]),
            );
        }
      } else if (what === 5) copyOne(caps, model, memory, pick(), pick(), below);
      else if (stale.length > 0) faults(() => caps.bufferDestroy(stale[below(stale.length)] as number));
    }
    assert.equal(readMemory(guest, 0n, RAM_BYTES), memory, `seed ${seed}`);
  }
});

/** A copy whose source and destination do not meet, so that order does not matter; overlaps have their own test. */
function copyOne(
  caps: ReturnType<typeof device>["caps"],
  model: Model,
  memory: Uint8Array,
  to: number,
  from: number,
  below: (limit: number) => number,
): void {
  const [target, source] = [model.get(to) as number[], model.get(from) as number[]];
  const [rows, rowBytes] = [below(6), below(3000)];
  const [toStride, fromStride] = [below(3500), below(3500)];
  const [toAt, fromAt] = [below(target.length + 1), below(source.length + 1)];
  const last = (stride: number): number => (rows === 0 || rowBytes === 0 ? 0 : (rows - 1) * stride + rowBytes);
  const inside = toAt + last(toStride) <= target.length && fromAt + last(fromStride) <= source.length;
  const read = new Set<number>();
  const written = new Set<number>();
  for (let row = 0; inside && row < rows; row++) {
    for (let i = 0; i < rowBytes; i++) {
      read.add(source[fromAt + row * fromStride + i] as number);
      written.add(target[toAt + row * toStride + i] as number);
    }
  }
  if ([...written].some((at) => read.has(at))) return;
  const answer = caps.bufferCopy(to, BigInt(toAt), toStride, from, BigInt(fromAt), fromStride, rowBytes, rows);
  assert.is(answer === 0, inside);
  for (let row = 0; inside && row < rows; row++) {
    for (let i = 0; i < rowBytes; i++) {
      memory[target[toAt + row * toStride + i] as number] =
        memory[source[fromAt + row * fromStride + i] as number] ?? 0;
    }
  }
}

/** Pieces as runs of addresses that do not touch. */
function runs(addresses: number[], cuts: number[] = []): number[] {
  const lengths: number[] = [];
  for (const [i, at] of addresses.entries()) {
    if (i > 0 && at === (addresses[i - 1] as number) + 1 && !cuts.includes(i))
      (lengths[lengths.length - 1] as number)++;
    else lengths.push(1);
  }
  return lengths;
}

/** The addresses with the pieces behind them; undefined where a middle one is short. */
function joined(before: number[], pieces: [number, number][]): number[] | undefined {
  let all = before;
  for (const [gpa, bytes] of pieces) {
    const lengths = runs(all);
    const touches = all.length > 0 && gpa === (all[all.length - 1] as number) + 1;
    if (!touches && lengths.length > 1 && (lengths[lengths.length - 1] as number) < 4096) return undefined;
    all = [...all, ...Array.from({ length: bytes }, (_, i) => gpa + i)];
  }
  return all;
}

function fits(others: Model, one: number[] | undefined): boolean {
  const all = [...others.values(), one ?? []];
  const bytes = all.reduce((sum, addresses) => sum + addresses.length, 0);
  return bytes <= 0x40000 && all.reduce((sum, addresses) => sum + runs(addresses).length, 0) <= 24;
}

test("rows that overlap within one buffer: the first row first, each as memmove", () => {
  const { caps, guest, bytes } = device();
  const buffer = caps.bufferCreate(list([0, RAM_BYTES]));
  const memory = bytes.slice();
  for (const [to, from, stride, row, rows] of [
    [100, 37, 1000, 900, 5],
    [37, 100, 1000, 900, 5],
    [4000, 4100, 0, 20000, 3],
    [4100, 4000, 1, 20000, 3],
  ] as const) {
    assert.is(caps.bufferCopy(buffer, BigInt(to), stride, buffer, BigInt(from), stride, row, rows), 0);
    for (let i = 0; i < rows; i++) memory.copyWithin(to + i * stride, from + i * stride, from + i * stride + row);
  }
  assert.equal(readMemory(guest, 0n, RAM_BYTES), memory);
  faults(() => caps.bufferCopy(buffer, 0n, 0, buffer, 0n, 0, 65537, 1));
  faults(() => caps.bufferCopy(buffer, 0n, 0, buffer, 0n, 0, 1, 65537));
  faults(() => caps.bufferCopy(buffer, 0n, 0, buffer, 0n, 0, 0x10000, 0x10000));
  assert.is(caps.bufferCopy(buffer, 1n, 0xffffffff, buffer, 0n, 0, 1, 65536), REFUSED);
});

test("interrupts beyond the promise are a fault, and a new second begins anew", () => {
  const { world, device: one } = attached({ manifest: { quotas: { interruptsPerSecond: 3 } } });
  const caps = one.capabilities();
  for (let i = 0; i < 3; i++) assert.ok(caps.irqRaise(0) >= 0);
  assert.throws(
    () => caps.irqRaise(0),
    (error: unknown) => error instanceof ModuleFault && error.fault === 8,
  );
  world.timeNs += 1_000_000_000n;
  assert.ok(caps.irqRaise(0) >= 0);
});

test.run();
