// SPDX-License-Identifier: MIT
//
// The display as a stock driver meets it (Linux' drivers/gpu/drm/tiny/bochs.c does these accesses in this order), and
// as a hostile guest does: whatever is written, what is shown lies in VRAM.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { fuelByEntry } from "../../host/pipeline/manifest.js";
import { FORMAT_NONE, FORMAT_RGB565, FORMAT_RGB888, FORMAT_XRGB8888 } from "../../unikernel/abi/module.js";
import { type Asked, type Device, openModule, random } from "./host.js";

const FOLDER = "unikernel/modules/bochs-display";
const BAR = 2;
const ONES = 0xffffffffffffffffn;
const MIB = 1 << 20;

const DISPI = 0x500;
const [ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET, Y_OFFSET, MEMORY_64K] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
];

async function open(params: Record<string, number> = {}): Promise<Device> {
  const device = await openModule(FOLDER, params);
  assert.is(device.attach(), 0);
  device.asked.length = 0;
  return device;
}

const dispiRead = (device: Device, index: number): number => Number(device.read(BAR, DISPI + index * 2, 2));
const dispi = (device: Device, index: number, value: number): void => device.write(BAR, DISPI + index * 2, 2, value);
const vga = (device: Device, port: number, value: number): void => device.write(BAR, port - 0x3c0 + 0x400, 1, value);
const vgaRead = (device: Device, port: number): number => Number(device.read(BAR, port - 0x3c0 + 0x400, 1));

/** What scanout_set was asked since the last look. */
function scanouts(device: Device): Asked[] {
  return device.asked.splice(0).filter(([name]) => name === "scanout_set");
}

/** bochs_hw_blank */
function blank(device: Device, dark: boolean): void {
  vga(device, 0x3c2, 0x01);
  vgaRead(device, 0x3da);
  vga(device, 0x3c0, dark ? 0 : 0x20);
}

/** bochs_hw_setmode, bochs_hw_setbase */
function setMode(device: Device, width: number, height: number, bpp = 32): void {
  blank(device, false);
  dispi(device, ENABLE, 0);
  dispi(device, BPP, bpp);
  dispi(device, XRES, width);
  dispi(device, YRES, height);
  dispi(device, BANK, 0);
  dispi(device, VIRT_WIDTH, width);
  dispi(device, VIRT_HEIGHT, Math.floor((16 * MIB) / (width * 4)));
  dispi(device, X_OFFSET, 0);
  dispi(device, Y_OFFSET, 0);
  dispi(device, ENABLE, 0x41);
  dispi(device, VIRT_WIDTH, width);
  dispi(device, X_OFFSET, 0);
  dispi(device, Y_OFFSET, 0);
}

const set = (offset: number, width: number, height: number, stride: number, format: number): Asked => [
  "scanout_set",
  0,
  0,
  BigInt(offset),
  width,
  height,
  stride,
  format,
];

test("what bochs-drm probes: id, memory size, extended registers", async () => {
  const device = await open();
  assert.is(dispiRead(device, ID), 0xb0c5);
  assert.is(dispiRead(device, MEMORY_64K), 256);
  assert.is(device.read(BAR, 0x600, 4), 8n);
  assert.is(device.read(BAR, 0x604, 4), 0x1e1e1e1en);
  device.write(BAR, 0x604, 4, 0x1e1e1e1e);
  assert.equal(device.asked, []);
  const big = await open({ vram_bytes: 256 * MIB });
  assert.is(dispiRead(big, MEMORY_64K), 4096);
});

test("VRAM that is no power of two is refused at attach", async () => {
  for (const bytes of [4 * MIB + 4096, 3 * MIB, 255 * MIB]) {
    assert.is.not((await openModule(FOLDER, { vram_bytes: bytes })).attach(), 0);
  }
});

test("a mode set shows exactly one picture", async () => {
  const device = await open();
  setMode(device, 1024, 768);
  assert.equal(scanouts(device), [set(0, 1024, 768, 4096, FORMAT_XRGB8888)]);
});

test("a second mode: off, then the new picture", async () => {
  const device = await open();
  setMode(device, 1024, 768);
  scanouts(device);
  setMode(device, 800, 600);
  assert.equal(scanouts(device), [set(0, 0, 0, 0, FORMAT_NONE), set(0, 800, 600, 3200, FORMAT_XRGB8888)]);
});

