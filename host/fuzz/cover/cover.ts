// SPDX-License-Identifier: MIT
//
// The fuzzer's instrumentation, byte by byte: what is not added stays where it was, in the same order, so that a place
// in the output is a place in the input. Added are
//
//   sites     a word of 64 bits (a global, which no module can reach) for each comparison, 32 conditions or br_table:
//             a bit set when a thing happens for the first time; only then an import is told. So what was seen
//             before costs a load, a test and a branch that is not taken.
//   dirty     a bit for each 64th of the memory, set before each store into it
//   depth     calls nested deeper than the driver domain allows (only where the module's calls could be)
//   entries   __g_*: the entry points with their budget of fuel as one more argument, and what the driver needs
//
// Memory, its size and where it ends are the module's own: faults are V8's, at the same operation as without all this.
//
//   eq, ne, eqz  bit popcount(a ^ b)                      how many bits are wrong; 0 = equal
//   lt gt le ge  bit 31 - log2|a - b|, + 32 when true     on which side, and how near the border
//   and, or      4 bits: which of two comparisons hold            compilers fold `a && b` so: no branch tells
//   conditions   2 bits: not taken, taken                 where no comparison tells it already
//   br_table     bit min(index, labels, 63)
//   function     1 bit: entered

import { FUEL_GLOBAL } from "../../pipeline/instrument.js";
import { type Instruction, nextInstruction, readModule, SECTION, type WasmModule } from "./reader.js";
import { BLOCK_EMPTY, I32, I64, OP, Writer } from "./writer.js";

/** The namespace of the imports that are added: they come first, so all other functions move up by two. */
export const COVER_NAMESPACE = "cover";
export const ADDED_IMPORTS = 2;
const PAIR = 0; // (site, a, b): a comparison had an outcome not seen before
const EDGE = 1; // (site): something else happened for the first time
/** Calls nested in calls: MODULE_DEPTH_MAX of native/include/shim_limits.h. */
export const DEPTH_MAX = 64;

export type SiteKind = "function" | "condition" | "switch" | "equal" | "order" | "both";

export interface Site {
  kind: SiteKind;
  /** The global that holds its bits, and the first of its own. */
  word: number;
  bit: number;
  /** Function (as in the input) and byte in the input file. */
  function: number;
  offset: number;
}

export interface Covered {
  wasm: Uint8Array<ArrayBuffer>;
  sites: Site[];
  words: number;
  /** Constants of the code, in order of appearance: what the module compares and adds. */
  constants: bigint[];
  /** Dirty bit n stands for memory from n << dirtyShift on. */
  dirtyShift: number;
  memoryPages: number;
  hasEvent: boolean;
  hasWorkDone: boolean;
  /** A place in the output to one in the input. */
  inputOffset(offset: number): number;
}

const PAGE_SHIFT = 16;
const DIRTY_BITS_LOG2 = 6;

interface Builder {
  module: WasmModule;
  bytes: Uint8Array;
  sites: Site[];
  words: number;
  constants: bigint[];
  fuelGlobal: number;
  countsDepth: boolean;
  dirtyShift: number;
  /** Global indices. */
  dirty: number;
  depth: number;
  firstWord: number;
  markFunction: number;
  /** [output offset within the code section's functions, input offset], ascending. */
  places: [number, number][];
}

const added = (name: string): string => `__g_${name}`;

/** The mediator's core has neither fuel nor a limit of depth. */
const NO_GLOBAL = -1;

