// SPDX-License-Identifier: MIT
//
// Modules and their instances.

import { XEN_EINVAL, XEN_ENOMEM } from "../../../unikernel/abi/xen/errno.js";
import { shim } from "../contract.js";
import { type Capabilities, type Instance, ModuleFault } from "../module.js";
import type { World } from "../world.js";
import { CorePanic, coreBytes, type Imports, MISUSE, type ShimState, unsigned } from "./state.js";

export function instanceImports(world: () => World, state: ShimState): Imports {
  const create = (module: number, tag: number) => ({
    module,
    tag,
    code: world().modules[module]?.instantiate(capabilitiesOf(world, tag)) as Instance,
  });
  return {
    module_count: () => world().modules.length,
    module_manifest(module: number, at: number, max: number) {
      const manifest = world().modules[module]?.manifest;
      if (manifest === undefined) return -XEN_EINVAL;
      coreBytes(world(), at, max).set(manifest.subarray(0, max));
      return Math.min(manifest.length, max);
    },
    instance_create(module: number, tag: number) {
      if (state.instances.size === shim("SHIM_INSTANCES_MAX")) return -XEN_ENOMEM;
      if (world().modules[module] === undefined) return -XEN_EINVAL;
      state.instances.set(state.nextHandle, create(module, tag));
      return state.nextHandle++;
    },
    instance_reset(handle: number) {
      const entry = state.instances.get(handle);
      if (entry === undefined) return -XEN_EINVAL;
      state.instances.set(handle, create(entry.module, entry.tag));
      return 0;
    },
    instance_destroy(handle: number) {
      return state.instances.delete(handle) ? 0 : -XEN_EINVAL;
    },
    instance_call(handle: number, entry: number, fuel: number, a: bigint, b: bigint, c: bigint, d: bigint) {
      const instance = state.instances.get(handle);
      if (instance === undefined) throw new CorePanic(MISUSE, BigInt(handle));
      state.running.add(handle);
      try {
        const answer = instance.code.call(entry, fuel, [unsigned(a), unsigned(b), unsigned(c), unsigned(d)]);
        state.fault = shim("FAULT_NONE");
        state.fuel = answer.fuel;
        state.running.delete(handle);
        return answer.value;
      } catch (error) {
        if (!(error instanceof ModuleFault)) throw error;
        state.running.delete(handle);
        state.fault = error.fault;
        state.fuel = error.fuel;
        return 0n;
      }
    },
    call_fault: () => state.fault,
    call_fuel: () => state.fuel,
  };
}

/** A module's imports go through the core; its FATAL ends the call. */
function capabilitiesOf(world: () => World, tag: number): Capabilities {
  const check = (answer: number): number => {
    if (answer === shim("CAPABILITY_FATAL")) throw new ModuleFault(shim("FAULT_CAPABILITY"));
    return answer;
  };
  return {
    param: (key) => unsigned(world().core.param(tag, key)),
    irqRaise: (vector) => check(world().core.irq_raise(tag, vector)),
    scanoutSet: (...args) => check(world().core.scanout_set(tag, ...args)),
    scanoutFlush: (...args) => check(world().core.scanout_flush(tag, ...args)),
    log(text) {
      new Uint8Array(world().core.memory.buffer).set(text, world().core.log_buffer());
      return check(world().core.log(tag, text.length));
    },
  };
}
