// SPDX-License-Identifier: MIT
//
// The specification's text: what is taken, what is refused and in which words, and garbage of every kind.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeManifest } from "../../host/pipeline/manifest.js";
import { scriptedModule } from "../../host/sim/module.js";
import { settle } from "../../host/sim/world.js";
import { storeList, storeRead, storeWrite } from "../../host/sim/xenstore.js";
import { random } from "./random.js";
import { GUEST, machine, PROBE, probe, specify, stat, vgpuNode } from "./support.js";

/** [specification, reason]; the reason undefined: it is taken. */
const CASES: [string, string | undefined][] = [
  ["module=probe guest=pvh", undefined],
  ["guest=pvh   module=probe", undefined],
  ["module=probe guest=pvh slot=1 ram_bytes=4096 knob=10", undefined],
  ["module=probe guest=hvm slot=31\n", undefined],
  ["knob=1 guest=pvh module=probe", undefined],
  ["hello", 'word "hello" is not key=value'],
  ["=probe", 'word "=probe" is not key=value'],
  ["module= guest=pvh", 'word "module=" is not key=value'],
  ["guest=pvh", "module= is missing"],
  ["module=probe", "guest=pvh or guest=hvm is missing"],
  ["module=prob guest=pvh", "module=prob: no such module in this domain"],
  ["module=probee guest=pvh", "module=probee: no such module in this domain"],
  ["module=probe module=probe guest=pvh", "module=probe: given twice"],
  ["module=probe guest=pv", "guest=pv: must be pvh or hvm"],
  ["module=probe guest=pvh guest=hvm", "guest=hvm: given twice"],
  ["module=probe guest=hvm", "guest=hvm needs slot=1 to slot=31, one free of QEMU"],
  ["module=probe guest=pvh slot=0", "slot=0: must be 1 to 31"],
  ["module=probe guest=pvh slot=32", "slot=32: must be 1 to 31"],
  ["module=probe guest=pvh slot=1 slot=2", "slot=2: given twice"],
  ["module=probe guest=pvh slot=4294967297", "slot=4294967297: must be 1 to 31"],
  ["module=probe guest=pvh knob=0", "knob=0: must be 1 to 10"],
  ["module=probe guest=pvh knob=11", "knob=11: must be 1 to 10"],
  ["module=probe guest=pvh knob=-1", "knob=-1: must be 1 to 10"],
  ["module=probe guest=pvh knob=0x5", "knob=0x5: must be 1 to 10"],
  ["module=probe guest=pvh knob=18446744073709551617", "knob=18446744073709551617: must be 1 to 10"],
  ["module=probe guest=pvh knob=99999999999999999999999", "knob=99999999999999999999999: must be 1 to 10"],
  ["module=probe guest=pvh knob=1 knob=2", "knob=2: given twice"],
  ["module=probe guest=pvh nob=1", "nob=1: the module has no such parameter"],
  [
    "module=probe guest=pvh ram_bytes=5000",
    "ram_bytes=5000: the size of BAR 2 must be a power of two that a BAR can have",
  ],
  ["module=probe guest=pvh ram_bytes=4095", "ram_bytes=4095: must be 4096 to 16777216"],
];

for (const [text, reason] of CASES) {
  test(`"${text.trim()}"`, () => {
    const { world, guest } = machine([probe().module]);
    assert.is(specify(world, text), reason === undefined ? "ready" : "refused", vgpuNode(world, "error"));
    assert.is(vgpuNode(world, "error"), reason);
    assert.is(guest.servers.length, reason === undefined ? 1 : 0);
  });
}

test("parameters reach the module; those not given have their defaults; others read 0", () => {
  const device = probe();
  const { world } = machine([device.module]);
  assert.is(specify(world, "module=probe guest=pvh knob=7"), "ready");
  const values = [0, 1, 2, 7, 8, 0xffffffff].map((key) => device.capabilities().param(key));
  assert.equal(values, [0x10000n, 7n, 0n, 0n, 0n, 0n]);
});

test("a specification at the limit is read, one byte more is refused", () => {
  const { world } = machine([probe().module]);
  const text = "module=probe guest=pvh";
  assert.is(specify(world, `${text.padEnd(511)}\n`), "ready", "blanks at the end do not count");
  const long = `module=probe${" ".repeat(500 - text.length)} guest=pvh knob=0000005`;
  assert.is(specify(world, long.padEnd(512, "5"), 1), "refused");
  assert.is(specify(world, `${long}${"0".repeat(520 - long.length)}`, 2), "refused");
  assert.is(vgpuNode(world, "error", 2), "specification of 520 bytes, limit 512");
});

test("numbers and guests beyond the limits", () => {
  const { world } = machine([probe().module]);
  assert.is(specify(world, "module=probe guest=pvh", 8), "refused");
  assert.is(vgpuNode(world, "error", 8), "vgpu 8: numbers go from 0 to 7");
  assert.is(specify(world, "module=probe guest=pvh", 0, 12), "refused");
  assert.is(vgpuNode(world, "error", 0, 12), "guest 12: no ioreq server, error -3");
  for (const path of ["x/0", "7/x", "-1/0", "7/-1", "32752/0", "7/65536", "7/6/state/deep", "99999999999999999999/0"]) {
    storeWrite(world.store, `data/glovebox/vgpu/${path}`, "module=probe guest=pvh");
  }
  settle(world);
  assert.is(storeRead(world.store, "data/glovebox/state"), "ready");
  assert.is(vgpuNode(world, "state"), undefined);
});

