// SPDX-License-Identifier: MIT
//
// The functions that are added behind the module's own, exported as __g_*: its entry points with a budget of fuel, what
// the driver and the host look at, what the driver's imports need of the module, and its state to and fro.

import { ADDED_IMPORTS, added, type Builder, NO_GLOBAL } from "./builder.js";
import { I32, I64, OP } from "./opcode.js";
import type { FunctionType } from "./reader.js";
import { Writer } from "./writer.js";

export interface Added {
  name: string;
  parameters: number[];
  results: number[];
  body: Writer;
}

export function addedFunctions(b: Builder): Added[] {
  const mark = { name: "", parameters: [I32, I32], results: [I64], body: markBody(b.dirtyShift) };
  return [mark, ...entries(b), ...looks(b), ...(b.fuelGlobal === NO_GLOBAL ? [] : lent(b)), ...states(b)];
}

function named(name: string, parameters: number[], results: number[], body: Writer): Added {
  return { name: added(name), parameters, results, body: body.byte(OP.end) };
}

const begin = (): Writer => new Writer().u32(0); // no locals

const ENTRIES = ["attach", "reset", "bar_read", "bar_write", "event", "work_done"];

function entries(b: Builder): Added[] {
  return ENTRIES.flatMap((name) => {
    const entry = b.module.exports.find((one) => one.name === name);
    const type = entry && b.module.types[b.module.functions[entry.index] as number];
    return entry && type ? [entryWithFuel(b, name, entry.index, type)] : [];
  });
}

function entryWithFuel(b: Builder, name: string, index: number, type: FunctionType): Added {
  const body = begin().op(OP.localGet, type.parameters.length).op(OP.globalSet, b.fuelGlobal);
  if (b.countsDepth) body.i32(1).op(OP.globalSet, b.depth);
  type.parameters.forEach((_, nth) => {
    body.op(OP.localGet, nth);
  });
  body.op(OP.call, index + ADDED_IMPORTS);
  return named(name, [...type.parameters, I32], type.results, body);
}

/** What can be looked at from outside, and a trap at will. Reading dirty_high clears the dirty bits. */
function looks(b: Builder): Added[] {
  const get = (global: number): Writer => begin().op(OP.globalGet, global);
  const high = get(b.dirty).i64(32n).byte(OP.i64ShrU, OP.i32WrapI64).i64(0n).op(OP.globalSet, b.dirty);
  return [
    ...(b.fuelGlobal === NO_GLOBAL ? [] : [named("fuel", [], [I32], get(b.fuelGlobal))]),
    named("depth", [], [I32], get(b.depth)),
    named("dirty_low", [], [I32], get(b.dirty).byte(OP.i32WrapI64)),
    named("dirty_high", [], [I32], high),
    named("trap", [], [], begin().byte(OP.unreachable)),
  ];
}

/** What imports need that the driver answers: memory by 8 bytes or 1, dirty bits, fuel to be taken. */
function lent(b: Builder): Added[] {
  const at = (): Writer => begin().op(OP.localGet, 0);
  const fuel = b.fuelGlobal;
  const pay = begin().i32(-1).op(OP.globalGet, fuel).op(OP.localGet, 0).byte(OP.i32Sub);
  pay.op(OP.globalGet, fuel).op(OP.localGet, 0).byte(OP.i32LtS, OP.select).op(OP.globalSet, fuel);
  const mark = begin().op(OP.globalGet, b.dirty).op(OP.localGet, 0).op(OP.localGet, 1);
  mark.op(OP.call, b.markFunction).byte(OP.i64Or).op(OP.globalSet, b.dirty);
  return [
    named("pay", [I32], [I32], pay.op(OP.globalGet, fuel)),
    named("peek", [I32], [I64], at().byte(OP.i64Load, 0, 0)),
    named("poke", [I32, I64], [], at().op(OP.localGet, 1).byte(OP.i64Store, 0, 0)),
    named("peek_byte", [I32], [I32], at().byte(OP.i32Load8U, 0, 0)),
    named("poke_byte", [I32, I32], [], at().op(OP.localGet, 1).byte(OP.i32Store8, 0, 0)),
    named("mark", [I32, I32], [], mark),
  ];
}

/** Globals that change: to their shadows, back from there, or as they were at first. */
function states(b: Builder): Added[] {
  const shadows = b.module.globals.length;
  const [save, restore, init] = [begin(), begin(), begin()];
  for (const [nth, { index, init: first }] of b.mutable.entries()) {
    init.raw(first.subarray(0, -1)).op(OP.globalSet, index);
    save.op(OP.globalGet, index).op(OP.globalSet, shadows + nth);
    restore.op(OP.globalGet, shadows + nth).op(OP.globalSet, index);
  }
  return [named("save", [], [], save), named("init", [], [], init), named("restore", [], [], restore)];
}

/** The dirty bits of [at, at + count); the last bit of a range that leaves the memory does not matter: it traps. */
function markBody(shift: number): Writer {
  const out = begin();
  // count == 0 ? 0 : (2 << ((at + count - 1) >> shift)) - (1 << (at >> shift))
  out.i64(2n).op(OP.localGet, 0).op(OP.localGet, 1).byte(OP.i32Add).i32(1).byte(OP.i32Sub);
  out.i32(shift).byte(OP.i32ShrU, OP.i64ExtendU, OP.i64Shl);
  out.i64(1n).op(OP.localGet, 0).i32(shift).byte(OP.i32ShrU, OP.i64ExtendU, OP.i64Shl, OP.i64Sub);
  return out.i64(0n).op(OP.localGet, 1).byte(OP.select, OP.end);
}
