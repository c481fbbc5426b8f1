// SPDX-License-Identifier: MIT
//
// Our own bugs: stop at once, say which assertion and with what. Never used for what a guest or a module does.

import { shim_panic } from "../abi/shim";

export const PANIC_GUEST_INDEX: u32 = 0x101;
export const PANIC_VGPU_INDEX: u32 = 0x102;
export const PANIC_VGPU_STATE: u32 = 0x103;
export const PANIC_BAR_INDEX: u32 = 0x104;
export const PANIC_REGION_TABLE: u32 = 0x105;
export const PANIC_MODULE_INDEX: u32 = 0x106;
export const PANIC_STRUCT_SIZE: u32 = 0x107;
export const PANIC_XENSTORE_LENGTH: u32 = 0x108;
export const PANIC_ENTRY: u32 = 0x109;
export const PANIC_COUNTER: u32 = 0x10a;
export const PANIC_PIECE: u32 = 0x10b;
export const PANIC_SCHED_HEAP: u32 = 0x120;
export const PANIC_SCHED_ENTITY: u32 = 0x121;
export const PANIC_SCHED_QUEUE: u32 = 0x122;
export const PANIC_SCHED_ENGINE: u32 = 0x123;

@inline
export function check(holds: bool, code: u32, detail: u64): void {
  if (!holds) fail(code, detail);
}

function fail(code: u32, detail: u64): void {
  shim_panic(code, detail);
  unreachable();
}