test("unprintable bytes never reach the answer", () => {
  const { world } = machine([probe().module]);
  assert.is(specify(world, "module=\u0001\u007f\u00e9 guest=pvh"), "refused");
  assert.match(vgpuNode(world, "error") ?? "", /^module=\?{3,4}: no such module/);
});

test("a long word is cut, not the sentence's beginning", () => {
  const { world } = machine([probe().module]);
  assert.is(specify(world, `module=${"m".repeat(400)} guest=pvh`), "refused");
  assert.is(vgpuNode(world, "error")?.length, 240);
});

test("random garbage is refused or taken, and the domain goes on", () => {
  const { world } = machine([probe().module]);
  const next = random(7);
  const words = [
    "module=probe",
    "guest=pvh",
    "guest=hvm",
    "slot=",
    "knob=",
    "ram_bytes=",
    "=",
    " ",
    "9",
    "4096",
    "\n",
    "\t",
  ];
  for (let step = 0; step < 300; step++) {
    const text = Array.from({ length: next(9) }, () => words[next(words.length)] + (next(2) ? " " : "")).join("");
    specify(world, text);
    const state = vgpuNode(world, "state");
    assert.ok(state === undefined ? text.trim() === "" : ["ready", "refused"].includes(state), `${state}: ${text}`);
    assert.is(state === "refused", vgpuNode(world, "error") !== undefined, text);
  }
  assert.is(specify(world, "module=probe guest=pvh"), "ready");
});

test("modules that are not well formed are not offered; the others are", () => {
  const faults: [string, (view: DataView) => void][] = [
    ["magic", (view) => view.setUint8(0, 0)],
    ["abi", (view) => view.setUint16(4, 9, true)],
    ["role", (view) => view.setUint16(6, 1, true)],
    ["name", (view) => view.setUint8(8, 0)],
    ["vendor", (view) => view.setUint16(56, 0xffff, true)],
    ["msi vectors", (view) => view.setUint16(72, 3, true)],
    ["msi vectors", (view) => view.setUint16(72, 64, true)],
    ["msix vectors", (view) => view.setUint16(74, 65, true)],
    ["intx pin", (view) => view.setUint8(76, 2)],
    ["msix bar", (view) => view.setUint8(77, 6)],
    ["msix bar kind", (view) => view.setUint8(77, 0)],
    ["scanouts", (view) => view.setUint32(84, 5, true)],
    ["fuel", (view) => view.setUint32(88, 200_000_001, true)],
    ["bar kind", (view) => view.setUint8(112, 4)],
    ["bar space", (view) => view.setUint8(113, 3)],
    ["bar space", (view) => view.setUint8(112 + 2 * 16 + 1, 2)],
    ["bar size", (view) => view.setUint32(120, 0x1001, true)],
    ["bar size", (view) => view.setUint32(120, 8, true)],
    ["bar size", (view) => view.setUint32(120 + 16, 512, true)],
    ["bar size param", (view) => view.setUint8(112 + 2 * 16 + 3, 12)],
    ["64-bit bar without a slot behind it", (view) => view.setUint8(112 + 3 * 16, 1)],
  ];
  const modules = faults.map(([, spoil]) => {
    const bytes = new Uint8Array(encodeManifest(PROBE));
    spoil(new DataView(bytes.buffer));
    return scriptedModule(bytes, () => ({}));
  });
  const { world } = machine([...modules, probe({ name: "good" }).module]);
  const lines = world.console.filter((line) => line.includes(" not offered: "));
  assert.equal(
    lines.map((line) => line.replace(/^.*manifest: /, "")),
    faults.map(([word]) => word),
  );
  assert.equal(storeList(world.store, "data/glovebox/module"), [String(faults.length)]);
  const last = `data/glovebox/refused/slot${faults.length - 1}`;
  assert.is(storeRead(world.store, last), "probe@1.2.3: manifest: 64-bit bar without a slot behind it");
  assert.is(specify(world, "module=probe guest=pvh"), "refused");
  assert.is(specify(world, "module=good guest=pvh", 1), "ready");
  assert.is(stat(world, 1).get("module"), "good");
});

test("what the domain says about itself", () => {
  const { world } = machine([probe().module]);
  const node = (name: string) => storeRead(world.store, `data/glovebox/${name}`);
  assert.is(node("version"), "0.1.0");
  assert.is(node("state"), "ready");
  assert.is(
    node("module/0")?.replace(/blake2b=[0-9a-f]{16}/, "blake2b=H"),
    "name=probe version=1.2.3 abi=1 blake2b=H from=ramdisk serial=1 ram_param=ram_bytes " +
      "params=ram_bytes:65536:4096:16777216,knob:5:1:10",
  );
  assert.is(vgpuNode(world, "state", 0, GUEST), undefined);
});

test.run();
