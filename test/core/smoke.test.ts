// SPDX-License-Identifier: MIT
//
// The whole road once: boot, attach a real module, what a guest's kernel and its driver do, look at the picture,
// detach.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../host/sim/crc32.js";
import { readMemory, writeMemory } from "../../host/sim/domain.js";
import { configRead, configWrite, memoryRead, memoryWrite, portRead, portWrite } from "../../host/sim/guest.js";
import { settle } from "../../host/sim/world.js";
import { storeRead, storeRemove } from "../../host/sim/xenstore.js";
import { GUEST, machine, realModule, request, specify, stat, vgpuNode } from "./support.js";

const VRAM = 0xe0000000n;
const REGISTERS = 0xf0000000n;
const DISPI = REGISTERS + 0x500n; // QEMU docs/specs/standard-vga: bochs dispi interface registers in BAR 2

test("a PVH guest finds bochs-display, sets a mode and draws without a trap", async () => {
  const { world, guest } = machine([await realModule("unikernel/modules/bochs-display")]);
  assert.is(storeRead(world.store, "data/glovebox/state"), "ready");
  assert.match(
    storeRead(world.store, "data/glovebox/module/0") ?? "",
    /ram_param=vram_bytes params=vram_bytes:16777216:/,
  );
  assert.is(specify(world, "module=bochs-display guest=pvh"), "ready", vgpuNode(world, "error"));
  assert.is(vgpuNode(world, "ram_bytes"), "16777216");
  assert.is(vgpuNode(world, "bdf"), "0000:00:01.0");

  portWrite(world, guest, 0xcf8, 4, 0x80000000n);
  assert.is(portRead(world, guest, 0xcf8, 4), 0x80000000n);
  assert.is(configRead(world, guest, 0, 0x0a, 2), 0x0600);
  assert.is(configRead(world, guest, 1, 0, 4), 0x11111234);
  assert.is(configRead(world, guest, 2, 0, 4), 0xffffffff);
  configWrite(world, guest, 1, 0x10, 4, Number(VRAM));
  configWrite(world, guest, 1, 0x18, 4, Number(REGISTERS));
  configWrite(world, guest, 1, 0x04, 2, 2);
  assert.is(memoryRead(world, guest, DISPI, 2) & 0xfff0n, 0xb0c0n);
  for (const [index, value] of [
    [4, 0],
    [1, 640],
    [2, 480],
    [3, 32],
    [6, 640],
    [7, 480],
    [4, 0x41],
  ] as const) {
    memoryWrite(world, guest, DISPI + BigInt(index * 2), 2, BigInt(value));
  }
  const before = stat(world);
  assert.is(before.get("scanout0"), "640x480/XR24");
  assert.is(before.get("ram_pages"), "4096");
  const picture = Uint8Array.from({ length: 640 * 480 * 4 }, (_, i) => (i * 7) & 0xff);
  assert.ok(writeMemory(guest, VRAM, picture));
  assert.is(
    request(world, `9 crc ${GUEST} 0 0`),
    `9 ok crc32=${crc32(picture).toString(16).padStart(8, "0")} width=640 height=480 stride=2560 format=XR24`,
  );
  assert.is(stat(world).get("guest_traps"), before.get("guest_traps"));

  storeRemove(world.store, `data/glovebox/vgpu/${GUEST}/0`);
  settle(world);
  assert.is(vgpuNode(world, "state"), undefined);
  assert.is(readMemory(guest, VRAM, 4), undefined);
  assert.equal(guest.servers, []);
});

test.run();
