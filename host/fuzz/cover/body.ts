// SPDX-License-Identifier: MIT
//
// One function's instructions with coverage, dirty bits and depth in between. Each addition leaves the stack as it was
// and keeps what it needs in six locals of its own, behind the function's.

import { ADDED_IMPORTS, type Builder, EDGE, PAIR, type Site, type SiteKind } from "./builder.js";
import { DEPTH_MAX } from "./depth.js";
import {
  BLOCK_EMPTY,
  endsBlock,
  I32,
  I64,
  isEqual,
  isOrder,
  isStore,
  isWide,
  isWithZero,
  OP,
  storesWide,
} from "./opcode.js";
import { type Instruction, nextInstruction, type WasmModule } from "./reader.js";
import { Writer } from "./writer.js";

export interface CoveredBody {
  writer: Writer;
  /** [byte in the writer, byte in the input file], ascending. */
  places: [number, number][];
}

interface Scratch {
  a32: number;
  b32: number;
  c32: number;
  a64: number;
  b64: number;
  t64: number;
}

export function coverBody(b: Builder, index: number): CoveredBody {
  const body = b.module.bodies[index] as WasmModule["bodies"][number];
  const func = b.module.imports.length + index;
  const type = b.module.types[b.module.functions[func] as number];
  const first = (type?.parameters.length ?? 0) + body.locals.reduce((sum, [count]) => sum + count, 0);
  const scratch: Scratch = {
    a32: first,
    b32: first + 1,
    c32: first + 2,
    a64: first + 3,
    b64: first + 4,
    t64: first + 5,
  };
  const out = new Writer().u32(body.locals.length + 2);
  for (const [count, one] of body.locals) out.u32(count).byte(one);
  out.u32(3).byte(I32).u32(3).byte(I64);
  const places: CoveredBody["places"] = [[out.length, body.code.at]];
  const walker = new BodyCover(b, out, scratch, func);
  walker.enter(body.code.at);
  const cursor = { ...body.code };
  while (cursor.at < cursor.end) {
    const one = nextInstruction(cursor);
    walker.before(one);
    places.push([out.length, one.start]);
    walker.emit(one);
    walker.after(one);
    if (b.countsBlocks && endsBlock(one.opcode) && cursor.at < cursor.end) walker.block(one.end);
  }
  return { writer: out, places };
}

class BodyCover {
  /** Of conditions that share a word. */
  private conditions = 0;
  private word = -1;
  private blocks = 0;
  private blockWord = -1;
  private previous: Instruction[] = [];
  /** The value on top of the stack is an instrumented comparison's. */
  private compared = false;
  private skipNextIf = false;

  constructor(
    private readonly b: Builder,
    private readonly out: Writer,
    private readonly s: Scratch,
    private readonly func: number,
  ) {}

  enter(offset: number): void {
    const site = this.site("function", this.b.words++, 0, offset);
    this.out.i64(1n).op(OP.localSet, this.s.t64);
    this.first(site, () => this.out.i32(site).op(OP.call, EDGE));
  }

  /** The instructions from this byte on are run. */
  block(offset: number): void {
    const bit = this.blocks++ % 64;
    if (bit === 0) this.blockWord = this.b.words++;
    const site = this.site("block", this.blockWord, bit, offset);
    this.out.i64(1n << BigInt(bit)).op(OP.localSet, this.s.t64);
    this.first(site, () => this.out.i32(site).op(OP.call, EDGE));
  }

  /** What runs before the instruction; may look at the stack, leaves it as it was. */
  before(one: Instruction): void {
    const { opcode } = one;
    if (one.opcode === OP.i32Const || one.opcode === OP.i64Const) this.b.constants.push(one.operand);
    if (isStore(opcode)) this.store(one);
    else if (opcode === OP.bulk) this.bulk();
    else if (isEqual(opcode) || isOrder(opcode)) this.keepOperands(one);
    else if (this.joins(opcode)) this.keepOperands(one);
    else if (opcode === OP.if || opcode === OP.brIf || opcode === OP.select) this.condition(one);
    else if (opcode === OP.brTable) this.table(one);
    else if (this.countsDepthOf(one)) this.deeper();
  }

  emit(one: Instruction): void {
    if (one.opcode === OP.call) this.out.op(OP.call, Number(one.operand) + ADDED_IMPORTS);
    else this.out.raw(this.b.bytes.subarray(one.start, one.end));
  }

