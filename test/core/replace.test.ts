// SPDX-License-Identifier: MIT
//
// Live replacement: another version takes over with the old one's state, or the guest sees a reset; whatever fails, the
// old one goes on as it was; a fault within the trial brings it back, and it answers the access that faulted.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Manifest } from "../../host/pipeline/manifest.js";
import { encodeManifest } from "../../host/pipeline/manifest.js";
import { configRead, configWrite, memoryRead, memoryWrite } from "../../host/sim/guest.js";
import { ModuleFault, type Script, type SimModule, scriptedModule } from "../../host/sim/module.js";
import { restartDriver, settle, type World } from "../../host/sim/world.js";
import { CORE, GUEST, machine, PROBE, request, SLOT, specify, stat, vgpuNode } from "./support.js";

const BAR0 = 0xf0000000n;
const STATE = { format: 3, bytes: 64 };
const FUEL = { ...PROBE.fuel, state: 500 };
const AT = 0x100;

/** A device whose register is its state; `change` makes a version that goes wrong. */
interface Version {
  module: SimModule;
  /** Of the latest instance. */
  script: Script;
  restored: [format: number, length: number][];
}

function version(
  number: string,
  manifest: Partial<Manifest> = {},
  change: (script: Script) => void = () => {},
): Version {
  const all: Version = { module: undefined as unknown as SimModule, script: {}, restored: [] };
  const full = { ...PROBE, version: number, state: STATE, fuel: FUEL, ...manifest } as Manifest;
  all.module = scriptedModule(new Uint8Array(encodeManifest(full)), () => {
    const memory = new Uint8Array(0x1000);
    const view = new DataView(memory.buffer);
    let register = 0n;
    const script: Script = {
      memory,
      attach: () => 0,
      reset: () => {
        register = 0n;
      },
      barRead: (_bar, offset) => (offset === 8 ? BigInt(number[0] as string) : register),
      barWrite: (_bar, _offset, _size, value) => {
        register = value;
      },
      stateBuffer: () => AT,
      stateSave: () => {
        view.setBigUint64(AT, register, true);
        return 8;
      },
      stateRestore: (format, length) => {
        all.restored.push([format, length]);
        register = view.getBigUint64(AT, true);
        return 0;
      },
    };
    change(script);
    all.script = script;
    return script;
  });
  return all;
}

let seq = 0;
const ask = (world: World, text: string): string => request(world, `${++seq} ${text}`)?.replace(/^\d+ /, "") ?? "";
const replace = (world: World, to: string, trial = 1000): string => ask(world, `replace ${GUEST} 0 ${to} ${trial}`);
const fault =
  (kind = 5) =>
  () => {
    throw new ModuleFault(kind);
  };

/** The first version attached, its BAR mapped, 0x1234 in its register. */
function running(...others: Version[]) {
  const old = version("1.0.0");
  const all = machine([old, ...others].map((one) => one.module));
  assert.is(specify(all.world, "module=probe@1.0.0 guest=pvh"), "ready");
  configWrite(all.world, all.guest, SLOT, 0x10, 4, Number(BAR0));
  configWrite(all.world, all.guest, SLOT, 0x18, 4, 0xe0000000);
  configWrite(all.world, all.guest, SLOT, 0x04, 2, 2);
  memoryWrite(all.world, all.guest, BAR0, 4, 0x1234n);
  const read = (at = 0n): bigint => memoryRead(all.world, all.guest, BAR0 + at, 4);
  return { ...all, old, read, instances: () => all.world.shim.instances.size };
}

test("the state is handed over: registers, configuration space, BARs, pictures stay", () => {
  const next = version("2.0.0");
  const { world, guest, read, instances } = running(next);
  world.core.scanout_set(0, 0, 2, 0n, 16, 16, 64, 0x34325258);
  assert.is(replace(world, "probe@2.0.0"), "ok from=probe@1.0.0 to=probe@2.0.0 state=kept trial_ms=1000");
  assert.equal(next.restored, [[3, 8]]);
  assert.is(read(), 0x1234n);
  assert.is(read(8n), 2n);
  assert.is(configRead(world, guest, SLOT, 0x10, 4), Number(BAR0));
  assert.is(stat(world).get("scanout0"), "16x16/XR24");
  assert.is(instances(), 2, "the old one is frozen beside it");
  assert.match(replace(world, "probe@1.0.0"), /^error guest 7 vgpu 0: a replacement is on trial already/);
  world.timeNs += 1_000_000_001n;
  world.core.on_timer();
  assert.is(instances(), 1);
  assert.is(replace(world, "probe@1.0.0", 0), "ok from=probe@2.0.0 to=probe@1.0.0 state=kept trial_ms=0");
  assert.is(instances(), 1, "no trial");
  assert.is(read(), 0x1234n);
  assert.is(vgpuNode(world, "state"), "ready");
  assert.is(vgpuNode(world, "error"), undefined);
});

