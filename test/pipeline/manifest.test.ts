// SPDX-License-Identifier: MIT
//
// The manifest: what is encoded can be read back at the offsets of unikernel/abi/manifest.ts, and what makes no sense
// is refused with the key, the value and the limit.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Manifest, parseManifest } from "../../host/pipeline/manifest.js";
import { encodeManifest } from "../../host/pipeline/manifest-binary.js";
import { checkFuel } from "../../host/pipeline/manifest-rules.js";
import { attachManifest, detachManifest } from "../../host/pipeline/section.js";
import * as abi from "../../unikernel/abi/manifest.js";
import { CAPABILITY_IRQ, CAPABILITY_LOG, CAPABILITY_SCANOUT } from "../../unikernel/abi/module.js";
import { manifestOf, wat } from "./host.js";

const DISPLAY = "unikernel/modules/bochs-display";
const REGISTERS = "test/modules/register-file";

function viewOf(folder: string): { view: DataView; text: (at: number, bytes: number) => string } {
  const bytes = encodeManifest(parseManifest(folder, JSON.stringify(manifestOf(folder))));
  assert.is(bytes.length, abi.MANIFEST_BYTES);
  const text = (at: number, length: number): string =>
    Buffer.from(bytes.subarray(at, at + length))
      .toString()
      .replace(/\0+$/, "");
  return { view: new DataView(bytes.buffer), text };
}

test("every field of a display's manifest is where the driver domain looks for it", () => {
  const { view, text } = viewOf(DISPLAY);
  assert.is(view.getUint32(0, true), abi.MANIFEST_MAGIC);
  assert.is(view.getUint16(abi.MANIFEST_ABI, true), 1);
  assert.is(view.getUint16(abi.MANIFEST_ROLE, true), abi.ROLE_DEVICE);
  assert.is(text(abi.MANIFEST_NAME, abi.MANIFEST_NAME_BYTES), "bochs-display");
  assert.is(text(abi.MANIFEST_VERSION, abi.MANIFEST_VERSION_BYTES), "0.1.0");
  assert.is(view.getUint16(abi.MANIFEST_VENDOR_ID, true), 0x1234);
  assert.is(view.getUint16(abi.MANIFEST_DEVICE_ID, true), 0x1111);
  assert.is(view.getUint32(abi.MANIFEST_CLASS_REVISION, true), 0x03800002);
  assert.is(view.getUint32(abi.MANIFEST_CAPABILITIES, true), CAPABILITY_SCANOUT | CAPABILITY_LOG);
  assert.is(view.getUint32(abi.MANIFEST_SCANOUTS, true), 1);
  const bar = abi.MANIFEST_BARS;
  assert.is(view.getUint8(bar + abi.BAR_KIND), abi.BAR_KIND_RAM);
  assert.is(view.getUint8(bar + abi.BAR_PREFETCHABLE), 1);
  assert.is(view.getUint8(bar + abi.BAR_SIZE_PARAM), 0);
  const registers = bar + 2 * abi.MANIFEST_BAR_BYTES;
  assert.is(view.getUint8(registers + abi.BAR_KIND), abi.BAR_KIND_TRAP);
  assert.is(view.getUint8(registers + abi.BAR_SIZE_PARAM), abi.BAR_NO_SIZE_PARAM);
  assert.is(view.getBigUint64(registers + abi.BAR_SIZE_BYTES, true), 4096n);
  assert.is(view.getUint8(bar + abi.MANIFEST_BAR_BYTES + abi.BAR_KIND), abi.BAR_KIND_NONE);
  const param = abi.MANIFEST_PARAMS;
  assert.is(text(param + abi.PARAM_NAME, abi.PARAM_NAME_BYTES), "vram_bytes");
  assert.is(view.getBigUint64(param + abi.PARAM_DEFAULT, true), 16777216n);
  assert.is(view.getBigUint64(param + abi.PARAM_MIN, true), 4194304n);
  assert.is(view.getBigUint64(param + abi.PARAM_MAX, true), 268435456n);
});

test("registers are checked against the BARs; the binary does not know them", () => {
  const manifest = manifestOf(REGISTERS);
  const parse = (...registers: unknown[]): Manifest => parseManifest("x", JSON.stringify({ ...manifest, registers }));
  const one = { name: "SCRATCH", bar: 0, offset: 4, size: 4, values: [1, 2] };
  assert.equal(encodeManifest(parse(one)), encodeManifest(manifest));
  assert.equal(parse({ ...one, offset: 4092 }).registers?.length, 1);
  assert.throws(() => parse({ ...one, offset: 4093 }), /SCRATCH: 4 bytes at 4093 leave bar 0, which has 4096/);
  assert.throws(() => parse({ ...one, bar: 4 }), /bar 4 is no trap BAR/);
  assert.throws(() => parse(one, { ...one, offset: 8 }), /SCRATCH is there twice/);
  assert.throws(() => parse({ ...one, size: 3 }), /allowed values/);
  assert.throws(() => parse({ ...one, colour: 1 }), /additional/);
});

