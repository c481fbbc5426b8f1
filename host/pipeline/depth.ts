// SPDX-License-Identifier: MIT
//
// Call depth as the compiled C counts it, for V8, whose own stack has another limit: each function f becomes f.body
// behind an f that counts. What comes out burns the same fuel as what went in and faults at the same call; only V8
// ever runs it (fuzzer, simulator, tests), wasm2c's C counts by itself.

import { shimLimit } from "./gcc.js";
import { type Bytes, hashOf, kept } from "./store.js";

export const DEPTH_GLOBAL = "__depth";
/** WebAssembly that counts its depth: what may run in V8 in the driver domain's stead. */
export type DepthCounted = Uint8Array<ArrayBuffer> & { readonly countsDepth: true };

const REVISION = "1";

/** Calls inside calls; the one beyond is FAULT_STACK, and `__depth` is then one more than this. */
export function depthMax(): number {
  return shimLimit("MODULE_DEPTH_MAX");
}

/** Instrumented WebAssembly to the same with depth counted; set `__depth` to 0 before each call after a fault. */
export async function countDepth(wasm: Bytes): Promise<DepthCounted> {
  const most = depthMax();
  const counted = await kept("depth.wasm", hashOf("depth", REVISION, String(most), wasm), async () => {
    const { default: binaryen } = await import("binaryen");
    const { MutableGlobals, BulkMemory, BulkMemoryOpt, SignExt } = binaryen.Features as unknown as Record<
      string,
      number
    >;
    const features = (MutableGlobals ?? 0) | (BulkMemory ?? 0) | (BulkMemoryOpt ?? 0) | (SignExt ?? 0);
    const read = binaryen.readBinary as (bytes: Bytes, features: number) => InstanceType<typeof binaryen.Module>;
    const module = read(wasm, features);
    const depth = (): number => module.global.get(DEPTH_GLOBAL, binaryen.i32);
    const add = (by: number): number => module.global.set(DEPTH_GLOBAL, module.i32.add(depth(), module.i32.const(by)));
    module.addGlobal(DEPTH_GLOBAL, binaryen.i32, true, module.i32.const(0));
    module.addGlobalExport(DEPTH_GLOBAL, DEPTH_GLOBAL);
    const all = Array.from({ length: module.getNumFunctions() }, (_, i) => module.getFunctionByIndex(i));
    for (const info of all.map((one) => binaryen.getFunctionInfo(one)).filter((one) => !one.module)) {
      const body = `${info.name}.body`;
      module.addFunction(body, info.params, info.results, info.vars, info.body);
      const types = binaryen.expandType(info.params);
      const call = module.call(
        body,
        types.map((type, index) => module.local.get(index, type)),
        info.results,
      );
      const isVoid = info.results === binaryen.none;
      const enter = [add(1), module.if(module.i32.gt_u(depth(), module.i32.const(most)), module.unreachable())];
      const rest = isVoid
        ? [call, add(-1)]
        : [module.local.set(types.length, call), add(-1), module.local.get(types.length, info.results)];
      module.removeFunction(info.name);
      const block = module.block(null, [...enter, ...rest], info.results);
      module.addFunction(info.name, info.params, info.results, isVoid ? [] : [info.results], block);
    }
    try {
      if (!module.validate()) throw new Error("binaryen finds the depth counter invalid");
      return Uint8Array.from(module.emitBinary());
    } finally {
      module.dispose();
    }
  });
  return counted as DepthCounted;
}
