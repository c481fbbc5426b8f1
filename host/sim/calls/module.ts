// SPDX-License-Identifier: MIT
//
// Modules by slot. A file that Dom0 offers for a live load is a SimModule already, or the words for which the loader
// would refuse it; it lies behind the directory's grant reference.

import { createHash } from "node:crypto";
import { XEN_EBUSY, XEN_EFAULT, XEN_EINVAL, XEN_ENOENT, XEN_ENOEXEC } from "../../../unikernel/abi/xen/errno.js";
import { shim } from "../contract.js";
import type { World } from "../world.js";
import { coreBytes, type Imports, type ShimState } from "./state.js";

export function moduleImports(world: () => World, state: ShimState): Imports {
  const instancesOf = (slot: number) => [...state.instances.values()].filter((one) => one.module === slot).length;
  const put = (text: string, at: number, max: number) => {
    const bytes = Buffer.from(text).subarray(0, max);
    coreBytes(world(), at, bytes.length).set(bytes);
    return bytes.length;
  };
  return {
    module_manifest(slot: number, at: number, max: number) {
      const manifest = world().modules[slot]?.manifest;
      if (manifest === undefined) return -XEN_ENOENT;
      if (manifest.length > max) return -XEN_EINVAL;
      coreBytes(world(), at, manifest.length).set(manifest);
      return manifest.length;
    },
    module_facts(slot: number, at: number) {
      const module = world().modules[slot];
      if (module === undefined) return -XEN_ENOENT;
      const bytes = coreBytes(world(), at, shim("MODULE_FACTS_BYTES")).fill(0);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const serial = state.serials.get(module);
      view.setUint32(shim("MODULE_FACT_SERIAL"), serial ?? slot + 1, true);
      const origin = shim(serial === undefined ? "MODULE_FROM_RAMDISK" : "MODULE_FROM_LIVE");
      view.setUint32(shim("MODULE_FACT_ORIGIN"), origin, true);
      view.setUint32(shim("MODULE_FACT_INSTANCES"), instancesOf(slot), true);
      const digest = (name: string) => createHash(name).update(module.manifest).digest();
      bytes.set(digest("blake2b512"), shim("MODULE_FACT_GBX_BLAKE2B"));
      bytes.set(digest("sha256"), shim("MODULE_FACT_WASM_SHA256"));
      return 0;
    },
    module_refusal: (nth: number, at: number, max: number) => put(world().refusals[nth] ?? "", at, max),
    module_load(_domid: number, directory: number, _bytes: number) {
      const offer = world().offers.get(directory);
      state.loadWords = typeof offer === "string" ? offer : "";
      if (offer === undefined) return -XEN_EFAULT;
      if (typeof offer === "string") return -XEN_ENOEXEC;
      const { modules } = world();
      const free = Array.from({ length: shim("SHIM_MODULES_MAX") }, (_, i) => i).find((i) => modules[i] === undefined);
      if (free === undefined) return -XEN_ENOEXEC;
      modules[free] = offer;
      state.serials.set(offer, shim("SHIM_MODULES_MAX") + 1 + state.serials.size);
      return free;
    },
    module_load_words: (at: number, max: number) => put(state.loadWords, at, max),
    module_unload(slot: number) {
      if (world().modules[slot] === undefined) return -XEN_ENOENT;
      if (instancesOf(slot) > 0) return -XEN_EBUSY;
      world().modules[slot] = undefined;
      return 0;
    },
  };
}
