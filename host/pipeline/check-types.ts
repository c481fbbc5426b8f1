// SPDX-License-Identifier: MIT
//
// Types, where sections and function bodies name them: integers only, and functions of integers.

import type { Context } from "./check-context.js";
import { byte, type Cursor, each, u32, WasmFault } from "./wasm-reader.js";

const FUNCTION_TYPE = 0x60;

export function functionType(cursor: Cursor, context: Context): string {
  const offset = cursor.at;
  const form = byte(cursor);
  if (form !== FUNCTION_TYPE) throw new WasmFault(offset, "a type that is no function", "garbage-collection");
  const parameters = valueTypes(cursor, context);
  const results = valueTypes(cursor, context);
  if (results.length > 1) context.reasons.add("multi-value", offset, `a function with ${results.length} results`);
  return `(${parameters.join(", ")}) -> ${results[0] ?? "nothing"}`;
}

function valueTypes(cursor: Cursor, context: Context): ("i32" | "i64")[] {
  const types: ("i32" | "i64")[] = [];
  each(cursor, () => types.push(valueType(cursor, context)));
  return types;
}

const OTHER_TYPES = new Map([
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [0x70, "funcref"],
  [0x6f, "externref"],
]);

/** A type that is no integer is noted, and reads as i32 from there on. */
export function valueType(cursor: Cursor, { reasons }: Context, inFunction?: number): "i32" | "i64" {
  const offset = cursor.at;
  const type = byte(cursor);
  if (type === 0x7f) return "i32";
  if (type === 0x7e) return "i64";
  const name = OTHER_TYPES.get(type);
  if (name === undefined) throw new WasmFault(offset, `a value of type 0x${type.toString(16)}`, "type");
  reasons.add("type", offset, `a value of type ${name}`, inFunction);
  return "i32";
}

export function typeAt(context: Context, cursor: Cursor): string {
  return context.shape.types[u32(cursor)] ?? "no type";
}
