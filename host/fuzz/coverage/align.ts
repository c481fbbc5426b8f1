// SPDX-License-Identifier: MIT
//
// Which instruction of a module's file is which in what the fuzzer runs. Fuel is put in by binaryen, which writes the
// file anew: blocks, locals and the ends of things may change, what computes, compares and branches does not, nor its
// order. So the two lists of those are the same, once the fuel is left out; a function where they are not is told, and
// nothing is said about its insides.

import { FUEL_GLOBAL } from "../../pipeline/instrument.js";
import { OP } from "../cover/opcode.js";
import { type Instruction, nextInstruction, type WasmModule } from "../cover/reader.js";

/** Bytes of one instruction in both files. */
export interface Pair {
  own: number;
  ran: number;
}

const NOP = 0x01;
const DROP = 0x1a;
/** They give structure, or move what is there already. */
const STRUCTURE: ReadonlySet<number> = new Set([
  ...[OP.unreachable, NOP, OP.block, OP.loop, OP.else, OP.end, OP.br, OP.return, DROP],
  ...[OP.localGet, OP.localSet, OP.localTee],
]);
/** Taking the price off and asking whether there was enough: get const sub set get const lt_s if. */
const FUEL_INSTRUCTIONS = 8;

/** The pairs of function `index` (imports not counted); undefined: the two do not fit. */
export function align(own: WasmModule, ran: WasmModule, index: number): Pair[] | undefined {
  const mine = instructionsOf(own, index);
  const theirs = withoutFuel(ran, instructionsOf(ran, index));
  if (mine.length !== theirs.length) return undefined;
  const pairs: Pair[] = [];
  for (const [i, one] of mine.entries()) {
    const other = theirs[i] as Instruction;
    if (!isSame(one, other)) return undefined;
    pairs.push({ own: one.start, ran: other.start });
  }
  return pairs;
}

/** What a file does in function `index`, without its structure. */
export function instructionsOf(module: WasmModule, index: number): Instruction[] {
  const body = module.bodies[index];
  const found: Instruction[] = [];
  if (body === undefined) return found;
  const cursor = { ...body.code };
  while (cursor.at < cursor.end) {
    const one = nextInstruction(cursor);
    if (!STRUCTURE.has(one.opcode)) found.push(one);
  }
  return found;
}

function withoutFuel(module: WasmModule, all: readonly Instruction[]): Instruction[] {
  const fuel = BigInt(module.exports.find((one) => one.name === FUEL_GLOBAL)?.index ?? -1);
  // the last function: what bulk operations pay
  const charge = BigInt(module.imports.length + module.bodies.length - 1);
  const left: Instruction[] = [];
  for (let i = 0; i < all.length; i++) {
    const one = all[i] as Instruction;
    if (one.opcode === OP.globalGet && one.operand === fuel) i += FUEL_INSTRUCTIONS - 1;
    else if (one.opcode !== OP.call || one.operand !== charge) left.push(one);
  }
  return left;
}

/** Places in memory and constants stay; indices of globals and types may not. */
function isSame(one: Instruction, other: Instruction): boolean {
  if (one.opcode !== other.opcode || one.second !== other.second) return false;
  const isIndex = one.opcode === OP.globalGet || one.opcode === OP.globalSet || one.opcode === OP.callIndirect;
  return isIndex || one.operand === other.operand;
}
