// SPDX-License-Identifier: MIT
//
// A module that does wrong on order: a write of a number of deeds.ts into MISDEED. What the packer lets through and
// what must be contained when it runs; table.ts says how. Linked into test images only.
//
//   0x00 IDENTITY  0x47424448 ("HDBG" in memory), read only
//   0x04 SCRATCH   keeps what is written
//   0x14 MISDEED   a write makes the module do wrong; reads as how often it came back from that since the reset
//
// BAR 2 is 64 KiB of RAM: for scanouts and copies. Parameter "fails": attach traps (1) or answers 7 (2).

import { FORMAT_XRGB8888, TRANSFER_BYTES_MAX } from "../../../unikernel/abi/module";
import * as C from "../../../unikernel/sdk/capability";
import * as D from "./deeds";

const IDENTITY: u32 = 0x47424448;
const SCRATCH: u32 = 0x04;
const MISDEED: u32 = 0x14;
const PARAM_FAILS: u32 = 0;
const TRAP_BAR: u32 = 0;
const RAM_BAR: u32 = 2;
const RAM_BYTES: u64 = 0x10000;

const MEMORY_BYTES: usize = 0x10000;
/** Static offsets of loads and stores: address and offset together must not wrap. */
const OFFSET: usize = 0x100;
/** The bits of a handle that name its vGPU. */
const ANOTHER: u32 = 1 << 6;

// Where results go and numbers come from, so that no compiler finds a misdeed needless or sees through it.
const sink: usize = memory.data(16);
const list: usize = memory.data(64);

let scratch: u32 = 0;
let survived: u32 = 0;

export function attach(): i32 {
  const fails = <u32>C.param(PARAM_FAILS);
  if (fails == 1) unreachable();
  reset();
  return fails == 2 ? 7 : 0;
}

export function reset(): void {
  scratch = 0;
  survived = 0;
}

export function bar_read(bar: u32, offset: u32, size: u32): u64 {
  switch (offset) {
    case 0: return IDENTITY;
    case SCRATCH: return scratch;
    case MISDEED: return survived;
    default: return u64.MAX_VALUE;
  }
}

export function bar_write(bar: u32, offset: u32, size: u32, value: u64): void {
  if (offset == SCRATCH) scratch = <u32>value;
  if (offset != MISDEED) return;
  const kind = <u32>value;
  if (kind < <u32>D.UNREACHABLE) inMemory(kind);
  else if (kind < <u32>D.GUEST_ADDRESS_TOP) inGeneral(kind);
  else if (kind < <u32>D.CALL_BEYOND_THE_TABLE) withMemory(kind);
  else indirectly(kind);
  survived++;
}

// --- loops, stack, the module's own memory ---

function inMemory(kind: u32): void {
  const zero = load<u32>(sink);
  const end = MEMORY_BYTES + zero;
  const far = <usize>0xffffffff - zero;
  switch (kind) {
    case D.ENDLESS_LOOP: while (load<u32>(sink) == 0) store<u32>(sink, 1, 4); break;
    case D.ENDLESS_RECURSION: keep(descend(1)); break;
    case D.STACK_HOG: keep(hog(1, 2, 3, 4, 5, 6, 7, 8)); break;
    case D.LOAD_LAST_BYTE: keep(load<u8>(end - 1) + load<u8>(end - 1 - OFFSET, OFFSET)); break;
    case D.LOAD_ONE_BEYOND: keep(load<u8>(end - OFFSET, OFFSET)); break;
    case D.LOAD_ADDRESS_WRAPS: keep(load<u32>(far, OFFSET)); break;
    case D.STORE_LAST_BYTE: store<u32>(end - 4, 1); break;
    case D.STORE_ONE_BEYOND: store<u32>(end - 3, 1); break;
    case D.STORE_ADDRESS_WRAPS: store<u8>(far, 1, OFFSET); break;
    case D.FILL_LAST_BYTE: memory.fill(end - 64, 0, 64 + zero); break;
    case D.FILL_ONE_BEYOND: memory.fill(end - 64, 0, 65 + zero); break;
    case D.FILL_WRAPS: memory.fill(far, 0, 2 + zero); break;
    case D.COPY_LAST_BYTE: memory.copy(end - 64, end - 100, 64 + zero); break;
    case D.COPY_SOURCE_BEYOND: memory.copy(end - 200, end - 64, 65 + zero); break;
    case D.COPY_TARGET_BEYOND: memory.copy(end - 64, end - 200, 65 + zero); break;
    case D.COPY_WRAPS: memory.copy(end - 200, far, 2 + zero); break;
    default: break;
  }
}

function keep(value: u32): void {
  store<u32>(sink, value, 8);
}

// The sum after the call keeps a compiler from making a loop of it.
function descend(depth: u32): u32 {
  return depth == load<u32>(sink) ? 0 : descend(depth + 1) + 1;
}

/** Each level keeps eight numbers across the call. */
function hog(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64): u32 {
  const below = load<u32>(sink) != 0 ? 0 : hog(b + 1, c + 2, d + 3, e + 4, f + 5, g + 6, h + 7, a + 8);
  return below + <u32>(a ^ (b << 1) ^ (c << 2) ^ (d << 3) ^ (e << 4) ^ (f << 5) ^ (g << 6) ^ (h << 7));
}

// --- traps, fuel, interrupts, log, scanouts ---

