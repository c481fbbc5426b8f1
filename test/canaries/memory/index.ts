// SPDX-License-Identifier: MIT
//
// A device that takes its work from guest memory: messages, scatter lists, chains of descriptors, buffers. One bug is
// planted in each build (bug.ts); with none it is sound.
//
//   0x00 ADDRESS  a guest-physical address below 4 GiB
//   0x04 MESSAGE  reads {length u32, kind u32, payload} there   0x08 LIST  a list of {gpa u64, bytes u64}, so many
//   0x0c CHAIN    descriptors of 16 bytes {value u64, length u32, flags u16, next u16} there, from this index
//   0x10 MAP      a page there as a buffer; its number is kept   0x14 UNMAP   0x18 LOOK  reads 8 bytes of the buffer

import { CAPABILITY_OK } from "../../../unikernel/abi/module";
import { buffer_create, buffer_destroy, buffer_read, guest_read } from "../../../unikernel/sdk/capability";
import { BUG } from "./bug";

const DOUBLE_FETCH: u32 = 1;
const SUM_OVERFLOW: u32 = 2;
const STALE_BUFFER: u32 = 3;
const ENDLESS_CHAIN: u32 = 4;
const DESCRIPTOR_BEYOND: u32 = 5;

const GUARD: u32 = 0x5afe5afe;
const MESSAGE_MAX: u32 = 256;
const LIST_MAX: u32 = 8;
const GATHERED_MAX: u32 = 1024;
const DESCRIPTORS: u32 = 8;
const HAS_NEXT: u32 = 1;

const header: usize = memory.data(16, 8);
const message: usize = memory.data(MESSAGE_MAX + 8, 8);
const list: usize = memory.data(LIST_MAX * 16, 8);
const gathered: usize = memory.data(GATHERED_MAX + 8, 8);
const table: usize = memory.data(DESCRIPTORS * 16, 8);
const seen: usize = memory.data(DESCRIPTORS * 4 + 8, 8);

let address: u32 = 0;
let buffer: u32 = 0;
let looked: u32 = 0;

export function attach(): i32 {
  reset();
  return 0;
}

export function reset(): void {
  memory.fill(seen, 0, DESCRIPTORS * 4);
  store<u32>(message + MESSAGE_MAX, GUARD);
  store<u32>(gathered + GATHERED_MAX, GUARD);
  store<u32>(seen + DESCRIPTORS * 4, GUARD);
  address = buffer = looked = 0;
}

export function bar_read(_bar: u32, offset: u32, size: u32): u64 {
  if (size != 4) return 0;
  return offset == 0 ? address : offset == 0x18 ? looked : 0;
}

export function bar_write(_bar: u32, offset: u32, size: u32, wide: u64): void {
  if (size != 4) return;
  const value = <u32>wide;
  switch (offset) {
    case 0x00: address = value; break;
    case 0x04: receive(); break;
    case 0x08: gather(value); break;
    case 0x0c: follow(value); break;
    case 0x10: map(); break;
    case 0x14: unmap(); break;
    case 0x18: look(); break;
    default: break;
  }
  if (load<u32>(message + MESSAGE_MAX) != GUARD) unreachable();
  if (load<u32>(gathered + GATHERED_MAX) != GUARD) unreachable();
  if (load<u32>(seen + DESCRIPTORS * 4) != GUARD) unreachable();
}

function receive(): void {
  if (guest_read(address, <u32>header, 8) != CAPABILITY_OK) return;
  if (load<u32>(header) > MESSAGE_MAX) return;
  // The length was checked; fetched again it may be another.
  if (BUG == DOUBLE_FETCH && guest_read(address, <u32>header, 8) != CAPABILITY_OK) return;
  const length = load<u32>(header);
  if (length > 4096) unreachable();
  guest_read(<u64>address + 8, <u32>message, length);
}

function gather(count: u32): void {
  if (count == 0 || count > LIST_MAX) return;
  if (guest_read(address, <u32>list, count * 16) != CAPABILITY_OK) return;
  let sum: u32 = 0;
  let most: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    sum += load<u32>(list + i * 16, 8); // 32 bits: a sum of four lengths can be small again
    most += load<u32>(list + i * 16, 8);
  }
  if (BUG == SUM_OVERFLOW ? sum > GATHERED_MAX : most > GATHERED_MAX) return;
  let at: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const bytes = load<u32>(list + i * 16, 8);
    if (bytes > 4096) {
      memory.fill(gathered + at, 0, bytes);
      return;
    }
    guest_read(load<u64>(list + i * 16), <u32>gathered + at, bytes);
    at += bytes;
  }
}

function follow(first: u32): void {
  if (first >= DESCRIPTORS) return;
  if (guest_read(address, <u32>table, DESCRIPTORS * 16) != CAPABILITY_OK) return;
  let index = first;
  for (let turn: u32 = 0; BUG == ENDLESS_CHAIN || turn < DESCRIPTORS; turn++) {
    store<u32>(seen + index * 4, turn + 1);
    const flags: u32 = load<u16>(table + index * 16, 12);
    if (!(flags & HAS_NEXT)) return;
    index = load<u16>(table + index * 16, 14);
    if (index >= DESCRIPTORS) {
      if (BUG == DESCRIPTOR_BEYOND) store<u32>(seen + index * 4, 1);
      return;
    }
  }
}

function map(): void {
  if (buffer != 0) return;
  store<u64>(list, address);
  store<u64>(list, 4096, 8);
  buffer = buffer_create(<u32>list, 1);
}

function unmap(): void {
  if (buffer == 0) return;
  buffer_destroy(buffer);
  if (BUG != STALE_BUFFER) buffer = 0;
}

function look(): void {
  if (buffer == 0) return;
  if (buffer_read(buffer, 0, <u32>header, 8) == CAPABILITY_OK) looked = load<u32>(header);
}