/** `wasm` comes from prepareWasm: checked, canonical, with fuel; or, `isCore`, it is core.wasm. */
export function cover(wasm: Uint8Array, isCore = false): Covered {
  const module = readModule(wasm);
  const pagesLog2 = Math.ceil(Math.log2(Math.max(1, module.memoryPages)));
  const fuel = module.exports.find((one) => one.name === FUEL_GLOBAL);
  if (fuel === undefined && !isCore) throw new Error(`no exported global ${FUEL_GLOBAL}: instrument the module first`);
  const mutable = module.globals.map((one, index) => ({ ...one, index })).filter((one) => one.mutable);
  const builder: Builder = {
    module,
    bytes: wasm,
    sites: [],
    words: 0,
    constants: [],
    fuelGlobal: fuel?.index ?? NO_GLOBAL,
    countsDepth: !isCore && canNestDeep(module),
    dirtyShift: PAGE_SHIFT + pagesLog2 - DIRTY_BITS_LOG2,
    dirty: module.globals.length + mutable.length,
    depth: module.globals.length + mutable.length + 1,
    firstWord: module.globals.length + mutable.length + 2,
    markFunction: ADDED_IMPORTS + module.functions.length,
    places: [],
  };
  const code = new Writer();
  const bodies = module.bodies.map((_, index) => coverBody(builder, index));
  const extra = extras(builder, mutable);
  code.u32(bodies.length + extra.length);
  const moved: [number, number][] = [];
  for (const { writer, places } of bodies) {
    code.u32(writer.length);
    for (const [out, input] of places) moved.push([code.length + out, input]);
    code.raw(writer.done());
  }
  for (const one of extra) code.u32(one.body.length).raw(one.body.done());
  const { out, codeStart } = assemble(builder, mutable, extra, code);
  const starts = moved.map(([at]) => at + codeStart);
  return {
    wasm: out,
    sites: builder.sites,
    words: builder.words,
    constants: builder.constants,
    dirtyShift: builder.dirtyShift,
    memoryPages: module.memoryPages,
    hasEvent: module.exports.some((one) => one.name === "event"),
    hasWorkDone: module.exports.some((one) => one.name === "work_done"),
    inputOffset: (offset) => moved[lastAtMost(starts, offset)]?.[1] ?? 0,
  };
}