test("24 and 16 bits a pixel; 8 and 15 show nothing", async () => {
  for (const [bpp, bytes, format] of [
    [24, 3, FORMAT_RGB888],
    [16, 2, FORMAT_RGB565],
  ] as const) {
    const device = await open();
    setMode(device, 640, 480, bpp);
    assert.equal(scanouts(device), [set(0, 640, 480, 640 * bytes, format)]);
  }
  for (const bpp of [0, 1, 4, 8, 15, 33, 0xffff]) {
    const device = await open();
    setMode(device, 640, 480, bpp);
    assert.equal(scanouts(device), []);
  }
});

test("page flips move the offset", async () => {
  const device = await open();
  setMode(device, 1024, 768);
  scanouts(device);
  dispi(device, Y_OFFSET, 768);
  dispi(device, X_OFFSET, 8);
  assert.equal(scanouts(device), [
    set(768 * 4096, 1024, 768, 4096, FORMAT_XRGB8888),
    set(768 * 4096 + 32, 1024, 768, 4096, FORMAT_XRGB8888),
  ]);
});

test("a framebuffer wider than the picture sets the stride; a narrower one does not", async () => {
  const device = await open();
  setMode(device, 1024, 768);
  scanouts(device);
  dispi(device, VIRT_WIDTH, 2048);
  dispi(device, VIRT_WIDTH, 10);
  assert.equal(scanouts(device), [set(0, 1024, 768, 8192, FORMAT_XRGB8888), set(0, 1024, 768, 4096, FORMAT_XRGB8888)]);
});

test("blank darkens, unblank lights again", async () => {
  const device = await open();
  setMode(device, 1024, 768);
  scanouts(device);
  blank(device, true);
  blank(device, false);
  assert.equal(scanouts(device), [set(0, 0, 0, 0, FORMAT_NONE), set(0, 1024, 768, 4096, FORMAT_XRGB8888)]);
});

test("big-endian pixels are not shown, another byte order is ignored", async () => {
  const device = await open();
  setMode(device, 1024, 768);
  scanouts(device);
  device.write(BAR, 0x604, 4, 0xbebebebe);
  assert.is(device.read(BAR, 0x604, 4), 0xbebebeben);
  device.write(BAR, 0x604, 4, 0x12345678);
  device.write(BAR, 0x604, 2, 0x1e1e);
  assert.is(device.read(BAR, 0x604, 4), 0xbebebeben);
  device.write(BAR, 0x604, 4, 0x1e1e1e1e);
  assert.equal(scanouts(device), [set(0, 0, 0, 0, FORMAT_NONE), set(0, 1024, 768, 4096, FORMAT_XRGB8888)]);
});

test("the attribute controller: index and data take turns, 0x3da starts anew", async () => {
  const device = await open();
  vgaRead(device, 0x3da);
  vga(device, 0x3c0, 0x25);
  vga(device, 0x3c0, 0x3f);
  assert.is(vgaRead(device, 0x3c1), 0x3f);
  assert.is(vgaRead(device, 0x3c0), 0x25);
  vga(device, 0x3c0, 0x26);
  vgaRead(device, 0x3da);
  device.write(BAR, 0x400, 2, 0x00_25); // 0x3c0 takes the index, 0x3c1 takes nothing
  assert.is(vgaRead(device, 0x3c1), 0x3f);
  vga(device, 0x3c2, 0x67);
  assert.is(vgaRead(device, 0x3cc), 0x67);
});

test("input status 1 changes, so that no wait for a retrace is endless", async () => {
  const device = await open();
  const seen = new Set([1, 2, 3, 4].map(() => vgaRead(device, 0x3da) & 8));
  assert.is(seen.size, 2);
});

test("the last row that fits is shown, one more is not", async () => {
  const device = await open({ vram_bytes: 4 * MIB });
  setMode(device, 1024, 1024);
  assert.equal(scanouts(device), [set(0, 1024, 1024, 4096, FORMAT_XRGB8888)]);
  dispi(device, Y_OFFSET, 1);
  dispi(device, Y_OFFSET, 0);
  dispi(device, X_OFFSET, 1);
  dispi(device, X_OFFSET, 0);
  dispi(device, YRES, 1025);
  const on = set(0, 1024, 1024, 4096, FORMAT_XRGB8888);
  const off = set(0, 0, 0, 0, FORMAT_NONE);
  assert.equal(scanouts(device), [off, on, off, on, off]);
});

