// SPDX-License-Identifier: MIT
//
// What a broken or hostile module can do, one number each. Every one must end in the fault named, lose this device,
// and be unnoticed by everybody else.

import { irq_raise, log } from "../../../unikernel/sdk/capability";

const UNREACHABLE: u32 = 1; // fault "unreachable"
const ENDLESS_LOOP: u32 = 2; // fault "fuel"
const DEEP_RECURSION: u32 = 3; // fault "stack", or "fuel" where that is shorter
const READ_BEYOND_MEMORY: u32 = 4; // fault "memory"
const WRITE_BEYOND_MEMORY: u32 = 5; // fault "memory"
const DIVIDE_BY_ZERO: u32 = 6; // fault "arithmetic"
const WRONG_VECTOR: u32 = 7; // fault "capability"
const TEXT_BEYOND_MEMORY: u32 = 8; // fault "capability"
const FILL_BEYOND_FUEL: u32 = 9; // fault "fuel": bulk work is charged by its length

const BEYOND: usize = 0xfffffff0;

// Somewhere for results to go, so that no compiler finds the misdeeds needless.
const sink: usize = memory.data(8);

export function misdeed(kind: u32): void {
  switch (kind) {
    case UNREACHABLE: unreachable();
    case ENDLESS_LOOP: spin(); break;
    case DEEP_RECURSION: store<u32>(sink, descend(kind)); break;
    case READ_BEYOND_MEMORY: store<u32>(sink, load<u32>(BEYOND)); break;
    case WRITE_BEYOND_MEMORY: store<u32>(BEYOND, kind); break;
    case DIVIDE_BY_ZERO: store<u32>(sink, kind / load<u32>(sink, 4)); break;
    case WRONG_VECTOR: irq_raise(0xffffffff); break;
    case TEXT_BEYOND_MEMORY: log(<u32>BEYOND, 16); break;
    case FILL_BEYOND_FUEL: fillForEver(); break;
    default: break;
  }
}

function spin(): void {
  while (load<u32>(sink) != 0xffffffff) store<u32>(sink, 1);
}

// The sum after the call keeps a compiler from making a loop of it.
function descend(depth: u32): u32 {
  return depth == load<u32>(sink, 4) ? 0 : descend(depth + 1) + 1;
}

function fillForEver(): void {
  while (load<u32>(sink, 4) == 0) memory.fill(0x8000, 0, 0x8000);
}