  after(one: Instruction): void {
    const { opcode } = one;
    const skip = this.isFuelCheck(one);
    if (isEqual(opcode) && !this.repeats(opcode)) this.equal(one);
    else if (isOrder(opcode) && !skip) this.order(one);
    else if (this.joins(opcode)) this.both(one);
    if (this.countsDepthOf(one)) this.shallower();
    this.compared = (isEqual(opcode) || isOrder(opcode) || this.joins(opcode)) && !skip;
    this.skipNextIf = skip;
    this.previous = [this.previous[1] ?? one, one];
  }

  /** eqz of a comparison says nothing new. */
  private repeats(opcode: number): boolean {
    return opcode === OP.i32Eqz && this.compared;
  }

  private joins(opcode: number): boolean {
    return this.compared && (opcode === OP.i32And || opcode === OP.i32Or);
  }

  /** global.get __fuel, i32.const 0, i32.lt_s: ours, not the module's. */
  private isFuelCheck(one: Instruction): boolean {
    const [get, zero] = this.previous;
    return (
      one.opcode === OP.i32LtS &&
      get?.opcode === OP.globalGet &&
      Number(get.operand) === this.b.fuelGlobal &&
      zero?.opcode === OP.i32Const
    );
  }

  private site(kind: SiteKind, word: number, bit: number, offset: number): number {
    return this.b.sites.push({ kind, word, bit, function: this.func, offset }) - 1;
  }

  /** t64 holds a bit: when it is not set in the site's word yet, set it and tell. */
  private first(site: number, tell: () => void): void {
    const global = this.b.firstWord + (this.b.sites[site] as Site).word;
    this.out.op(OP.globalGet, global).op(OP.localGet, this.s.t64).byte(OP.i64And, OP.i64Eqz, OP.if, BLOCK_EMPTY);
    this.out.op(OP.globalGet, global).op(OP.localGet, this.s.t64).byte(OP.i64Or).op(OP.globalSet, global);
    tell();
    this.out.byte(OP.end);
  }

  private keepOperands({ opcode }: Instruction): void {
    const { a32, b32, a64, b64 } = this.s;
    const [a, b] = isWide(opcode) ? [a64, b64] : [a32, b32];
    if (isWithZero(opcode)) this.out.op(OP.localTee, a);
    else this.out.op(OP.localSet, b).op(OP.localTee, a).op(OP.localGet, b);
  }

  private equal({ opcode, start }: Instruction): void {
    const site = this.site("equal", this.b.words++, 0, start);
    const { a32, b32, a64, b64, t64 } = this.s;
    const withZero = isWithZero(opcode);
    const out = this.out.i64(1n);
    if (isWide(opcode)) {
      out.op(OP.localGet, a64);
      if (!withZero) out.op(OP.localGet, b64).byte(OP.i64Xor);
      out.byte(OP.i64Popcnt);
    } else {
      out.op(OP.localGet, a32);
      if (!withZero) out.op(OP.localGet, b32).byte(OP.i32Xor);
      out.byte(OP.i32Popcnt, OP.i64ExtendU);
    }
    out.byte(OP.i64Shl).op(OP.localSet, t64);
    this.first(site, () => {
      out.i32(site);
      if (isWide(opcode)) out.op(OP.localGet, a64);
      else out.op(OP.localGet, a32).byte(OP.i64ExtendU);
      if (withZero) out.i64(0n);
      else if (isWide(opcode)) out.op(OP.localGet, b64);
      else out.op(OP.localGet, b32).byte(OP.i64ExtendU);
      out.op(OP.call, PAIR);
    });
  }

  /** The result is on the stack. d = a - b; d ^ (d >> top) is |d| or |d| - 1, so clz of it is at least 1. */
  private order({ opcode, start }: Instruction): void {
    const site = this.site("order", this.b.words++, 0, start);
    const { a32, b32, c32, a64, b64, t64 } = this.s;
    const out = this.out.op(OP.localTee, c32);
    out.i64(1n);
    if (isWide(opcode)) {
      out.op(OP.localGet, a64).op(OP.localGet, b64).byte(OP.i64Sub).op(OP.localTee, t64);
      out.op(OP.localGet, t64).i64(63n).byte(OP.i64ShrS, OP.i64Xor, OP.i64Clz).i64(1n).byte(OP.i64Sub);
      out.i64(1n).byte(OP.i64ShrU, OP.i32WrapI64);
    } else {
      out.op(OP.localGet, a32).op(OP.localGet, b32).byte(OP.i32Sub).op(OP.localSet, b32);
      out
        .op(OP.localGet, b32)
        .op(OP.localGet, b32)
        .i32(31)
        .byte(OP.i32ShrS, OP.i32Xor, OP.i32Clz)
        .i32(1)
        .byte(OP.i32Sub);
    }
    out.op(OP.localGet, c32).i32(5).byte(OP.i32Shl, OP.i32Or, OP.i64ExtendU, OP.i64Shl).op(OP.localSet, t64);
    this.first(site, () => {
      out.i32(site);
      if (isWide(opcode)) out.op(OP.localGet, a64).op(OP.localGet, b64);
      else {
        out.op(OP.localGet, a32).byte(OP.i64ExtendU);
        out.op(OP.localGet, a32).op(OP.localGet, b32).byte(OP.i32Sub, OP.i64ExtendU);
      }
      out.op(OP.call, PAIR);
    });
  }