test("a reset switches off and forgets", async () => {
  const device = await open();
  setMode(device, 1024, 768);
  scanouts(device);
  device.reset();
  assert.equal(scanouts(device), [set(0, 0, 0, 0, FORMAT_NONE)]);
  assert.is(dispiRead(device, XRES), 0);
  assert.is(dispiRead(device, MEMORY_64K), 256);
});

test("registers that only read, and capabilities", async () => {
  const device = await open();
  dispi(device, ID, 0xb0c0);
  dispi(device, MEMORY_64K, 1);
  assert.is(dispiRead(device, ID), 0xb0c5);
  assert.is(dispiRead(device, MEMORY_64K), 256);
  dispi(device, XRES, 640);
  dispi(device, ENABLE, 2);
  assert.equal(
    [XRES, YRES, BPP].map((one) => dispiRead(device, one)),
    [16000, 12000, 32],
  );
  dispi(device, ENABLE, 0);
  assert.is(dispiRead(device, XRES), 640);
});

test("any size and alignment: 32 bits are two registers, a byte is half of one", async () => {
  const device = await open();
  device.write(BAR, DISPI + 2, 4, 0x0300_0400);
  assert.equal([dispiRead(device, XRES), dispiRead(device, YRES)], [0x400, 0x300]);
  device.write(BAR, DISPI + 3, 1, 0x05);
  assert.is(dispiRead(device, XRES), 0x500);
  assert.is(device.read(BAR, DISPI + 2, 4), 0x0300_0500n);
  device.write(BAR, DISPI, 8, 0xffff_ffff_ffff_ffffn);
  assert.is(dispiRead(device, ID), 0xb0c5);
  assert.is(dispiRead(device, BPP), 0xffff);
});

test("what is not there reads all ones and takes any write", async () => {
  const device = await open();
  for (const [bar, offset, size] of [
    [2, 0x420, 1],
    [2, 0x516, 2],
    [2, 0x608, 4],
    [2, 0xfff, 1],
    [2, 0x514, 4],
    [2, 0x41e, 4],
    [2, 0x3fc, 8],
    [2, 0xffffffff, 8],
    [2, 0x500, 3],
    [2, 0x500, 0xffffffff],
    [0, 0, 4],
    [1, 0, 4],
    [0xffffffff, 0x500, 2],
  ] as const) {
    assert.is(device.read(bar, offset, size), ONES, `bar ${bar} offset ${offset} size ${size}`);
    device.write(bar, offset, size, ONES);
  }
  assert.equal(device.asked, []);
});

// --- EDID ---

async function edid(params: Record<string, number> = {}): Promise<Uint8Array> {
  const device = await open(params);
  return Uint8Array.from({ length: 128 }, (_, at) => Number(device.read(BAR, at, 1)));
}

test("the EDID block: header, version, checksum; nothing behind it", async () => {
  const device = await open();
  const bytes = await edid();
  assert.equal([...bytes.subarray(0, 8)], [0, 255, 255, 255, 255, 255, 255, 0]);
  assert.equal([bytes[18], bytes[19]], [1, 4]);
  assert.is(bytes.reduce((sum, one) => sum + one, 0) & 0xff, 0);
  assert.is(bytes[126], 0);
  assert.is(device.read(BAR, 0, 8), 0x00ffffffffffff00n);
  assert.is(device.read(BAR, 128, 8), 0n);
  assert.is(device.read(BAR, 0x3f8, 8), 0n);
  device.write(BAR, 8, 4, 0);
  assert.equal([...(await edid())], [...bytes]);
});

/** The preferred timing, decoded by the standard's table 3.21. */
function timing(bytes: Uint8Array): { clock: number; width: number; height: number; hBlank: number; vBlank: number } {
  const at = (index: number): number => bytes[54 + index] ?? 0;
  return {
    clock: (at(0) | (at(1) << 8)) * 10_000,
    width: at(2) | ((at(4) >> 4) << 8),
    hBlank: at(3) | ((at(4) & 15) << 8),
    height: at(5) | ((at(7) >> 4) << 8),
    vBlank: at(6) | ((at(7) & 15) << 8),
  };
}

