// SPDX-License-Identifier: MIT
//
// Capability "work": copies by the copy engine, in the loop's background part. What is asked for is done byte for byte,
// in order, in slices between which traps are answered; what goes wrong ends one workload or one vGPU and nobody
// else's.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { addMemory, type Domain, readMemory, writeMemory } from "../../host/sim/domain.js";
import { configWrite, memoryRead } from "../../host/sim/guest.js";
import { ModuleFault } from "../../host/sim/module.js";
import { settle, step, type World } from "../../host/sim/world.js";
import { storeRead } from "../../host/sim/xenstore.js";
import { attached, GUEST, probe, request, specify, stat, vgpuNode } from "./support.js";

const CAPABILITIES = ["irq", "scanout", "log", "memory", "buffer", "work"];
const FUEL = { attach: 1000, reset: 1000, barRead: 1000, barWrite: 1000, event: 1000, workDone: 1000 };
const [OK, REFUSED, BUSY] = [0, 2, 3];
const [DONE, FAILED, CANCELLED] = [0, 1, 2];
const RAM_PAGES = 256;

function list(...pieces: [gpa: number, bytes: number][]): Uint8Array {
  const words = pieces.flatMap(([gpa, bytes]) => [BigInt(gpa), BigInt(bytes)]);
  return new Uint8Array(BigUint64Array.from(words).buffer);
}

