// SPDX-License-Identifier: MIT
//
// Values of a module's parameters, per vGPU: from the specification, else the manifest's default. They do not change.

import { PARAMS, VGPUS_MAX } from "../limits";
import { SpecificationRecord } from "../control/specification";
import { paramExists } from "./module";
import { Vgpu } from "./vgpu";

const VALUES: usize = memory.data(VGPUS_MAX * PARAMS * 8, 8);

export function paramsCopy(vgpu: u32, spec: SpecificationRecord): void {
  for (let i: u32 = 0; i < PARAMS; i++) store<u64>(VALUES + (vgpu * PARAMS + i) * 8, spec.param(i));
}

export function paramValues(vgpu: u32): usize {
  return VALUES + vgpu * PARAMS * 8;
}

export function paramsRestore(vgpu: u32, from: usize): void {
  memory.copy(paramValues(vgpu), from, PARAMS * 8);
}

/** What the module asked for; 0 for a parameter that it does not have. */
export function paramValue(vgpu: Vgpu, key: u32): u64 {
  return paramExists(vgpu.module, key) ? load<u64>(VALUES + (vgpu.index * PARAMS + key) * 8) : 0;
}