function inGeneral(kind: u32): void {
  const zero = load<u32>(sink);
  switch (kind) {
    case D.UNREACHABLE: unreachable();
    case D.DIVIDE_BY_ZERO: keep(kind / zero); break;
    case D.DIVIDE_SMALLEST: keep(<u32>(<i32>(0x80000000 + zero) / <i32>(zero - 1))); break;
    case D.BURN_IN_BULK: while (load<u32>(sink) == 0) memory.fill(0x8000, 0, 0x8000); break;
    case D.BURN_IN_COPIES: burnInCopies(); break;
    case D.INTERRUPT_STORM: for (let i = 0; i < 1000; i++) C.irq_raise(0); break;
    case D.WRONG_VECTOR: C.irq_raise(4 + zero); break;
    case D.LOG_STORM: for (let i = 0; i < 1000; i++) C.log(<u32>list, 32); break;
    case D.LOG_OUTSIDE_MEMORY: C.log(<u32>(MEMORY_BYTES - 8), 9); break;
    case D.WRONG_SCANOUT: C.scanout_set(1 + zero, RAM_BAR, 0, 1, 1, 4, FORMAT_XRGB8888); break;
    case D.SCANOUT_OF_A_TRAP_BAR: C.scanout_set(0, TRAP_BAR, 0, 1, 1, 4, FORMAT_XRGB8888); break;
    case D.SCANOUT_BEYOND_THE_BAR: C.scanout_set(0, RAM_BAR, RAM_BYTES - 3, 1, 1, 4, FORMAT_XRGB8888); break;
    default: break;
  }
}

/** Within its own BAR, so that no guest loses anything by it. */
function burnInCopies(): void {
  const buffer = C.buffer_bar(RAM_BAR, 0, RAM_BYTES);
  while (load<u32>(sink) == 0) C.buffer_copy(buffer, 0, 0, buffer, 0, 0, 1, 0x10000);
}

// --- guest memory and buffers ---

function withMemory(kind: u32): void {
  const at = <u32>list;
  const end = <u32>MEMORY_BYTES;
  switch (kind) {
    case D.GUEST_ADDRESS_TOP: C.guest_read(u64.MAX_VALUE, at, 16); break;
    case D.GUEST_ADDRESS_WRAPS: C.guest_write(u64.MAX_VALUE - 4095, at, 4096); break;
    case D.GUEST_BYTES_OUTSIDE_MEMORY: C.guest_read(0x1000, end - 15, 16); break;
    case D.GUEST_BYTES_TOO_MANY: C.guest_read(0x1000, 0, TRANSFER_BYTES_MAX + 1); break;
    case D.HANDLE_ZERO: C.buffer_read(0, 0, at, 1); break;
    case D.HANDLE_OF_ANOTHER_VGPU: C.buffer_read(some() ^ ANOTHER, 0, at, 1); break;
    case D.HANDLE_AFTER_FREE: C.buffer_read(freed(), 0, at, 1); break;
    case D.LIST_OVERFLOWS: C.buffer_create(listOf(0x1000, 1 << 47, 0x1000, 0 - (<u64>1 << 47)), 2); break;
    case D.LIST_AT_THE_TOP: C.buffer_create(listOf(u64.MAX_VALUE, 1, 0x1000, 0x1000), 2); break;
    case D.LIST_COUNT_HUGE: C.buffer_create(at, 0x10000001); break;
    case D.LIST_OUTSIDE_MEMORY: C.buffer_create(end - 4095, 256); break;
    case D.BUFFERS_WITHOUT_END: for (let i = 0; i < 100; i++) C.buffer_create(at, 0); break;
    case D.BUFFER_OF_A_TRAP_BAR: C.buffer_bar(TRAP_BAR, 0, 1); break;
    case D.BUFFER_BEYOND_THE_BAR: C.buffer_bar(RAM_BAR, 1, RAM_BYTES); break;
    case D.COPY_BEYOND_THE_END: copyAt(RAM_BYTES - 63); break;
    case D.COPY_OFFSET_WRAPS: copyAt(u64.MAX_VALUE - 31); break;
    case D.COPY_TOO_MUCH: C.buffer_copy(some(), 0, 0, some(), 0, 0, 0x10000, 0x10000); break;
    case D.SCANOUT_OF_A_FREED_BUFFER: C.scanout_set_buffer(0, freed(), 0, 1, 1, 4, FORMAT_XRGB8888); break;
    case D.BUFFER_FREED_WHILE_SHOWN: showAndFree(); break;
    default: break;
  }
}

// --- calls through the table: it has these two, so that both types are there, and a third entry that is empty ---

function ofOne(a: u32): u32 {
  return a + 1;
}

function ofTwo(a: u32, b: u32): u32 {
  return a + b;
}

function indirectly(kind: u32): void {
  const one = (<(a: u32) => u32>ofOne).index + load<u32>(sink);
  const two = (<(a: u32, b: u32) => u32>ofTwo).index + load<u32>(sink);
  switch (kind) {
    case D.CALL_BEYOND_THE_TABLE: keep(call_indirect<u32>(one + two, kind)); break; // 1 + 2
    case D.CALL_OF_ANOTHER_TYPE: keep(call_indirect<u32>(one, kind, kind)); break;
    default: break;
  }
}

function some(): u32 {
  return C.buffer_bar(RAM_BAR, 0, RAM_BYTES);
}

function freed(): u32 {
  const buffer = some();
  C.buffer_destroy(buffer);
  return buffer;
}

function listOf(gpa: u64, bytes: u64, gpa2: u64, bytes2: u64): u32 {
  store<u64>(list, gpa);
  store<u64>(list, bytes, 8);
  store<u64>(list, gpa2, 16);
  store<u64>(list, bytes2, 24);
  return <u32>list;
}

function copyAt(offset: u64): void {
  const buffer = some();
  C.buffer_copy(buffer, offset, 0, buffer, 0, 0, 64, 1);
}

function showAndFree(): void {
  const buffer = some();
  C.scanout_set_buffer(0, buffer, 0, 16, 16, 64, FORMAT_XRGB8888);
  C.buffer_destroy(buffer);
}