test("the preferred mode is what the operator set, at 60 Hz, for every size allowed", async () => {
  for (const [width, height] of [
    [640, 480],
    [1024, 768],
    [1920, 1080],
    [3840, 2160],
    [3840, 2400],
    [3840, 480],
    [641, 2399],
  ] as const) {
    const bytes = await edid({ width, height });
    const mode = timing(bytes);
    assert.equal([mode.width, mode.height], [width, height]);
    // CVT rounds the clock down to 250 kHz.
    const missing = 60 * (width + mode.hBlank) * (height + mode.vBlank) - mode.clock;
    assert.ok(missing >= 0 && missing < 250_000, `${width}x${height}: ${mode.clock} Hz`);
    assert.ok(mode.vBlank / (60 * (height + mode.vBlank)) >= 459e-6, `${width}x${height}: blanking too short`);
    assert.is(bytes.reduce((sum, one) => sum + one, 0) & 0xff, 0);
  }
});

test("1024x768 and 1920x1080 are CVT's own numbers", async () => {
  assert.equal(timing(await edid({ width: 1024, height: 768 })), {
    clock: 56_000_000,
    width: 1024,
    height: 768,
    hBlank: 160,
    vBlank: 22,
  });
  assert.equal(timing(await edid({ width: 1920, height: 1080 })), {
    clock: 138_500_000,
    width: 1920,
    height: 1080,
    hBlank: 160,
    vBlank: 31,
  });
});

// --- hostile ---

function isInside(device: Device, [, , bar, offset, width, height, stride, format]: Asked, vram: number): void {
  if (format === FORMAT_NONE) return;
  const bytes = { [FORMAT_XRGB8888]: 4, [FORMAT_RGB888]: 3, [FORMAT_RGB565]: 2 }[Number(format)];
  assert.ok(bytes !== undefined);
  assert.is(bar, 0);
  assert.ok(Number(stride) >= Number(width) * Number(bytes));
  assert.ok(
    Number(offset) + Number(stride) * Number(height) <= vram,
    JSON.stringify([...device.asked], (_, v) => String(v)),
  );
}

test("30000 random accesses: nothing outside VRAM is shown, fuel stays within the manifest", async () => {
  const vram = 4 * MIB;
  const device = await open({ vram_bytes: vram });
  const [, , readFuel = 0, writeFuel = 0] = fuelByEntry(device.manifest);
  const next = random(1111);
  const sizes = [1, 2, 4, 8, 3, 0];
  let shown = 0;
  for (let round = 0; round < 30_000; round++) {
    if (round % 16 === 0) setMode(device, 640 + (next() % 64), 480 + (next() % 64), 16 + 8 * (next() % 3));
    const offset = next() % 3 === 0 ? next() % 0x700 : DISPI + (next() % 24);
    const size = sizes[next() % sizes.length] ?? 1;
    device.write(BAR, offset, size, hostile(next));
    assert.ok(device.fuelUsed() <= writeFuel, `a write took ${device.fuelUsed()} fuel`);
    device.read(BAR, offset, size);
    assert.ok(device.fuelUsed() <= readFuel, `a read took ${device.fuelUsed()} fuel`);
    for (const asked of scanouts(device)) {
      isInside(device, asked, vram);
      shown += asked[7] === FORMAT_NONE ? 0 : 1;
    }
  }
  assert.ok(shown > 10, `only ${shown} pictures: the stream is too tame`);
});

function hostile(next: () => number): bigint {
  const favourites = [0n, 1n, 0x41n, 32n, 24n, 16n, 64n, 640n, 480n, 1024n, 16000n, 12000n, 0x7fffn, 0xffffn, ONES];
  return next() % 4 === 0 ? BigInt(next()) : (favourites[next() % favourites.length] ?? 0n);
}

test("attach, reads and mode sets stay within a quarter of their fuel", async () => {
  const device = await openModule(FOLDER, { width: 3840, height: 2400, vram_bytes: 256 * MIB });
  const [attachFuel = 0, , readFuel = 0, writeFuel = 0] = fuelByEntry(device.manifest);
  device.attach();
  assert.ok(device.fuelUsed() * 4 <= attachFuel, `attach took ${device.fuelUsed()}`);
  dispiRead(device, ID);
  assert.ok(device.fuelUsed() * 4 <= readFuel, `a read took ${device.fuelUsed()}`);
  setMode(device, 3840, 2400);
  dispi(device, ENABLE, 0);
  assert.ok(device.fuelUsed() * 4 <= writeFuel, `a write took ${device.fuelUsed()}`);
});

test.run();