function lastAtMost(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Could calls nest deeper than DEPTH_MAX? Only with a cycle, a very long chain, or by way of the table. */
function canNestDeep(module: WasmModule): boolean {
  if (module.elements.length > 0) return true;
  const imported = module.imports.length;
  const calls = module.bodies.map((body) => {
    const cursor = { ...body.code };
    const targets = new Set<number>();
    while (cursor.at < cursor.end) {
      const one = nextInstruction(cursor);
      if (one.opcode === OP.call && one.operand >= imported) targets.add(Number(one.operand) - imported);
    }
    return targets;
  });
  const height = new Map<number, number>();
  const visit = (index: number, above: number): number => {
    const known = height.get(index);
    if (known !== undefined) return known;
    if (above > DEPTH_MAX) return Number.POSITIVE_INFINITY;
    let most = 0;
    for (const target of calls[index] ?? []) most = Math.max(most, visit(target, above + 1));
    height.set(index, most + 1);
    return most + 1;
  };
  return calls.some((_, index) => visit(index, 1) > DEPTH_MAX);
}

// --- bodies ---

interface Scratch {
  a32: number;
  b32: number;
  c32: number;
  a64: number;
  b64: number;
  t64: number;
}

/** Opcodes of comparisons: [first, last] of eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u. */
const I32_EQZ = 0x45;
const I32_GE_U = 0x4f;
const I64_EQZ = 0x50;
const I64_GE_U = 0x5a;
const I32_LT_S = 0x48;
const I32_AND = 0x71;
const CALL_INDIRECT = 0x11;
const BR_IF = 0x0d;
const BR_TABLE = 0x0e;
const STORE_FIRST = 0x36;
const STORE_LAST = 0x3e;
const NARROW_I64_STORES = new Set([0x37, 0x3c, 0x3d, 0x3e]);
/** memory.copy, memory.fill behind 0xfc: both end in a count and begin with a destination. */
const BULK = 0xfc;

function coverBody(b: Builder, index: number): { writer: Writer; places: [number, number][] } {
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
  const places: [number, number][] = [[out.length, body.code.at]];
  const walker = new BodyCover(b, out, scratch, func);
  walker.enter(body.code.at);
  const cursor = { ...body.code };
  while (cursor.at < cursor.end) {
    const one = nextInstruction(cursor);
    walker.before(one);
    places.push([out.length, one.start]);
    walker.emit(one);
    walker.after(one);
  }
  return { writer: out, places };
}

class BodyCover {
  /** Of conditions that share a word. */
  private conditions = 0;
  private word = -1;
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

  /** What runs before the instruction; may look at the stack, leaves it as it was. */
  before(one: Instruction): void {
    const { opcode } = one;
    if (one.opcode === OP.i32Const || one.opcode === OP.i64Const) this.b.constants.push(one.operand);
    if (opcode >= STORE_FIRST && opcode <= STORE_LAST) this.store(one);
    else if (opcode === BULK) this.bulk();
    else if (isEqual(opcode) || isOrder(opcode)) this.keepOperands(one);
    else if (this.joins(opcode)) this.keepOperands(one);
    else if (opcode === OP.if || opcode === BR_IF || opcode === OP.select) this.condition(one);
    else if (opcode === BR_TABLE) this.table(one);
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
    return opcode === I32_EQZ && this.compared;
  }

  private joins(opcode: number): boolean {
    return this.compared && (opcode === I32_AND || opcode === OP.i32Or);
  }

  /** global.get __fuel, i32.const 0, i32.lt_s: ours, not the module's. */
  private isFuelCheck(one: Instruction): boolean {
    const [get, zero] = this.previous;
    return (
      one.opcode === I32_LT_S &&
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
    if (opcode === I32_EQZ || opcode === I64_EQZ) this.out.op(OP.localTee, a);
    else this.out.op(OP.localSet, b).op(OP.localTee, a).op(OP.localGet, b);
  }

  private equal({ opcode, start }: Instruction): void {
    const site = this.site("equal", this.b.words++, 0, start);
    const { a32, b32, a64, b64, t64 } = this.s;
    const withZero = opcode === I32_EQZ || opcode === I64_EQZ;
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
    const value = NARROW_I64_STORES.has(opcode) ? b64 : b32;
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
    return one.opcode === CALL_INDIRECT || (one.opcode === OP.call && one.operand >= this.b.module.imports.length);
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

function isEqual(opcode: number): boolean {
  return (opcode >= I32_EQZ && opcode <= 0x47) || (opcode >= I64_EQZ && opcode <= 0x52);
}

function isOrder(opcode: number): boolean {
  return (opcode >= I32_LT_S && opcode <= I32_GE_U) || (opcode > 0x52 && opcode <= I64_GE_U);
}

function isWide(opcode: number): boolean {
  return opcode >= I64_EQZ && opcode <= I64_GE_U;
}

// --- functions that are added ---

interface Extra {
  name: string;
  parameters: number[];
  results: number[];
  body: Writer;
}

function extras(b: Builder, mutable: { index: number; type: number; init: Uint8Array }[]): Extra[] {
  const list: Extra[] = [{ name: "", parameters: [I32, I32], results: [I64], body: markBody(b.dirtyShift) }];
  for (const name of ["attach", "reset", "bar_read", "bar_write", "event", "work_done"]) {
    const entry = b.module.exports.find((one) => one.name === name);
    const type = entry && b.module.types[b.module.functions[entry.index] as number];
    if (entry && type) list.push(entryWithFuel(b, name, entry.index, type));
  }
  const get = (global: number): Writer => new Writer().u32(0).op(OP.globalGet, global);
  if (b.fuelGlobal !== NO_GLOBAL)
    list.push({ name: added("fuel"), parameters: [], results: [I32], body: get(b.fuelGlobal).byte(OP.end) });
  list.push({ name: added("depth"), parameters: [], results: [I32], body: get(b.depth).byte(OP.end) });
  const high = get(b.dirty).i64(32n).byte(OP.i64ShrU, OP.i32WrapI64).i64(0n).op(OP.globalSet, b.dirty).byte(OP.end);
  list.push({
    name: added("dirty_low"),
    parameters: [],
    results: [I32],
    body: get(b.dirty).byte(OP.i32WrapI64, OP.end),
  });
  list.push({ name: added("dirty_high"), parameters: [], results: [I32], body: high });
  list.push({
    name: added("trap"),
    parameters: [],
    results: [],
    body: new Writer().u32(0).byte(OP.unreachable, OP.end),
  });
  const shadows = b.module.globals.length;
  const [save, restore, init] = [new Writer().u32(0), new Writer().u32(0), new Writer().u32(0)];
  for (const [nth, { index, init: first }] of mutable.entries()) {
    init.raw(first.subarray(0, -1)).op(OP.globalSet, index);
    save.op(OP.globalGet, index).op(OP.globalSet, shadows + nth);
    restore.op(OP.globalGet, shadows + nth).op(OP.globalSet, index);
  }
  if (b.fuelGlobal !== NO_GLOBAL) list.push(...lent(b)); // the core has no driver of that kind
  list.push({ name: added("save"), parameters: [], results: [], body: save.byte(OP.end) });
  list.push({ name: added("init"), parameters: [], results: [], body: init.byte(OP.end) });
  list.push({ name: added("restore"), parameters: [], results: [], body: restore.byte(OP.end) });
  return list;
}

/** What the driver's imports need: the module's memory by 8 bytes or 1, its dirty bits, and fuel to be taken. */
function lent(b: Builder): Extra[] {
  const at = (): Writer => new Writer().u32(0).op(OP.localGet, 0);
  const fuel = b.fuelGlobal;
  const pay = new Writer().u32(0).i32(-1).op(OP.globalGet, fuel).op(OP.localGet, 0).byte(OP.i32Sub);
  pay.op(OP.globalGet, fuel).op(OP.localGet, 0).byte(I32_LT_S, OP.select).op(OP.globalSet, fuel);
  const mark = new Writer().u32(0).op(OP.globalGet, b.dirty).op(OP.localGet, 0).op(OP.localGet, 1);
  mark.op(OP.call, b.markFunction).byte(OP.i64Or).op(OP.globalSet, b.dirty);
  const one = (name: string, parameters: number[], results: number[], body: Writer): Extra => ({
    name: added(name),
    parameters,
    results,
    body: body.byte(OP.end),
  });
  return [
    one("pay", [I32], [I32], pay.op(OP.globalGet, fuel)),
    one("peek", [I32], [I64], at().byte(OP.i64Load, 0, 0)),
    one("poke", [I32, I64], [], at().op(OP.localGet, 1).byte(OP.i64Store, 0, 0)),
    one("peek_byte", [I32], [I32], at().byte(OP.i32Load8U, 0, 0)),
    one("poke_byte", [I32, I32], [], at().op(OP.localGet, 1).byte(OP.i32Store8, 0, 0)),
    one("mark", [I32, I32], [], mark),
  ];
}

/** The dirty bits of [at, at + count); the last bit of a range that leaves the memory does not matter: it traps. */
function markBody(shift: number): Writer {
  const out = new Writer().u32(0);
  // count == 0 ? 0 : (2 << ((at + count - 1) >> shift)) - (1 << (at >> shift))
  out.i64(2n).op(OP.localGet, 0).op(OP.localGet, 1).byte(OP.i32Add).i32(1).byte(OP.i32Sub);
  out.i32(shift).byte(OP.i32ShrU, OP.i64ExtendU, OP.i64Shl);
  out.i64(1n).op(OP.localGet, 0).i32(shift).byte(OP.i32ShrU, OP.i64ExtendU, OP.i64Shl, OP.i64Sub);
  return out.i64(0n).op(OP.localGet, 1).byte(OP.select, OP.end);
}

function entryWithFuel(
  b: Builder,
  name: string,
  index: number,
  type: { parameters: number[]; results: number[] },
): Extra {
  const body = new Writer().u32(0).op(OP.localGet, type.parameters.length).op(OP.globalSet, b.fuelGlobal);
  if (b.countsDepth) body.i32(1).op(OP.globalSet, b.depth);
  type.parameters.forEach((_, nth) => {
    body.op(OP.localGet, nth);
  });
  body.op(OP.call, index + ADDED_IMPORTS).byte(OP.end);
  return { name: added(name), parameters: [...type.parameters, I32], results: type.results, body };
}

// --- the file ---

function assemble(
  b: Builder,
  mutable: { type: number; init: Uint8Array }[],
  extra: Extra[],
  code: Writer,
): { out: Uint8Array<ArrayBuffer>; codeStart: number } {
  const { module } = b;
  const types = new Writer();
  const all = [
    ...module.types,
    { parameters: [I32, I64, I64], results: [] },
    { parameters: [I32], results: [] },
    ...extra,
  ];
  types.u32(all.length);
  for (const { parameters, results } of all)
    types
      .byte(0x60)
      .u32(parameters.length)
      .byte(...parameters)
      .u32(results.length)
      .byte(...results);
  const imports = new Writer().u32(module.imports.length + ADDED_IMPORTS);
  for (const [nth, name] of ["pair", "edge"].entries())
    imports
      .text(COVER_NAMESPACE)
      .text(name)
      .byte(0)
      .u32(module.types.length + nth);
  for (const one of module.imports) imports.text(one.from).text(one.name).byte(0).u32(one.type);
  const own = module.functions.slice(module.imports.length);
  const functions = new Writer().u32(own.length + extra.length);
  for (const type of own) functions.u32(type);
  for (const nth of extra.keys()) functions.u32(module.types.length + ADDED_IMPORTS + nth);
  const globals = new Writer().u32(b.firstWord + b.words);
  for (const one of module.globals) globals.byte(one.type, one.mutable ? 1 : 0).raw(one.init);
  for (const one of mutable) globals.byte(one.type, 1).raw(one.init);
  globals.byte(I64, 1).i64(0n).byte(OP.end).byte(I32, 1).i32(0).byte(OP.end);
  for (let i = 0; i < b.words; i++) globals.byte(I64, 1).i64(0n).byte(OP.end);
  const named = extra.map((one, nth) => ({ ...one, index: b.markFunction + nth })).filter((one) => one.name !== "");
  const exports = new Writer().u32(module.exports.length + named.length + b.words);
  for (const one of module.exports)
    exports
      .text(one.name)
      .byte(one.kind)
      .u32(one.index + (one.kind === 0 ? ADDED_IMPORTS : 0));
  for (const one of named) exports.text(one.name).byte(0).u32(one.index);
  for (let i = 0; i < b.words; i++)
    exports
      .text(wordName(i))
      .byte(3)
      .u32(b.firstWord + i);
  const elements = new Writer().u32(module.elements.length);
  for (const { init, functions: list } of module.elements) {
    elements.u32(0).raw(init).u32(list.length);
    for (const index of list) elements.u32(index + ADDED_IMPORTS);
  }
  const made = new Map<number, Writer>([
    [SECTION.type, types],
    [SECTION.import, imports],
    [SECTION.function, functions],
    [SECTION.global, globals],
    [SECTION.export, exports],
    [SECTION.element, elements],
    [SECTION.code, code],
  ]);
  return write(b, made);
}

/** The specification's: data count stands before code. */
const SECTION_ORDER = [1, 2, 3, 4, 5, 6, 7, 9, 12, 10, 11];

/** Sections in their order; what the input has and we did not make is copied. */
function write(b: Builder, made: Map<number, Writer>): { out: Uint8Array<ArrayBuffer>; codeStart: number } {
  const out = new Writer().raw(b.bytes.subarray(0, 8));
  let codeStart = 0;
  for (const which of SECTION_ORDER) {
    const body = made.get(which);
    const old = b.module.sections.find((one) => one.id === which);
    if (body !== undefined && (old !== undefined || which !== SECTION.element)) {
      out.section(which, body);
      if (which === SECTION.code) codeStart = out.length - body.length;
    } else if (old !== undefined) out.raw(b.bytes.subarray(old.offset, old.body.end));
  }
  return { out: Uint8Array.from(out.done()), codeStart };
}

export function wordName(index: number): string {
  return added(`w${index}`);
}
