// SPDX-License-Identifier: MIT
//
// Requests from Dom0: figures, CRC, reading a picture and the trace through the share; malformed ones; what happens
// when the picture changes, the peer keeps its mapping, or a call underneath fails.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../host/sim/crc32.js";
import { writeMemory } from "../../host/sim/domain.js";
import { failNth } from "../../host/sim/faults.js";
import { configWrite, memoryRead, portRead, portWrite } from "../../host/sim/guest.js";
import { settle, step } from "../../host/sim/world.js";
import { storeRead, storeWrite } from "../../host/sim/xenstore.js";
import { random } from "./random.js";
import { attached, GUEST, machine, probe, request, SLOT, specify } from "./support.js";

const VRAM = 0xe0000000n;
const XR24 = 0x34325258;
const RG16 = 0x36314752;
const RAM_BYTES = 0x400000;

const next = random(5);
const NOISE = Uint8Array.from({ length: RAM_BYTES }, () => next(256));

/** A vGPU whose 4 MiB are mapped and full of noise; its pictures are what scanout_set says. */
function shown() {
  const all = attached({ spec: `module=probe guest=pvh ram_bytes=${RAM_BYTES}` });
  configWrite(all.world, all.guest, SLOT, 0x18, 4, Number(VRAM));
  configWrite(all.world, all.guest, SLOT, 0x04, 2, 2);
  writeMemory(all.guest, VRAM, NOISE);
  const set = (scanout: number, offset: number, width: number, height: number, stride: number, format = XR24) =>
    all.world.core.scanout_set(0, scanout, 2, BigInt(offset), width, height, stride, format);
  return { ...all, vram: NOISE, set };
}

/** Rows without the gaps between them. */
function packed(vram: Uint8Array, offset: number, rowBytes: number, height: number, stride: number): Uint8Array {
  const rows = Array.from({ length: height }, (_, y) =>
    vram.subarray(offset + y * stride, offset + y * stride + rowBytes),
  );
  return new Uint8Array(Buffer.concat(rows));
}

const hex = (value: number) => value.toString(16).padStart(8, "0");

test("malformed requests get an answer with their number", () => {
  const { world } = shown();
  const cases: [string, RegExp][] = [
    ["hello", /^0 error malformed request: it begins with a decimal number$/],
    ["99999999999999999999 stat", /^0 error malformed request/],
    ["5", /^5 error malformed request: no verb ""$/],
    ["5 dance", /^5 error malformed request: no verb "dance"$/],
    ["5 crc", /^5 error malformed request: guest must be 0 to 32751$/],
    ["5 crc x", /^5 error malformed request: guest must be/],
    ["5 crc 7", /^5 error malformed request: vgpu must be/],
    ["5 crc 7 0", /^5 error malformed request: scanout must be/],
    ["5 crc 7 0 0", /^5 error scanout off: 0$/],
    ["5 crc 7 0 0 0", /^5 error malformed request: "0" is too much$/],
    ["5 crc 6 0 0", /^5 error no such guest: 6$/],
    ["5 crc 7 1 0", /^5 error no such vGPU: guest 7 has no vgpu 1$/],
    ["5 crc 7 9 0", /^5 error no such vGPU/],
    ["5 crc 7 0 2", /^5 error no such scanout: 2, there are 2$/],
    ["5 stat 7 0 1", /^5 error malformed request: "1" is too much$/],
    ["5 release 1", /^5 error malformed request: "1" is too much$/],
    ["5 trace 0", /^5 error malformed request: peer must be/],
    ["5 trace 4097 0", /^5 error malformed request: offset must be 0 to 4096$/],
    [`5 stat ${"7".repeat(260)}`, /^0 error request too long$/],
  ];
  for (const [text, answer] of cases) assert.match(request(world, text) ?? "", answer, text);
  assert.is(request(world, "6 release\n"), "6 ok");
});

