// SPDX-License-Identifier: MIT
//
// Opcodes and types of WebAssembly by name (core specification 2.0, 5.3 and 5.4): those that the instrumenter emits and
// those that it looks for, and the groups that it treats alike. Others pass through it as bytes.

export const I32 = 0x7f;
export const I64 = 0x7e;
export const FUNCTION_TYPE = 0x60;
export const BLOCK_EMPTY = 0x40;

export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Load: 0x28,
  i64Load: 0x29,
  i32Load8U: 0x2d,
  i32Store: 0x36,
  i64Store: 0x37,
  i32Store8: 0x3a,
  i64Store8: 0x3c,
  i64Store32: 0x3e,
  memorySize: 0x3f,
  i32Const: 0x41,
  i64Const: 0x42,
  // Comparisons, of either width: eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u.
  i32Eqz: 0x45,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i32GeU: 0x4f,
  i64Eqz: 0x50,
  i64Ne: 0x52,
  i64LtS: 0x53,
  i64GeU: 0x5a,
  i32Clz: 0x67,
  i32Popcnt: 0x69,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
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
  /** memory.copy and memory.fill by the number behind it: both end in a count and begin with a destination. */
  bulk: 0xfc,
} as const;
/** Behind OP.bulk. */
export const MEMORY_COPY = 10;

/** Behind these another straight line begins. */
const BORDERS: ReadonlySet<number> = new Set([
  OP.unreachable,
  OP.loop,
  OP.if,
  OP.else,
  OP.end,
  OP.br,
  OP.brIf,
  OP.brTable,
  OP.return,
]);

export function endsBlock(opcode: number): boolean {
  return BORDERS.has(opcode);
}

export function isEqual(opcode: number): boolean {
  return (opcode >= OP.i32Eqz && opcode <= OP.i32Ne) || (opcode >= OP.i64Eqz && opcode <= OP.i64Ne);
}

export function isOrder(opcode: number): boolean {
  return (opcode >= OP.i32LtS && opcode <= OP.i32GeU) || (opcode >= OP.i64LtS && opcode <= OP.i64GeU);
}

/** Of comparisons: are the operands of 64 bits? */
export function isWide(opcode: number): boolean {
  return opcode >= OP.i64Eqz && opcode <= OP.i64GeU;
}

/** Of equalities: is the other side 0? */
export function isWithZero(opcode: number): boolean {
  return opcode === OP.i32Eqz || opcode === OP.i64Eqz;
}

/** Of integers and, which are refused before, of floats. */
export function isStore(opcode: number): boolean {
  return opcode >= OP.i32Store && opcode <= OP.i64Store32;
}

/** Of integer stores: is the value of 64 bits, whatever part of it is stored? */
export function storesWide(opcode: number): boolean {
  return opcode === OP.i64Store || opcode >= OP.i64Store8;
}

/** Loads and stores: alignment and offset follow. */
export function reachesMemory(opcode: number): boolean {
  return opcode >= OP.i32Load && opcode <= OP.i64Store32;
}