  /** The operands were kept: what they are worth is 0 or not. */
  private both({ start }: Instruction): void {
    const site = this.site("both", this.b.words++, 0, start);
    const { a32, b32, t64 } = this.s;
    const out = this.out.i64(1n).i32(1).i32(0).op(OP.localGet, b32).byte(OP.select);
    out.i32(2).i32(0).op(OP.localGet, a32).byte(OP.select, OP.i32Or, OP.i64ExtendU, OP.i64Shl).op(OP.localSet, t64);
    this.first(site, () => this.out.i32(site).op(OP.call, EDGE));
  }

  private condition({ opcode, start }: Instruction): void {
    if (this.skipNextIf && opcode === OP.if) return;
    if (this.compared) return;
    const bit = (this.conditions++ % 32) * 2;
    if (bit === 0) this.word = this.b.words++;
    const site = this.site("condition", this.word, bit, start);
    const { c32, t64 } = this.s;
    this.out.op(OP.localTee, c32);
    this.out
      .i64(2n << BigInt(bit))
      .i64(1n << BigInt(bit))
      .op(OP.localGet, c32)
      .byte(OP.select)
      .op(OP.localSet, t64);
    this.first(site, () => this.out.i32(site).op(OP.call, EDGE));
  }

  private table({ operand, start }: Instruction): void {
    const site = this.site("switch", this.b.words++, 0, start);
    const most = operand > 63n ? 63 : Number(operand);
    const { c32, t64 } = this.s;
    this.out.op(OP.localTee, c32).i64(1n);
    this.out.op(OP.localGet, c32).i32(most).op(OP.localGet, c32).i32(most).byte(OP.i32LtU, OP.select);
    this.out.byte(OP.i64ExtendU, OP.i64Shl).op(OP.localSet, t64);
    this.first(site, () => this.out.i32(site).op(OP.localGet, c32).byte(OP.i64ExtendU).i64(operand).op(OP.call, PAIR));
  }

  private store({ opcode, operand }: Instruction): void {
    const { a32, b32, b64 } = this.s;
    const value = storesWide(opcode) ? b64 : b32;
    const { dirty, dirtyShift } = this.b;
    const out = this.out.op(OP.localSet, value).op(OP.localTee, a32);
    out.op(OP.globalGet, dirty).i64(1n).op(OP.localGet, a32);
    if (operand !== 0n) out.i32(Number(operand)).byte(OP.i32Add);
    out.i32(dirtyShift).byte(OP.i32ShrU, OP.i64ExtendU, OP.i64Shl, OP.i64Or).op(OP.globalSet, dirty);
    out.op(OP.localGet, value);
  }

  /** [destination, value or source, count] */
  private bulk(): void {
    const { a32, b32, c32 } = this.s;
    const { dirty, markFunction } = this.b;
    const out = this.out.op(OP.localSet, c32).op(OP.localSet, b32).op(OP.localTee, a32);
    out.op(OP.localGet, a32).op(OP.localGet, c32).op(OP.call, markFunction);
    out.op(OP.globalGet, dirty).byte(OP.i64Or).op(OP.globalSet, dirty);
    out.op(OP.localGet, b32).op(OP.localGet, c32);
  }

  private countsDepthOf(one: Instruction): boolean {
    if (!this.b.countsDepth) return false;
    return one.opcode === OP.callIndirect || (one.opcode === OP.call && one.operand >= this.b.module.imports.length);
  }

  private deeper(): void {
    const { depth } = this.b;
    this.out.op(OP.globalGet, depth).i32(1).byte(OP.i32Add).op(OP.globalSet, depth);
    this.out.op(OP.globalGet, depth).i32(DEPTH_MAX).byte(OP.i32GtU, OP.if, BLOCK_EMPTY, OP.unreachable, OP.end);
  }

  private shallower(): void {
    const { depth } = this.b;
    this.out.op(OP.globalGet, depth).i32(1).byte(OP.i32Sub).op(OP.globalSet, depth);
  }
}
