// SPDX-License-Identifier: MIT
//
// Writing a WebAssembly binary: bytes that grow, numbers in LEB128, a section in its envelope.

export const I32 = 0x7f;
export const I64 = 0x7e;

/** Opcodes that the instrumenter itself emits (core specification 2.0, 5.4). */
export const OP = {
  unreachable: 0x00,
  if: 0x04,
  end: 0x0b,
  call: 0x10,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i64Load: 0x29,
  i32Load8U: 0x2d,
  i64Store: 0x37,
  i32Store8: 0x3a,
  i32Const: 0x41,
  i64Const: 0x42,
  i64Eqz: 0x50,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i32Clz: 0x67,
  i32Popcnt: 0x69,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrS: 0x75,
  i32ShrU: 0x76,
  i64Clz: 0x79,
  i64Popcnt: 0x7b,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64And: 0x83,
  i64Or: 0x84,
  i64Xor: 0x85,
  i64Shl: 0x86,
  i64ShrS: 0x87,
  i64ShrU: 0x88,
  i32WrapI64: 0xa7,
  i64ExtendU: 0xad,
} as const;
export const BLOCK_EMPTY = 0x40;

export class Writer {
  private bytes = new Uint8Array(1 << 12);
  length = 0;

  byte(...values: number[]): this {
    for (const value of values) {
      if (this.length === this.bytes.length) this.grow(this.length + 1);
      this.bytes[this.length++] = value;
    }
    return this;
  }

  raw(bytes: Uint8Array): this {
    if (this.length + bytes.length > this.bytes.length) this.grow(this.length + bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  u32(value: number): this {
    let left = value;
    while (left >= 0x80) {
      this.byte((left & 0x7f) | 0x80);
      left = Math.floor(left / 0x80);
    }
    return this.byte(left);
  }

  signed(value: bigint): this {
    let left = value;
    while (left < -64n || left > 63n) {
      this.byte(Number(left & 0x7fn) | 0x80);
      left >>= 7n;
    }
    return this.byte(Number(left & 0x7fn));
  }

  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    return this.u32(bytes.length).raw(bytes);
  }

  section(id: number, body: Writer): this {
    return this.byte(id).u32(body.length).raw(body.done());
  }

  // --- instructions ---

  op(opcode: number, index?: number): this {
    this.byte(opcode);
    return index === undefined ? this : this.u32(index);
  }

  i32(value: number): this {
    return this.byte(OP.i32Const).signed(BigInt(value | 0));
  }

  i64(value: bigint): this {
    return this.byte(OP.i64Const).signed(BigInt.asIntN(64, value));
  }

  done(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private grow(needed: number): void {
    const more = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    more.set(this.done());
    this.bytes = more;
  }
}
