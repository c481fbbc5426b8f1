// SPDX-License-Identifier: MIT
//
// Lines for the log, without a heap: a line is built in a static buffer and handed over whole. String literals are
// read where the compiler laid them (UTF-16, the length in bytes 4 bytes before), never copied or joined.

import { log } from "./capability";

const LINE_MAX: u32 = 120;
const line: usize = memory.data(120);
let used: u32 = 0;

/** One ASCII character; what does not fit the line is dropped. */
function putChar(character: u32): void {
  if (used >= LINE_MAX) return;
  store<u8>(line + used, <u8>character);
  used++;
}

/** A string literal, ASCII only. */
export function putText(text: string): void {
  const at = changetype<usize>(text);
  const bytes = load<u32>(at - 4);
  for (let i: u32 = 0; i < bytes; i += 2) putChar(load<u16>(at + i));
}

/** A decimal number. */
export function putNumber(value: u64): void {
  let divisor: u64 = 1;
  while (value / divisor >= 10) divisor *= 10;
  for (; divisor != 0; divisor /= 10) putChar(48 + <u32>((value / divisor) % 10));
}

/** Hand the line over and begin a new one. */
export function endLine(): void {
  log(<u32>line, used);
  used = 0;
}
