// SPDX-License-Identifier: MIT
//
// Writing a WebAssembly binary: bytes that grow, numbers in LEB128, a section in its envelope.

import { OP } from "./opcode.js";

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