test("random requests never stop the domain", () => {
  const { world, set } = shown();
  set(0, 0, 64, 64, 256);
  const next = random(11);
  const words = [
    "1",
    "7",
    "0",
    "stat",
    "crc",
    "read",
    "trace",
    "release",
    "reset",
    "-1",
    "99999999999999999999",
    "x",
    "\n",
  ];
  for (let i = 0; i < 500; i++) {
    const text = Array.from({ length: 1 + next(7) }, () => words[next(words.length)]).join(" ");
    assert.match(request(world, text) ?? "", /^\d+ (ok|error)/, text);
  }
});

test("crc: of the visible bytes of each row, whatever stride and offset", () => {
  const { world, vram, set } = shown();
  const cases: [number, number, number, number, number, number][] = [
    [0, 640, 480, 2560, XR24, 4],
    [0x1000, 1, 1, 4, XR24, 4],
    [12, 33, 77, 4096, XR24, 4],
    [0x3000, 1000, 700, 2002, RG16, 2],
    [RAM_BYTES - 4, 1, 1, 4, XR24, 4],
    [0, 1024, 1024, 4096, XR24, 4],
  ];
  for (const [offset, width, height, stride, format, pixel] of cases) {
    assert.is(set(1, offset, width, height, stride, format), 0);
    const expected = hex(crc32(packed(vram, offset, width * pixel, height, stride)));
    const name = format === XR24 ? "XR24" : "RG16";
    assert.is(
      request(world, `2 crc ${GUEST} 0 1`),
      `2 ok crc32=${expected} width=${width} height=${height} stride=${stride} format=${name}`,
    );
  }
});

test("a big picture is looked at in slices, and traps are served in between", () => {
  const { world, guest, set, vram, device } = shown();
  configWrite(world, guest, SLOT, 0x10, 4, 0xf0000000);
  set(0, 0, 1024, 1024, 4096);
  storeWrite(world.store, "data/glovebox/request", `3 crc ${GUEST} 0 0`);
  let slices = 0;
  let last = world.faults.calls.get("guest_crc32") ?? 0;
  while (step(world)) {
    const now = world.faults.calls.get("guest_crc32") ?? 0;
    assert.ok(now - last <= 1, "one slice a step");
    if (now !== last) slices++;
    last = now;
    assert.is(memoryRead(world, guest, 0xf0000000n, 4), 0x11111111n);
  }
  assert.is(slices, 64);
  assert.ok(device.calls.length > 64);
  assert.match(storeRead(world.store, "data/glovebox/reply") ?? "", new RegExp(`crc32=${hex(crc32(vram))}`));
});

test("a picture that changes while it is looked at is an error, not a picture", () => {
  for (const change of ["set", "off", "lost", "detached", "again"]) {
    const all = shown();
    all.set(0, 0, 1024, 1024, 4096);
    storeWrite(all.world.store, "data/glovebox/request", `3 crc ${GUEST} 0 0`);
    while ((all.world.faults.calls.get("guest_crc32") ?? 0) < 3) step(all.world);
    if (change === "set") all.set(0, 0, 1024, 1024, 4096);
    if (change === "off") all.set(0, 0, 0, 0, 0, 0);
    if (change === "lost") all.device.script.event = () => void all.device.capabilities().irqRaise(99);
    if (change === "lost") configWrite(all.world, all.guest, SLOT, 0x04, 2, 6);
    if (change === "detached") storeWrite(all.world.store, `data/glovebox/vgpu/${GUEST}/0`, "");
    if (change === "again")
      storeWrite(all.world.store, `data/glovebox/vgpu/${GUEST}/0`, "module=probe guest=pvh slot=2");
    settle(all.world);
    assert.is(storeRead(all.world.store, "data/glovebox/reply"), "3 error scanout changed while it was read", change);
  }
});

test("a new request ends the one before", () => {
  const { world, set } = shown();
  set(0, 0, 1024, 1024, 4096);
  storeWrite(world.store, "data/glovebox/request", `3 crc ${GUEST} 0 0`);
  while ((world.faults.calls.get("guest_crc32") ?? 0) < 3) step(world);
  assert.match(request(world, "4 stat") ?? "", /^4 ok entry_ns=1 ready_ns=2 /);
  assert.ok((world.faults.calls.get("guest_crc32") ?? 0) <= 5);
});