function device(quotas: object = {}) {
  const all = attached({ manifest: { capabilities: CAPABILITIES, quotas, fuel: FUEL } });
  addMemory(all.guest, 0n, RAM_PAGES);
  const bytes = Uint8Array.from({ length: RAM_PAGES * 4096 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  writeMemory(all.guest, 0n, bytes);
  const ended: [bigint, number][] = [];
  all.device.script.workDone = (cookie, status) => void ended.push([BigInt.asUintN(64, cookie), status]);
  const caps = all.device.capabilities();
  const half = (RAM_PAGES / 2) * 4096;
  return {
    ...all,
    bytes,
    caps,
    ended,
    src: caps.bufferCreate(list([0, half])),
    dst: caps.bufferCreate(list([half, half])),
    half,
  };
}

function faults(run: () => unknown): void {
  assert.throws(run, (error: unknown) => error instanceof ModuleFault && error.fault === 7);
}

test("a copy of rows is done in the background, and the module is told", () => {
  const { caps, world, guest, bytes, ended, src, dst, half } = device();
  assert.is(caps.workCopy(0, 0xfedcba9876543210n, dst, 100n, 1000, src, 7n, 600, 300, 50), OK);
  assert.is(ended.length, 0, "not before the loop goes on");
  settle(world);
  assert.equal(ended, [[0xfedcba9876543210n, DONE]]);
  for (let row = 0; row < 50; row++) {
    const seen = readMemory(guest, BigInt(half + 100 + row * 1000), 300);
    assert.equal(seen, bytes.slice(7 + row * 600, 307 + row * 600));
  }
  assert.is(readMemory(guest, BigInt(half + 99), 1)?.[0], bytes[half + 99]);
  assert.is(readMemory(guest, BigInt(half + 400), 1)?.[0], bytes[half + 400]);
});

test("rows without gaps, in scattered pieces on both sides: the same bytes as one row after the other", () => {
  const { caps, world, guest, bytes, ended, half } = device();
  const from = caps.bufferCreate(list([0x3000, 0x2800], [0x8000, 0x1000], [0x1000, 0x1800]));
  const to = caps.bufferCreate(list([half + 0x5000, 0x1000], [half, 0x4000]));
  assert.is(caps.workCopy(0, 1n, to, 16n, 640, from, 8n, 640, 640, 31), OK);
  settle(world);
  assert.equal(ended, [[1n, DONE]]);
  const source = [bytes.slice(0x3000, 0x5800), bytes.slice(0x8000, 0x9000), bytes.slice(0x1000, 0x2800)];
  const wanted = Buffer.concat(source).subarray(8, 8 + 640 * 31);
  const first = readMemory(guest, BigInt(half + 0x5010), 0xff0) as Uint8Array;
  const second = readMemory(guest, BigInt(half), 640 * 31 - 0xff0) as Uint8Array;
  assert.equal(Buffer.concat([first, second]), wanted);
});

test("a fence ends after all that was asked for before it", () => {
  const { caps, world, ended, src, dst } = device();
  caps.workCopy(0, 1n, dst, 0n, 4096, src, 0n, 4096, 4096, 100);
  caps.workFence(0, 2n);
  caps.workCopy(0, 3n, dst, 0n, 0, src, 0n, 0, 0, 0);
  caps.workFence(0, 4n);
  settle(world);
  assert.equal(
    ended,
    [1n, 2n, 3n, 4n].map((cookie) => [cookie, DONE]),
  );
});

test("a big copy runs in slices, traps are answered in between", () => {
  const { caps, world, guest, ended, src, dst, half } = device();
  caps.workCopy(0, 1n, dst, 0n, 4096, src, 0n, 4096, 4096, half / 4096);
  let steps = 0;
  for (; ended.length === 0; steps++) {
    assert.ok(step(world) || ended.length > 0);
    assert.is(memoryRead(world, guest, 0xf0000000n, 4), 0xffffffffn);
  }
  assert.ok(steps >= half / 131072, `only ${steps} slices for ${half} bytes`);
});

test("the queue has the promised length; then: busy, and room after the next end", () => {
  const { caps, world, ended } = device({ workloads: 3 });
  for (const cookie of [1n, 2n, 3n]) assert.is(caps.workFence(0, cookie), OK);
  assert.is(caps.workFence(0, 4n), BUSY);
  settle(world);
  assert.is(ended.length, 3);
  assert.is(caps.workFence(0, 5n), OK);
});

test("rows that leave a buffer are refused, to the last byte", () => {
  const { caps, world, src, dst, half } = device();
  const size = BigInt(half);
  for (const [dstAt, dstStride, srcAt, srcStride, row, rows] of [
    [size - 9n, 0, 0n, 0, 10, 1],
    [0n, 0, size - 9n, 0, 10, 1],
    [0n, half - 9, 0n, 0, 10, 2],
    [0n, 0, 0n, half - 9, 10, 2],
    [0xffffffffffffffffn, 0, 0n, 0, 1, 1],
    [0n, 0xffffffff, 0n, 0xffffffff, 1, 0xffffffff],
    [0n, 0, 0n, 0, 0xffffffff, 0xffffffff],
  ] as const) {
    assert.is(caps.workCopy(0, 1n, dst, dstAt, dstStride, src, srcAt, srcStride, row, rows), REFUSED);
  }
  assert.is(caps.workCopy(0, 1n, dst, size - 10n, 0, src, size - 10n, 0, 10, 1), OK);
  assert.is(stat(world).get("refused"), "7");
});

test("an engine or a buffer that is none is a fault; so is a foreign one, and no capability", () => {
  const { caps, world, src, dst } = device();
  faults(() => caps.workFence(1, 0n));
  faults(() => caps.workFence(0xffffffff, 0n));
  assert.is(specify(world, "module=probe guest=pvh slot=2", 1), "ready");
  const foreign = world.core.buffer_create(1, 0);
  for (const bad of [0, dst + 1, foreign, -1]) {
    faults(() => caps.workCopy(0, 0n, bad, 0n, 0, src, 0n, 0, 1, 1));
    faults(() => caps.workCopy(0, 0n, dst, 0n, 0, bad, 0n, 0, 1, 1));
  }
  const plain = attached({ manifest: { capabilities: ["buffer"] } });
  faults(() => plain.device.capabilities().workFence(0, 0n));
});

test("a buffer destroyed, or RAM gone, before its turn: that workload failed, the next is done", () => {
  const { caps, world, guest, ended, src, dst, half } = device();
  const gone = caps.bufferCreate(list([0x4000, 0x1000]));
  caps.workCopy(0, 1n, dst, 0n, 0, gone, 0n, 0, 16, 1);
  caps.workCopy(0, 2n, dst, 0n, 0, src, 0n, 0, 16, 1);
  caps.bufferDestroy(gone);
  settle(world);
  assert.equal(ended, [
    [1n, FAILED],
    [2n, DONE],
  ]);
  guest.frames.delete(BigInt(half >> 12));
  caps.workCopy(0, 3n, dst, 0n, 0, src, 0n, 0, 16, 1);
  caps.workCopy(0, 4n, dst, 4096n, 0, src, 0n, 0, 16, 1);
  settle(world);
  assert.equal(ended.slice(2), [
    [3n, FAILED],
    [4n, DONE],
  ]);
});

/** In the middle of a copy of 128 pages, another one waiting. */
function midway(): ReturnType<typeof device> {
  const all = device();
  all.caps.workCopy(0, 1n, all.dst, 0n, 4096, all.src, 0n, 4096, 4096, 128);
  all.caps.workFence(0, 2n);
  for (let i = 0; i < 2; i++) step(all.world);
  assert.is(all.ended.length, 0);
  return all;
}

test("a reset in the middle cancels what runs and what waits, and says so", () => {
  const { world, ended, device: one } = midway();
  assert.is(request(world, "7 reset 7 0"), "7 ok");
  settle(world);
  assert.equal(ended, [
    [1n, CANCELLED],
    [2n, CANCELLED],
  ]);
  assert.is(one.capabilities().workFence(0, 3n), OK);
  settle(world);
  assert.equal(ended[2], [3n, DONE]);
});

test("a vGPU that is lost in the middle is told nothing, and can be reset", () => {
  const { world, guest, ended, device: one } = midway();
  one.script.barRead = () => {
    throw new ModuleFault(1);
  };
  memoryReadBar(world, guest);
  assert.is(vgpuNode(world, "state"), "lost");
  settle(world);
  assert.is(ended.length, 0);
  assert.is(request(world, "7 reset 7 0"), "7 ok");
  assert.is(one.capabilities().workFence(0, 3n), OK);
  settle(world);
  assert.equal(ended, [[3n, DONE]]);
});

test("a module that faults in work_done is lost; another vGPU's copies go on", () => {
  const { world, caps, device: one } = device();
  const other = probe({ capabilities: CAPABILITIES, fuel: FUEL });
  assert.ok(other);
  assert.is(specify(world, "module=probe guest=pvh slot=2", 1), "ready");
  one.script.workDone = (cookie) => {
    if (cookie === 1n) throw new ModuleFault(1);
  };
  assert.is(world.core.work_fence(1, 0, 9n), OK);
  caps.workFence(0, 2n);
  assert.is(world.core.work_fence(1, 0, 1n), OK);
  settle(world);
  assert.is(vgpuNode(world, "state", 1), "lost");
  assert.match(vgpuNode(world, "error", 1) ?? "", /work_done/);
  assert.is(vgpuNode(world, "state", 0), "ready");
});

/** A reach of 28 KiB is 7 pages on each side: 3.2 s of the engine; two are more than any workload may take. */
const SLOW_PAGE_NS = 228_571_428n;
const REACH = 28672;

/** From now on the copy engine takes so long for each page that it reaches for. */
function slow(world: World, guest: Domain): void {
  const get = guest.frames.get.bind(guest.frames);
  guest.frames.get = (gfn) => {
    world.timeNs += SLOW_PAGE_NS;
    return get(gfn);
  };
}

test("a workload that takes more engine time than any may loses its vGPU by name; the other's work goes on", () => {
  const { world, guest, caps, ended, src, dst, half } = device();
  assert.is(specify(world, "module=probe guest=pvh slot=2", 1), "ready");
  slow(world, guest);
  caps.workCopy(0, 1n, dst, 0n, 0, src, 0n, 0, REACH, 1);
  settle(world);
  assert.equal(ended, [[1n, DONE]], "3.2 s: no more than any may");
  assert.is(stat(world).get("recent_engine_timeouts"), "0");
  caps.workCopy(0, 2n, dst, 0n, 0, src, 0n, 0, half, 1);
  assert.is(world.core.work_fence(1, 0, 3n), OK);
  settle(world);
  assert.is(vgpuNode(world, "state", 0), "lost");
  assert.is(vgpuNode(world, "error", 0), "guest 7 vgpu 0: a workload took more engine time than any may");
  assert.equal(ended.slice(1), [[3n, DONE]]);
  assert.is(vgpuNode(world, "state", 1), "ready");
  assert.is(stat(world).get("recent_engine_timeouts"), "1");
});

test("the third one within the window leads to quarantine", () => {
  const { world, guest, device: one, half } = device();
  const why = (): string | undefined => storeRead(world.store, `data/glovebox/quarantine/${GUEST}`);
  slow(world, guest);
  for (const turn of [1, 2, 3]) {
    assert.is(why(), undefined, `before the ${turn}th`);
    const caps = one.capabilities();
    const [from, to] = [0, half].map((at) => caps.bufferCreate(list([at, half]))) as [number, number];
    caps.workCopy(0, 1n, to, 0n, 0, from, 0n, 0, half, 1);
    settle(world);
    assert.is(vgpuNode(world, "state"), "lost");
    if (turn < 3) assert.is(request(world, "7 reset 7 0"), "7 ok");
  }
  assert.is(why(), "3 engine_timeouts within 60000 ms");
  assert.match(request(world, "7 reset 7 0") ?? "", /is in quarantine \(3 engine_timeouts within 60000 ms\)/);
});

test("a vGPU detached in the middle leaves an engine that serves the next", () => {
  const { world } = midway();
  assert.is(specify(world, ""), undefined);
  assert.is(specify(world, "module=probe guest=pvh"), "ready");
  assert.is(world.core.work_fence(0, 0, 5n), OK);
  settle(world);
});

function memoryReadBar(world: World, guest: Parameters<typeof memoryRead>[1]): void {
  // BAR 0 of the probe, unmapped after power-on, is mapped by configuration space first
  configure(world, guest);
  memoryRead(world, guest, 0xe0000000n, 4);
  settle(world);
}

function configure(world: World, guest: Parameters<typeof memoryRead>[1]): void {
  configWrite(world, guest, 1, 0x10, 4, 0xe0000000);
  configWrite(world, guest, 1, 0x04, 2, 2);
}

test.run();
