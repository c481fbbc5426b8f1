// SPDX-License-Identifier: MIT
//
// Words for people and for xenstore: bounded byte buffers to write into, and a cursor to read words and numbers from.
//
// String literals occur in the core only as arguments and answers of functions here and beside: the compiler lays
// them out as constant UTF-16 data, put() copies their low bytes. No string object is ever made.
// A Text that is full drops what comes after: every text has a reader who wants the beginning.
// number(), putWide() and their like call themselves for what is long, so that the compiler does not copy their loops
// to each of some hundred places: these made up almost half of core.wasm.

//      ┌ capacity u32 ┬ length u32 ┬ bytes ... ┐
export const TEXT_HEADER_BYTES: u32 = 8;

const PART: u32 = 64;

/** Bytes of which only printable ASCII is taken as it is. */
function quoteBytes(text: Text, from: usize, count: u32): void {
  const part = min<u32>(count, PART);
  for (let i: u32 = 0; i < part; i++) {
    const value: u32 = load<u8>(from + i);
    text.byte(value >= 0x20 && value < 0x7f ? value : 0x3f);
  }
  if (count > PART) quoteBytes(text, from + PART, count - PART);
}

/** The low bytes of UTF-16, a part at a time. */
function putWide(text: Text, at: usize, count: u32): void {
  const part = min<u32>(count, PART);
  for (let i: u32 = 0; i < part; i++) text.byte(load<u8>(at + (i << 1)));
  if (count > PART) putWide(text, at + (PART << 1), count - PART);
}

@unmanaged
export class Text {
  capacity: u32;
  length: u32;

  @inline get bytes(): usize {
    return changetype<usize>(this) + TEXT_HEADER_BYTES;
  }

  clear(): Text {
    this.length = 0;
    return this;
  }

  byte(value: u32): Text {
    if (this.length < this.capacity) {
      store<u8>(this.bytes + this.length, <u8>value);
      this.length++;
    }
    return this;
  }

  put(words: string): Text {
    putWide(this, changetype<usize>(words), <u32>words.length);
    return this;
  }

  /** Bytes that somebody else chose: what is not printable ASCII becomes '?'. */
  quote(from: usize, count: u32): Text {
    quoteBytes(this, from, count);
    return this;
  }

  /** A NUL-padded field of at most `size` bytes. */
  field(from: usize, size: u32): Text {
    return this.quote(from, fieldLength(from, size));
  }

  number(value: u64): Text {
    if (value >= 10) this.number(value / 10);
    return this.byte(<u32>(value % 10) + 0x30);
  }

  signed(value: i64): Text {
    if (value >= 0) return this.number(value);
    return this.byte(0x2d).number(0 - <u64>value);
  }

  /** Hexadecimal digits, at least `digits` of them, without a prefix. */
  digits(value: u64, digits: u32): Text {
    let left: u32 = 16;
    while (left > digits && value >> ((left - 1) * 4) == 0) left--;
    while (left-- > 0) {
      const nibble = <u32>(value >> (left * 4)) & 15;
      this.byte(nibble < 10 ? nibble + 0x30 : nibble + 0x57);
    }
    return this;
  }

  hex(value: u64): Text {
    return this.put("0x").digits(value, 1);
  }

  copy(other: Text): Text {
    for (let i: u32 = 0; i < other.length; i++) this.byte(load<u8>(other.bytes + i));
    return this;
  }
}

/** An empty text in `bytes` bytes of static memory, header included. */
export function textAt(base: usize, bytes: u32): Text {
  const text = changetype<Text>(base);
  text.capacity = bytes - TEXT_HEADER_BYTES;
  return text.clear();
}

export function fieldLength(from: usize, size: u32): u32 {
  let length: u32 = 0;
  while (length < size && load<u8>(from + length) != 0) length++;
  return length;
}

export function equals(at: usize, length: u32, words: string): bool {
  if (length != <u32>words.length) return false;
  return sameWide(at, changetype<usize>(words), length);
}

function sameWide(at: usize, wide: usize, count: u32): bool {
  const part = min<u32>(count, PART);
  for (let i: u32 = 0; i < part; i++) if (load<u8>(at + i) != load<u8>(wide + (i << 1))) return false;
  return count <= PART || sameWide(at + PART, wide + (PART << 1), count - PART);
}

export function startsWith(at: usize, length: u32, words: string): bool {
  const count = <u32>words.length;
  return length >= count && equals(at, count, words);
}

export function sameBytes(a: usize, aLength: u32, b: usize, bLength: u32): bool {
  if (aLength != bLength) return false;
  for (let i: u32 = 0; i < aLength; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

/** The number that the last parseNumber() which answered true has read. */
export let parsed: u64 = 0;

/** Decimal digits only, nothing around them, no overflow of 64 bits. */
export function parseNumber(at: usize, length: u32): bool {
  if (length == 0 || length > 20) return false; // 2^64 has 20 digits
  let value: u64 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const digit: u32 = <u32>load<u8>(at + i) - 0x30;
    if (digit > 9) return false;
    if (value > (u64.MAX_VALUE - digit) / 10) return false;
    value = value * 10 + digit;
  }
  parsed = value;
  return true;
}

/** Reads words with one or more separators between them. `at` and `length` are the word last found. */
@unmanaged
export class Words {
  at: usize;
  length: u32;
  next_at: usize;
  end: usize;

  open(from: usize, bytes: u32): Words {
    this.next_at = from;
    this.end = from + bytes;
    return this;
  }

  next(separator: u32): bool {
    while (this.next_at < this.end && load<u8>(this.next_at) == separator) this.next_at++;
    this.at = this.next_at;
    while (this.next_at < this.end && load<u8>(this.next_at) != separator) this.next_at++;
    this.length = <u32>(this.next_at - this.at);
    return this.length != 0;
  }

  is(words: string): bool {
    return equals(this.at, this.length, words);
  }

  number(): bool {
    return parseNumber(this.at, this.length);
  }
}
export const WORDS_BYTES: u32 = 16;

export const SPACE: u32 = 0x20;
export const SLASH: u32 = 0x2f;
export const NUL: u32 = 0;
