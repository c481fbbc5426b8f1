// SPDX-License-Identifier: MIT
//
// For all tests of the core: the real core.wasm in the simulated machine, one guest, and a module whose behaviour each
// test writes itself.

import { compile } from "../../host/pipeline/compile.js";
import { countDepth } from "../../host/pipeline/depth.js";
import { encodeManifest, type Manifest } from "../../host/pipeline/manifest.js";
import { buildModule, coreMemoryPages, prepareWasm } from "../../host/pipeline/module.js";
import type { Domain } from "../../host/sim/domain.js";
import { type Capabilities, type Script, type SimModule, scriptedModule, wasmModule } from "../../host/sim/module.js";
import { addDomain, createWorld, settle, startDriver, type World } from "../../host/sim/world.js";
import { storeRead, storeWrite } from "../../host/sim/xenstore.js";

export const CORE_BYTES = await compile({
  name: "core",
  entry: "unikernel/core/main.ts",
  memoryPages: coreMemoryPages(),
});
export const CORE = new WebAssembly.Module(CORE_BYTES as Uint8Array<ArrayBuffer>);

export const GUEST = 7;
export const SLOT = 1;

/** A device with one BAR of each kind; tests change what they need. */
export const PROBE: Manifest = {
  name: "probe",
  version: "1.2.3",
  abi: 1,
  role: "device",
  vendor: "0xfffe",
  device: "0x0001",
  subsystemVendor: "0xfffd",
  subsystem: "0x0002",
  class: "0x038000",
  revision: 9,
  capabilities: ["irq", "scanout", "log"],
  bars: [
    { index: 0, kind: "trap", space: "memory32", size: 0x1000 },
    { index: 1, kind: "trap", space: "io", size: 0x20 },
    { index: 2, kind: "ram", space: "memory64", prefetchable: true, sizeParam: "ram_bytes" },
    { index: 4, kind: "msix", space: "memory32", size: 0x1000 },
  ],
  interrupts: { msi: 4, msix: 3, msixBar: 4, intx: true },
  memoryPages: 1,
  scanouts: 2,
  fuel: { attach: 1000, reset: 1000, barRead: 1000, barWrite: 1000, event: 1000, workDone: 0 },
  params: [
    { name: "ram_bytes", default: 0x10000, min: 0x1000, max: 0x1000000 },
    { name: "knob", default: 5, min: 1, max: 10 },
  ],
};

/** What a device was asked, in order. */
export type Call =
  | { kind: "read"; bar: number; offset: number; size: number }
  | { kind: "write"; bar: number; offset: number; size: number; value: bigint }
  | { kind: "event"; event: number; argument: bigint };

export interface Probe {
  module: SimModule;
  calls: Call[];
  /** Of the latest instance. */
  capabilities(): Capabilities;
  /** Tests put behaviour here; it is asked before the default (reads give 0x11 in every byte). */
  script: Script;
}

export function probe(manifest: Partial<Manifest> = {}): Probe {
  const calls: Call[] = [];
  const script: Script = {};
  let latest: Capabilities | undefined;
  const module = scriptedModule(new Uint8Array(encodeManifest({ ...PROBE, ...manifest })), (capabilities) => {
    latest = capabilities;
    return {
      attach: () => script.attach?.() ?? 0,
      reset: () => script.reset?.(),
      barRead(bar, offset, size) {
        calls.push({ kind: "read", bar, offset, size });
        return script.barRead?.(bar, offset, size) ?? 0x1111111111111111n;
      },
      barWrite(bar, offset, size, value) {
        calls.push({ kind: "write", bar, offset, size, value });
        script.barWrite?.(bar, offset, size, value);
      },
      event(event, argument) {
        calls.push({ kind: "event", event, argument });
        script.event?.(event, argument);
      },
      workDone: (cookie, status) => script.workDone?.(cookie, status),
    };
  });
  return { module, calls, script, capabilities: () => latest as Capabilities };
}

/** A real module from its folder. */
export async function realModule(folder: string): Promise<SimModule> {
  const { manifest, wasm: code } = await prepareWasm(folder, await buildModule(folder));
  return wasmModule(new Uint8Array(encodeManifest(manifest)), await countDepth(code));
}

/** The driver domain is up, the guest exists, nothing is attached. */
export function machine(
  modules: SimModule[],
  commandLine = "",
  refusals: string[] = [],
): { world: World; guest: Domain } {
  const world = createWorld({ core: CORE, modules, commandLine });
  world.refusals.push(...refusals);
  const guest = addDomain(world, GUEST);
  startDriver(world);
  return { world, guest };
}

/** Dom0 writes a specification; what the driver domain makes of it. */
export function specify(world: World, text: string, number = 0, domid = GUEST): string | undefined {
  storeWrite(world.store, `data/glovebox/vgpu/${domid}/${number}`, text);
  settle(world);
  return vgpuNode(world, "state", number, domid);
}

export function vgpuNode(world: World, node: string, number = 0, domid = GUEST): string | undefined {
  return storeRead(world.store, `data/glovebox/vgpu/${domid}/${number}/${node}`);
}

/** Dom0 asks; the driver domain's answer. */
export function request(world: World, text: string): string | undefined {
  storeWrite(world.store, "data/glovebox/request", text);
  settle(world);
  return storeRead(world.store, "data/glovebox/reply");
}

/** The figures of `stat`, by name. */
export function stat(world: World, number = 0, domid = GUEST): Map<string, string> {
  const text = request(world, `1 stat ${domid} ${number}`) ?? "";
  return new Map(
    text
      .split(" ")
      .slice(2)
      .map((pair) => pair.split("=") as [string, string]),
  );
}

/** A probe attached to the guest. */
export function attached(options: { manifest?: Partial<Manifest>; spec?: string } = {}) {
  const device = probe(options.manifest);
  const both = machine([device.module]);
  const state = specify(both.world, options.spec ?? "module=probe guest=pvh");
  if (state !== "ready") throw new Error(`the probe is ${state}: ${vgpuNode(both.world, "error")}`);
  return { ...both, device };
}