test("NAME alone is the version that came last", () => {
  const { world, read } = running(version("2.0.0"), version("3.0.0"));
  assert.match(replace(world, "probe"), /to=probe@3\.0\.0/);
  assert.is(read(8n), 3n);
});

test("without a state on both sides the guest sees a reset", () => {
  const { state: _, ...none } = { ...PROBE, state: undefined };
  const next = version("2.0.0", { ...none, version: "2.0.0", state: undefined as never, fuel: PROBE.fuel });
  const { world, guest, read } = running(next);
  world.core.scanout_set(0, 0, 2, 0n, 16, 16, 64, 0x34325258);
  assert.match(replace(world, "probe@2.0.0"), /state=reset trial_ms=1000/);
  assert.is(configRead(world, guest, SLOT, 0x10, 4), 0);
  assert.is(read(), 0xffffffffn);
  assert.is(stat(world).get("scanout0"), "off");
  configWrite(world, guest, SLOT, 0x10, 4, Number(BAR0));
  configWrite(world, guest, SLOT, 0x04, 2, 2);
  assert.is(read(8n), 2n);
  assert.is(read(), 0n);
  memoryWrite(world, guest, BAR0, 4, 7n);
  next.script.barRead = fault();
  assert.is(read(8n), 1n, "taken back within the trial");
  assert.is(read(), 0n, "as after a reset");
});

/** [what a guest would see, the other version] */
const OTHERS: [string, Partial<Manifest>][] = [
  ["vendor or device", { device: "0x0009" }],
  ["subsystem", { subsystem: "0x0009" }],
  ["revision or class", { revision: 8 }],
  ["interrupts", { interrupts: { ...PROBE.interrupts, msi: 2 } }],
  ["scanouts", { scanouts: 1 }],
  ["BARs", { bars: PROBE.bars.map((bar) => (bar.index === 1 ? { ...bar, size: 0x40 } : bar)) }],
  ["parameters", { params: [PROBE.params[0] as never, { name: "other", default: 5, min: 1, max: 10 }] }],
  ["parameters", { params: [PROBE.params[0] as never, { name: "knob", default: 6, min: 6, max: 10 }] }],
  ["quotas of buffers", { capabilities: [...PROBE.capabilities, "buffer"] }],
];

for (const [what, manifest] of OTHERS) {
  test(`another device is refused: ${what}, ${JSON.stringify(manifest).slice(0, 50)}`, () => {
    const { world, read, instances } = running(version("2.0.0", manifest));
    const words = `error guest 7 vgpu 0: probe@2.0.0 is another device than probe@1.0.0: ${what}`;
    assert.is(replace(world, "probe@2.0.0"), words);
    assert.is(read(), 0x1234n);
    assert.is(instances(), 1);
  });
}

/** [what fails, how the new version is made, the words] */
const FAILURES: [string, Script, RegExp][] = [
  ["attach says no", { attach: () => 7 }, /probe@2\.0\.0: attach answered 7$/],
  ["attach faults", { attach: fault(1) }, /module probe: out of fuel after 1000 in attach$/],
  ["restore refuses", { stateRestore: () => 9 }, /probe@2\.0\.0: state_restore answered 9$/],
  ["restore faults", { stateRestore: fault(3) }, /access outside its memory in state_restore$/],
  ["the buffer faults", { stateBuffer: fault() }, /unreachable in state_buffer$/],
  ["the buffer is elsewhere", { stateBuffer: () => 0xff9 }, /a state that is not in the memory/],
  ["the buffer is at the top", { stateBuffer: () => -1 }, /a state that is not in the memory/],
];

for (const [what, change, words] of FAILURES) {
  test(`${what}: the old one goes on as it was, nothing is left`, () => {
    const next = version("2.0.0", {}, (script) => void Object.assign(script, change));
    const { world, read, instances } = running(next);
    world.core.scanout_set(0, 0, 2, 0n, 16, 16, 64, 0x34325258);
    assert.match(replace(world, "probe@2.0.0"), words);
    assert.is(read(), 0x1234n);
    assert.is(read(8n), 1n);
    assert.is(instances(), 1);
    assert.is(vgpuNode(world, "state"), "ready");
    assert.is(stat(world).get("scanout0"), "16x16/XR24");
  });
}