test("read: the packed picture from any offset, at most 1 MiB, zeros behind it", () => {
  const { world, vram, set } = shown();
  world.shim.share.fill(0xaa);
  set(0, 64, 700, 500, 4096);
  const picture = packed(vram, 64, 2800, 500, 4096);
  for (const offset of [0, 1, 2799, 2800, 1_000_000, picture.length - 1]) {
    const bytes = Math.min(picture.length - offset, 1 << 20);
    const pages = Math.ceil(bytes / 4096);
    assert.is(
      request(world, `4 read ${GUEST} 0 0 ${offset} 0`),
      `4 ok gref=8 pages=${pages} bytes=${bytes} total=${picture.length} width=700 height=500 format=XR24`,
    );
    assert.is(Buffer.compare(world.shim.share.subarray(0, bytes), picture.subarray(offset, offset + bytes)), 0);
    assert.ok(world.shim.share.subarray(bytes, pages * 4096).every((byte) => byte === 0));
    assert.equal(world.shim.granted, { domid: 0, pages, mapped: false });
  }
  const beyond = `5 error offset beyond the picture: ${picture.length} of ${picture.length} bytes`;
  assert.is(request(world, `5 read ${GUEST} 0 0 ${picture.length} 0`), beyond);
  assert.is(world.shim.granted, undefined, "the grant ends with the next request");
});

test("nobody sees the share while it is filled, nor while the peer of the last request still maps it", () => {
  const { world, set } = shown();
  set(0, 0, 64, 64, 256);
  assert.match(request(world, `1 read ${GUEST} 0 0 0 5`) ?? "", /^1 ok gref=8 pages=4 /);
  assert.ok(world.shim.granted);
  world.shim.granted.mapped = true;
  for (const text of [`2 read ${GUEST} 0 0 0 5`, "2 trace 0 5", "2 release"]) {
    assert.is(request(world, text), "2 error share busy: the peer still maps it");
  }
  assert.match(request(world, "3 stat") ?? "", /^3 ok/, "who does not need it is served");
  world.shim.granted.mapped = false;
  assert.is(request(world, "4 release"), "4 ok");
  assert.is(world.shim.granted, undefined);
});

test("calls underneath fail: the reply says which and why, nothing stays granted", () => {
  const { world, set } = shown();
  set(0, 0, 1024, 1024, 4096);
  const cases: [string, number, string, string][] = [
    ["guest_crc32", 2, "crc 7 0 0", "picture not read, error -14"],
    ["share_copy_guest", 300, "read 7 0 0 0 0", "picture not read, error -14"],
    ["share_write", 1, "read 7 0 0 0 0", "share not granted, error -14"],
    ["share_grant", 1, "read 7 0 0 0 0", "share not granted, error -14"],
    ["share_write", 2, "trace 0 0", "share not written, error -14"],
    ["share_grant", 1, "trace 0 0", "share not granted, error -14"],
  ];
  for (const [name, nth, text, words] of cases) {
    const count = name === "share_copy_guest" ? 200 : nth;
    failNth(world.faults, name, count, 14);
    assert.is(request(world, `9 ${text}`), `9 error ${words}`, `${name} ${text}`);
    assert.is(world.shim.granted, undefined);
  }
  assert.match(request(world, "1 crc 7 0 0") ?? "", /^1 ok/);
  assert.match(request(world, "1 read 7 0 0 0 0") ?? "", /^1 ok/);
});

test("a scanout without pages behind it is off", () => {
  const all = attached();
  all.world.core.scanout_set(0, 0, 2, 0n, 16, 16, 64, XR24);
  assert.is(request(all.world, `1 crc ${GUEST} 0 0`), "1 error scanout off: 0");
});

