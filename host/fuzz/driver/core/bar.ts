// SPDX-License-Identifier: MIT
//
// Stands in for unikernel/core/vgpu/bar.ts: BARs as the host set them up. A guest has mapped those of kind `ram`.

import { BAR_KIND_RAM } from "../../../../unikernel/abi/manifest";
import { barBase } from "../ram";
import { BARS, barBytes, barKind } from "../setup";

@unmanaged
export class Bar {
  kind: u32;
  ram_pages: u32;
  size_bytes: u64;
  ram_gfn: u64;
}
const BAR_BYTES: u32 = 24;

const TABLE: usize = memory.data(BARS * BAR_BYTES, 8);

export function barAt(_vgpu: u32, i: u32): Bar {
  const bar = changetype<Bar>(TABLE + i * BAR_BYTES);
  bar.kind = barKind(i);
  bar.size_bytes = barBytes(i);
  bar.ram_gfn = barBase(i) >> 12;
  bar.ram_pages = bar.kind == BAR_KIND_RAM ? <u32>(bar.size_bytes >> 12) : 0;
  return bar;
}
