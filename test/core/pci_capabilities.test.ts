// SPDX-License-Identifier: MIT
//
// Capabilities of configuration space that a module brings: in its order, before the core's own, read-only; and
// manifests that cannot be.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeManifest, type Manifest, parseManifest } from "../../host/pipeline/manifest.js";
import { configRead, configWrite } from "../../host/sim/guest.js";
import { scriptedModule } from "../../host/sim/module.js";
import { MANIFEST_PCI_CAPABILITIES, MANIFEST_PCI_CAPABILITIES_BYTES } from "../../unikernel/abi/manifest.js";
import * as P from "../../unikernel/abi/pci.js";
import { attached, machine, PROBE, SLOT, specify } from "./support.js";

const TWO = [
  { id: "0x09", bytes: "10 01 00 00 00 00  00 00 00 00  38 00 00 00" },
  { id: "0x09", bytes: "14 02 02 00 00 00  04 03 02 01  04 00 00 00  00 00 00 00" },
  { id: "0x0a", bytes: "7f" },
];

/** [id, bytes behind the link] of each capability, as a driver walks them. */
function walk(options: Parameters<typeof attached>[0]) {
  const { world, guest } = attached(options);
  const read = (offset: number, size: number) => configRead(world, guest, SLOT, offset, size);
  const found: [number, number][] = [];
  for (let at = read(P.PCI_CAPABILITY_LIST, 1); at !== 0; at = read(at + 1, 1)) {
    assert.ok(at >= 0x40 && at % 4 === 0 && found.length < 48);
    found.push([read(at, 1), at]);
  }
  return { world, guest, read, found };
}

test("in the module's order, then MSI, then MSI-X", () => {
  const { read, found } = walk({ manifest: { pciCapabilities: TWO } });
  assert.equal(found, [
    [0x09, 0x70],
    [0x09, 0x80],
    [0x0a, 0x94],
    [P.PCI_CAP_ID_MSI, 0x40],
    [P.PCI_CAP_ID_MSIX, 0x60],
  ]);
  assert.is(read(P.PCI_STATUS, 2) & P.PCI_STATUS_CAP_LIST, P.PCI_STATUS_CAP_LIST);
  assert.is(read(0x72, 2), 0x0110);
  assert.is(read(0x7c, 4), 0x38);
  assert.is(read(0x88, 4), 0x01020304);
  assert.is(read(0x96, 1), 0x7f);
});

test("without interrupts they are the whole list; without them nothing changes", () => {
  const interrupts = { interrupts: {}, bars: [], params: [], capabilities: ["scanout"] };
  assert.equal(walk({ manifest: { ...interrupts, pciCapabilities: TWO } }).found, [
    [0x09, 0x70],
    [0x09, 0x80],
    [0x0a, 0x94],
  ]);
  assert.equal(walk({ manifest: interrupts }).found, []);
  assert.equal(walk({}).found.length, 2);
});

test("a guest cannot write them", () => {
  const { world, guest, read } = walk({ manifest: { pciCapabilities: TWO } });
  const before = Array.from({ length: 36 }, (_, i) => read(0x70 + 4 * i, 4));
  for (let at = 0x70; at < 0x100; at += 4) configWrite(world, guest, SLOT, at, 4, 0xffffffff);
  assert.equal(
    Array.from({ length: 36 }, (_, i) => read(0x70 + 4 * i, 4)),
    before,
  );
});

test("as many as there is room for, to the last byte", () => {
  const full = Array.from({ length: 9 }, () => ({ id: "0x09", bytes: "10 01 00 00 00 00 00 00 00 00 00 00 00 00" }));
  const { found } = walk({ manifest: { pciCapabilities: full } });
  assert.is(found.length, 11);
  assert.is(found[8]?.[1], 0xf0);
});

const says = (pciCapabilities: Manifest["pciCapabilities"]): string => {
  try {
    parseManifest("probe", JSON.stringify({ ...PROBE, fuel: { ...PROBE.fuel, workDone: undefined }, pciCapabilities }));
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

test("the packer refuses what cannot be, in words", () => {
  assert.is(says(TWO), "");
  assert.match(says([{ id: "0x05", bytes: "00" }]), /0x05 is MSI, which interrupts\.msi asks for/);
  assert.match(says([{ id: "0x11", bytes: "00" }]), /0x11 is MSI-X/);
  assert.match(says([{ id: "0x00", bytes: "00" }]), /0x00 is no capability/);
  assert.match(
    says(Array.from({ length: 10 }, () => ({ id: "0x09", bytes: "00".repeat(14) }))),
    /take 160 bytes; there are 144/,
  );
  assert.match(says([{ id: "9", bytes: "00" }]), /pciCapabilities\/0\/id/);
  assert.match(says([{ id: "0x09", bytes: "0" }]), /pciCapabilities\/0\/bytes/);
});

test("the core does not offer a module whose list is not well formed", () => {
  const lists: number[][] = [
    [0x09, 0],
    [0x09, 2],
    [0x09, 6],
    [0x09, 148],
    [0x05, 4],
    [0x11, 4],
    [0x09, 140, ...Array(138).fill(0), 9, 8],
  ];
  for (const list of lists) {
    const bytes = new Uint8Array(encodeManifest(PROBE));
    assert.ok(list.length <= MANIFEST_PCI_CAPABILITIES_BYTES);
    bytes.set(list, MANIFEST_PCI_CAPABILITIES);
    const { world } = machine([scriptedModule(bytes, () => ({}))]);
    assert.is.not(specify(world, "module=probe guest=pvh"), "ready", String(list.slice(0, 3)));
    assert.ok(
      world.console.some((line) => line.includes("not offered: manifest: pci capabilit")),
      String(list),
    );
  }
});

test.run();
