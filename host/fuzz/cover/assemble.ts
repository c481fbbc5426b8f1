// SPDX-License-Identifier: MIT
//
// The file that is put together: the input's sections with the additions in them. Types, functions and globals that are
// added stand behind the module's own, imports before them; so indices of types and globals stay, those of functions
// move up by ADDED_IMPORTS.

import type { Added } from "./added.js";
import { ADDED_IMPORTS, type Builder, COVER_NAMESPACE, wordName } from "./builder.js";
import { FUNCTION_TYPE, I32, I64, OP } from "./opcode.js";
import { SECTION } from "./reader.js";
import { Writer } from "./writer.js";

const KIND_FUNCTION = 0;
const KIND_GLOBAL = 3;

export interface Assembled {
  wasm: Uint8Array<ArrayBuffer>;
  /** Byte of the output at which the code section's contents begin. */
  codeStart: number;
}

export function assemble(b: Builder, extra: readonly Added[], code: Writer): Assembled {
  return write(
    b,
    new Map<number, Writer>([
      [SECTION.type, types(b, extra)],
      [SECTION.import, imports(b)],
      [SECTION.function, functions(b, extra)],
      [SECTION.global, globals(b)],
      [SECTION.export, exports(b, extra)],
      [SECTION.element, elements(b)],
      [SECTION.code, code],
    ]),
  );
}

function types({ module }: Builder, extra: readonly Added[]): Writer {
  const pair = { parameters: [I32, I64, I64], results: [] };
  const edge = { parameters: [I32], results: [] };
  const all = [...module.types, pair, edge, ...extra];
  const out = new Writer().u32(all.length);
  for (const { parameters, results } of all) {
    out.byte(FUNCTION_TYPE).u32(parameters.length).raw(Uint8Array.from(parameters));
    out.u32(results.length).raw(Uint8Array.from(results));
  }
  return out;
}

function imports({ module }: Builder): Writer {
  const out = new Writer().u32(module.imports.length + ADDED_IMPORTS);
  const one = (from: string, name: string, type: number) => out.text(from).text(name).byte(KIND_FUNCTION).u32(type);
  one(COVER_NAMESPACE, "pair", module.types.length);
  one(COVER_NAMESPACE, "edge", module.types.length + 1);
  for (const { from, name, type } of module.imports) one(from, name, type);
  return out;
}

function functions({ module }: Builder, extra: readonly Added[]): Writer {
  const own = module.functions.slice(module.imports.length);
  const out = new Writer().u32(own.length + extra.length);
  for (const type of own) out.u32(type);
  for (const nth of extra.keys()) out.u32(module.types.length + ADDED_IMPORTS + nth);
  return out;
}

/** The module's, their shadows, dirty, depth, and a word for each site or 32 conditions. */
function globals(b: Builder): Writer {
  const out = new Writer().u32(b.firstWord + b.words);
  for (const one of b.module.globals) out.byte(one.type, one.mutable ? 1 : 0).raw(one.init);
  for (const one of b.mutable) out.byte(one.type, 1).raw(one.init);
  out.byte(I64, 1).i64(0n).byte(OP.end).byte(I32, 1).i32(0).byte(OP.end);
  for (let i = 0; i < b.words; i++) out.byte(I64, 1).i64(0n).byte(OP.end);
  return out;
}

function exports(b: Builder, extra: readonly Added[]): Writer {
  const named = extra.map((one, nth) => ({ ...one, index: b.markFunction + nth })).filter((one) => one.name !== "");
  const out = new Writer().u32(b.module.exports.length + named.length + b.words);
  for (const { name, kind, index } of b.module.exports) {
    out.text(name).byte(kind);
    out.u32(index + (kind === KIND_FUNCTION ? ADDED_IMPORTS : 0));
  }
  for (const one of named) out.text(one.name).byte(KIND_FUNCTION).u32(one.index);
  for (let i = 0; i < b.words; i++) {
    out.text(wordName(i)).byte(KIND_GLOBAL);
    out.u32(b.firstWord + i);
  }
  return out;
}

function elements({ module }: Builder): Writer {
  const out = new Writer().u32(module.elements.length);
  for (const { init, functions: list } of module.elements) {
    out.u32(0).raw(init).u32(list.length);
    for (const index of list) out.u32(index + ADDED_IMPORTS);
  }
  return out;
}

/** The specification's: data count stands before code. */
const SECTION_ORDER = [1, 2, 3, 4, 5, 6, 7, 9, 12, 10, 11];

/** Sections in their order; what the input has and we did not make is copied. */
function write(b: Builder, made: Map<number, Writer>): Assembled {
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
  return { wasm: Uint8Array.from(out.done()), codeStart };
}
