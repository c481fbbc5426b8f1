// SPDX-License-Identifier: MIT
//
// The code section: every body of every function, instruction by instruction. A function that cannot be read on is
// left there; the next one begins at its own place.

import type { Context } from "./check-context.js";
import { valueType } from "./check-types.js";
import { CALL_INDIRECT, GLOBAL_SET, type Visitor, walkBody } from "./opcodes.js";
import type { Rule } from "./reasons.js";
import { type Cursor, each, u32, WasmFault, within } from "./wasm-reader.js";

const LOCALS_MAX = 256; // each may become 8 bytes of a stack frame

export function checkCode(cursor: Cursor, context: Context): void {
  const { shape, reasons } = context;
  const offset = cursor.at;
  shape.codeBytes = cursor.end - cursor.at;
  let bodies = 0;
  each(cursor, (index) => {
    const number = shape.imported.length + index;
    const body = within(cursor, u32(cursor));
    bodies++;
    try {
      checkLocals(body, context, number);
      walkBody(body, visitor(context, number));
    } catch (error) {
      if (!(error instanceof WasmFault)) throw error;
      reasons.add(error.rule, error.offset, error.what, number);
    }
  });
  const declared = shape.functions.length - shape.imported.length;
  if (bodies !== declared) {
    reasons.add("malformed", offset, `${bodies} function bodies for ${declared} functions`);
  }
}

function checkLocals(body: Cursor, context: Context, number: number): void {
  const offset = body.at;
  let count = 0;
  each(body, () => {
    count += u32(body);
    valueType(body, context, number);
  });
  if (count > LOCALS_MAX) {
    context.reasons.add("locals", offset, `${count} locals; the limit is ${LOCALS_MAX}`, number);
  }
}

/** What an instruction that breaks this rule is, for people. */
const NAMES: Partial<Record<Rule, string>> = {
  float: "a floating-point instruction",
  simd: "a vector instruction",
  atomic: "an atomic instruction",
  exception: "an exception instruction",
  reference: "a reference instruction",
  "tail-call": "a tail call",
  "memory-grow": "memory.grow",
  "memory-init": "an instruction on passive data segments",
  table: "call_indirect without a table in the manifest",
};

function visitor({ shape, options, reasons }: Context, number: number): Visitor {
  const hasTable = (options.tableEntries ?? 0) > 0;
  return {
    instruction: (offset, opcode, operand, rule) => {
      if (opcode === GLOBAL_SET) shape.globalSets.set(operand, (shape.globalSets.get(operand) ?? 0) + 1);
      if (rule === undefined || (opcode === CALL_INDIRECT && hasTable)) return;
      reasons.add(rule, offset, `${NAMES[rule] ?? rule} is not allowed`, number);
    },
    broken: (rule, offset, what) => reasons.add(rule, offset, what, number),
  };
}