test("interrupts, I/O space and fuel of the register file", () => {
  const { view } = viewOf(REGISTERS);
  assert.is(view.getUint32(abi.MANIFEST_CAPABILITIES, true), CAPABILITY_IRQ | CAPABILITY_LOG);
  assert.is(view.getUint16(abi.MANIFEST_MSI_VECTORS, true), 4);
  assert.is(view.getUint16(abi.MANIFEST_MSIX_VECTORS, true), 4);
  assert.is(view.getUint8(abi.MANIFEST_MSIX_BAR), 4);
  assert.is(view.getUint8(abi.MANIFEST_INTX_PIN), 1);
  assert.is(view.getUint8(abi.MANIFEST_BARS + abi.MANIFEST_BAR_BYTES + abi.BAR_SPACE), abi.BAR_SPACE_IO);
  const fuel = [0, 1, 2, 3, 4, 5].map((entry) => view.getUint32(abi.MANIFEST_FUEL + entry * 4, true));
  assert.equal(fuel, [10000, 10000, 1000, 10000, 1000, 0]);
});

test("the manifest comes back out of the module's file, and only one may be in it", async () => {
  const wasm = await wat("(module (memory 1 1))");
  const long = JSON.stringify({ text: "x".repeat(300) });
  const once = attachManifest(wasm, long);
  assert.is(detachManifest("m", once), long);
  assert.throws(() => detachManifest("m", wasm), /0 custom sections/);
  assert.throws(() => detachManifest("m", attachManifest(once, "{}")), /2 custom sections/);
});

/** What is changed in the register file's manifest, and what the refusal says. */
const REFUSED: [title: string, change: (manifest: Manifest) => void, reason: RegExp][] = [
  ["a name with capitals", (m) => Object.assign(m, { name: "Bad" }), /\/name/],
  ["another ABI", (m) => Object.assign(m, { abi: 2 }), /\/abi/],
  ["the vendor of an empty slot", (m) => Object.assign(m, { vendor: "0xffff" }), /empty slot/],
  ["a second MSI-X bar", (m) => m.bars.push({ index: 5, kind: "msix", space: "memory32", size: 4096 }), /not the one/],
  ["an unknown key", (m) => Object.assign(m, { colour: 1 }), /colour/],
  ["a key missing", (m) => Reflect.deleteProperty(m, "fuel"), /fuel/],
  ["an id that is a number", (m) => Object.assign(m, { vendor: 4660 }), /\/vendor/],
  ["an unknown capability", (m) => m.capabilities.push("dma"), /\/capabilities\/2/],
  ["memory beyond the limit", (m) => Object.assign(m, { memoryPages: 17 }), /\/memoryPages .*16/],
  ["no fuel at all", (m) => Object.assign(m.fuel, { barRead: 0 }), /\/fuel\/barRead/],
  ["five MSI vectors", (m) => Object.assign(m.interrupts, { msi: 5 }), /\/interrupts\/msi/],
  [
    "a size that is no power of two",
    (m) => Object.assign(m.bars[0] ?? {}, { size: 4095 }),
    /4095 bytes are no power of two/,
  ],
  ["257 ports", (m) => Object.assign(m.bars[1] ?? {}, { size: 512 }), /512 ports are more than 256/],
  ["a bar of 8 bytes", (m) => Object.assign(m.bars[0] ?? {}, { size: 8 }), /8 bytes are fewer than 16/],
  ["size and sizeParam", (m) => Object.assign(m.bars[0] ?? {}, { sizeParam: "seed" }), /either size or sizeParam/],
  [
    "a param that is not there",
    (m) => m.bars.push({ index: 5, kind: "ram", space: "memory32", sizeParam: "no" }),
    /no param no/,
  ],
  [
    "two bars in one slot",
    (m) => Object.assign(m.bars[0] ?? {}, { space: "memory64" }),
    /slot 1, which another bar has/,
  ],
  [
    "an upper half beyond slot 5",
    (m) => m.bars.push({ index: 5, kind: "trap", space: "memory64", size: 4096 }),
    /no slot 6/,
  ],
  ["RAM in I/O space", (m) => Object.assign(m.bars[1] ?? {}, { kind: "ram" }), /cannot be in I\/O space/],
  ["a default out of range", (m) => Object.assign(m.params[0] ?? {}, { min: 5 }), /default 0 is not within 5/],
  [
    "thirteen params",
    (m) => m.params.push(...Array.from({ length: 13 }, (_, i) => ({ name: `p${i}`, default: 0, min: 0, max: 0 }))),
    /params.*12/,
  ],
  ["a param twice", (m) => m.params.push({ name: "seed", default: 0, min: 0, max: 0 }), /seed is there twice/],
  ["an MSI-X table nowhere", (m) => m.bars.pop(), /no bar of kind msix/],
  ["an MSI-X bar without vectors", (m) => Object.assign(m.interrupts, { msix: 0 }), /msix is 0/],
  ["interrupts without irq", (m) => Object.assign(m, { capabilities: [] }), /lack "irq"/],
  ["scanouts without scanout", (m) => Object.assign(m, { scanouts: 1 }), /lack "scanout"/],
];

for (const [title, change, reason] of REFUSED) {
  test(`refused: ${title}`, () => {
    const manifest = manifestOf(REGISTERS);
    change(manifest);
    assert.throws(() => parseManifest("m", JSON.stringify(manifest)), reason);
  });
}

test("refused: fuel for an entry point that is missing, none for one that is there", () => {
  const manifest = manifestOf(REGISTERS);
  checkFuel("m", manifest, ["event"]);
  assert.throws(() => checkFuel("m", manifest, []), /fuel\.event is 1000, but "event" is not exported/);
  assert.throws(
    () => checkFuel("m", manifest, ["event", "work_done"]),
    /"work_done" is exported, but has no fuel\.workDone/,
  );
});

test("refused: no JSON", () => {
  assert.throws(() => parseManifest("m", "{"), /no JSON/);
});

test.run();