test("the trace: what happened, oldest first, in 32-byte records", () => {
  const { world, guest } = attached();
  configWrite(world, guest, SLOT, 0x10, 4, 0xf0000000);
  configWrite(world, guest, SLOT, 0x04, 2, 2);
  world.timeNs = 5_000_000_123n;
  memoryRead(world, guest, 0xf0000008n, 4);
  const text = request(world, "8 trace 0 0") ?? "";
  assert.match(text, /^8 ok gref=8 pages=1 bytes=160 records=5 dropped=0$/);
  const view = new DataView(world.shim.share.buffer);
  const record = (i: number) => {
    const at = i * 32;
    const [domid, vgpu, kind, flags, size, count] = [
      view.getUint16(at + 8, true),
      ...[10, 11, 12, 13].map((offset) => view.getUint8(at + offset)),
      view.getUint16(at + 14, true),
    ];
    return {
      domid,
      vgpu,
      kind,
      flags,
      size,
      count,
      addr: view.getBigUint64(at + 16, true),
      data: view.getBigUint64(at + 24, true),
    };
  };
  const common = { domid: GUEST, vgpu: 0 };
  assert.equal(record(0), { ...common, kind: 0x80, flags: 0, size: 0, count: 0, addr: 0n, data: 1n });
  assert.equal(record(1), { ...common, kind: 2, flags: 0, size: 4, count: 1, addr: 0x800000010n, data: 0xf0000000n });
  assert.equal(record(2), { ...common, kind: 2, flags: 0, size: 2, count: 1, addr: 0x800000004n, data: 2n });
  assert.equal(record(3), { ...common, kind: 0x83, flags: 0, size: 0, count: 0, addr: 0xf0000000n, data: 0n });
  assert.equal(record(4), { ...common, kind: 1, flags: 1, size: 4, count: 1, addr: 0xf0000008n, data: 0x11111111n });
  assert.is(view.getBigUint64(4 * 32, true), 5_000_000_123n);
  assert.match(request(world, "9 trace 3 0") ?? "", / bytes=64 records=2 dropped=0$/);
  assert.match(request(world, "9 trace 99 0") ?? "", / gref=8 pages=1 bytes=0 records=0 dropped=0$/);
});

test("the PCI address register leaves no trace: a booting guest writes it thousands of times", () => {
  const { world, guest } = attached();
  portWrite(world, guest, 0xcf8, 4, 0x80000800n);
  portRead(world, guest, 0xcf8, 4);
  assert.match(request(world, "8 trace 0 0") ?? "", / records=1 dropped=0$/); // the attach
  configWrite(world, guest, SLOT, 0x3c, 1, 5);
  assert.match(request(world, "9 trace 0 0") ?? "", / records=2 dropped=0$/);
});

test("the trace ring forgets the oldest and counts them", () => {
  const { world, guest } = attached();
  for (let i = 0; i < 5000; i++) configWrite(world, guest, SLOT, 0x3c, 1, i & 0xff);
  assert.match(request(world, "1 trace 0 0") ?? "", /pages=32 bytes=131072 records=4096 dropped=905$/);
  const view = new DataView(world.shim.share.buffer);
  assert.is(view.getBigUint64(24, true), BigInt((5000 - 4096) & 0xff));
  assert.is(view.getBigUint64(4095 * 32 + 24, true), BigInt(4999 & 0xff));
});

test("a module's log: its name before it, printable, a few lines a second", () => {
  const device = probe();
  const { world } = machine([device.module]);
  assert.is(specify(world, "module=probe guest=pvh"), "ready");
  const say = (text: string) => device.capabilities().log(new TextEncoder().encode(text));
  say("mode\u0007 set");
  assert.is(world.console.at(-1), "guest 7 vgpu 0: mode? set");
  say("x".repeat(256));
  assert.is(world.console.at(-1)?.length, 256);
  const before = world.console.length;
  for (let i = 0; i < 100; i++) say("again");
  assert.is(world.console.length - before, 14);
  world.timeNs += 1_000_000_000n;
  say("later");
  assert.is(world.console.at(-1), "guest 7 vgpu 0: later");
});

test.run();