test("a save that fails: negative or too long is refused, a fault loses the old one as any fault does", () => {
  for (const answer of [-1, 65, 0x7fffffff]) {
    const { world, old, read } = running(version("2.0.0"));
    old.script.stateSave = () => answer;
    assert.match(replace(world, "probe@2.0.0"), /probe@1\.0\.0 cannot save its state, answer /);
    assert.is(read(), 0x1234n);
  }
  const { world, old, read } = running(version("2.0.0"));
  old.script.stateSave = fault();
  assert.match(replace(world, "probe@2.0.0"), /^error guest 7 vgpu 0: module probe: unreachable in state_save$/);
  assert.is(read(), 0xffffffffn);
  assert.match(replace(world, "probe@2.0.0"), /is not ready: reset it first$/);
});

test("a longer state than the new one takes is refused", () => {
  const { world, read } = running(version("2.0.0", { state: { format: 3, bytes: 7 } }));
  assert.match(replace(world, "probe@2.0.0"), /takes a state of 7 bytes, the old one's has 8$/);
  assert.is(read(), 0x1234n);
});

test("a fault within the trial: the old one answers that very access, its state is back, words say so", () => {
  const next = version("2.0.0");
  const { world, read, instances } = running(next);
  world.core.scanout_set(0, 0, 2, 0n, 16, 16, 64, 0x34325258);
  replace(world, "probe@2.0.0");
  world.core.scanout_set(0, 0, 2, 0n, 8, 8, 64, 0x34325258);
  next.script.barRead = fault();
  assert.is(read(8n), 1n);
  assert.is(read(), 0x1234n);
  settle(world);
  assert.is(instances(), 1);
  assert.is(vgpuNode(world, "state"), "ready");
  const fate = "replacement by probe@2.0.0 taken back";
  const words = `guest 7 vgpu 0: ${fate}: module probe: unreachable in bar_read of BAR 0 at 0x8`;
  assert.is(vgpuNode(world, "error"), words);
  assert.ok(world.console.includes(words));
  assert.is(stat(world).get("scanout0"), "16x16/XR24");
  assert.is(stat(world).get("recent_faults"), "1");
  assert.match(replace(world, "probe@2.0.0"), /^ok/);
  assert.is(vgpuNode(world, "error"), undefined, "a new try, a new story");
});

test("a fault after the trial loses the vGPU, whether the trial's end was noticed or not", () => {
  for (const noticed of [true, false]) {
    const next = version("2.0.0");
    const { world, read, instances } = running(next);
    replace(world, "probe@2.0.0");
    world.timeNs += 1_000_000_001n;
    if (noticed) world.core.on_timer();
    next.script.barRead = fault();
    assert.is(read(), 0xffffffffn);
    settle(world);
    assert.is(vgpuNode(world, "state"), "lost");
    assert.is(instances(), 1);
  }
});

test("detach, reset and a restart in place within the trial leave no instance behind", () => {
  {
    const { world, instances } = running(version("2.0.0"));
    replace(world, "probe@2.0.0");
    specify(world, "");
    assert.is(instances(), 0);
  }
  {
    const { world, instances } = running(version("2.0.0"));
    replace(world, "probe@2.0.0");
    assert.is(ask(world, `reset ${GUEST} 0`), "ok");
    assert.is(instances(), 1);
  }
  const { world, instances, read } = running(version("2.0.0"));
  replace(world, "probe@2.0.0");
  restartDriver(world, CORE, 1, "our own bug 0x1");
  settle(world);
  assert.is(instances(), 1, "the trial is over: the new one stays");
  assert.is(read(8n), 2n);
  assert.is(read(), 0x1234n);
});

test("malformed requests", () => {
  const { world } = running();
  for (const [text, words] of [
    ["replace", /guest must be/],
    [`replace ${GUEST} 0`, /no such module: ""/],
    [`replace ${GUEST} 0 nobody 1`, /no such module: "nobody"/],
    [`replace ${GUEST} 0 probe@9.9.9 1`, /no such module: "probe@9.9.9"/],
    [`replace ${GUEST} 0 probe@ 1`, /no such module: "probe@"/],
    [`replace ${GUEST} 0 probe`, /trial must be 0 to 60000/],
    [`replace ${GUEST} 0 probe 60001`, /trial must be 0 to 60000/],
    [`replace ${GUEST} 0 probe 1 2`, /"2" is too much/],
  ] as const) {
    assert.match(ask(world, text), words);
  }
});

test.run();
