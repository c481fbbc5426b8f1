// SPDX-License-Identifier: MIT
//
// A window of device registers, as data. The window is an image of its bytes in linear memory, with a second image
// of the same size that says which bits a guest may write; a table fills both. So any size and any alignment of an
// access is answered the same way, by construction, and a device adds only what a write *does*:
//
//   table row (12 bytes)     0 ┌ offset u32 ┬ 4 reset value u32 ┬ 8 writable bits u32 ┐ 12
//   image of n bytes         what the guest reads
//   writable, n bytes        a 1 where the guest may write
//
// Offsets and sizes come from a guest: every function here is safe for every value of them.

/** What a read of nothing gives: all ones, as on a real bus. */
export const OPEN_BUS: u64 = 0xffff_ffff_ffff_ffff;

export const ROW_BYTES: u32 = 12;

/** Whether this is an access (1, 2, 4 or 8 bytes) whose bytes all lie in a window of `bytes` bytes. */
// @ts-ignore: decorator
@inline
export function inWindow(bytes: u32, offset: u32, size: u32): bool {
  return size - 1 < 8 && (size & (size - 1)) == 0 && offset < bytes && size <= bytes - offset;
}

/** Whether an access to [offset, offset + size) touches the register at [at, at + bytes). */
// @ts-ignore: decorator
@inline
export function touches(offset: u32, size: u32, at: u32, bytes: u32): bool {
  return offset < at + bytes && at < offset + size;
}

/** Fill image and writable image (each `bytes` long, zeroed first) from `rows` table rows of `width` bytes each. */
export function registersReset(image: usize, writable: usize, bytes: u32, table: usize, rows: u32, width: u32): void {
  memory.fill(image, 0, bytes);
  memory.fill(writable, 0, bytes);
  for (let row: u32 = 0; row < rows; row++) {
    const at = table + row * ROW_BYTES;
    const offset = load<u32>(at);
    storeSized(image + offset, width, load<u32>(at, 4));
    storeSized(writable + offset, width, load<u32>(at, 8));
  }
}

/** The bytes at [offset, offset + size) of the image; all ones when they do not all lie in it. */
export function registersRead(image: usize, bytes: u32, offset: u32, size: u32): u64 {
  if (!inWindow(bytes, offset, size)) return OPEN_BUS;
  return loadSized(image + offset, size);
}

/** Change the writable bits of [offset, offset + size); false (and nothing done) when not all of it is a window. */
export function registersWrite(image: usize, writable: usize, bytes: u32, offset: u32, size: u32, value: u64): bool {
  if (!inWindow(bytes, offset, size)) return false;
  const mask = loadSized(writable + offset, size);
  const old = loadSized(image + offset, size);
  storeSized(image + offset, size, (old & ~mask) | (value & mask));
  return true;
}

/** 1, 2, 4 or 8 bytes from memory; all ones for another size. */
export function loadSized(at: usize, size: u32): u64 {
  switch (size) {
    case 1: return load<u8>(at);
    case 2: return load<u16>(at);
    case 4: return load<u32>(at);
    case 8: return load<u64>(at);
    default: return OPEN_BUS;
  }
}

/** 1, 2, 4 or 8 bytes to memory; nothing for another size. */
export function storeSized(at: usize, size: u32, value: u64): void {
  switch (size) {
    case 1: store<u8>(at, <u8>value); break;
    case 2: store<u16>(at, <u16>value); break;
    case 4: store<u32>(at, <u32>value); break;
    case 8: store<u64>(at, value); break;
    default: break;
  }
}
