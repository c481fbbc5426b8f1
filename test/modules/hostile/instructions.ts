// SPDX-License-Identifier: MIT
//
// Instructions that must never run on a trap path, plain and hidden: behind `unreachable`, in a function that nobody
// calls, as bytes that an assembler would not write.

import { bytesRow, type Hostile, row, withSection } from "./builder.js";

const HIDDEN = "(return) (unreachable)";

/** The code section with this body for `reset`. */
const resetBody = (...body: number[]): Parameters<typeof withSection> => {
  const code = [0, ...body, 0x0b];
  return [10, [4, 4, 0, 0x41, 0, 0x0b, code.length, ...code, 4, 0, 0x42, 0, 0x0b, 2, 0, 0x0b]];
};

export const INSTRUCTIONS: Hostile[] = [
  row("a start function", "start", { fields: "(func $s) (start $s)" }),
  row("memory.grow", "memory-grow", { code: "(drop (memory.grow (i32.const 1)))" }),
  row("a float behind unreachable", "float", { code: `${HIDDEN} (drop (f32.add (f32.const 1) (f32.const 2)))` }),
  row("a float in a function that nobody calls", "float", { fields: "(func (drop (f64.const 1)))" }),
  row("a vector behind unreachable", "simd", { code: `${HIDDEN} (drop (v128.const i32x4 0 0 0 0))` }),
  bytesRow("a vector opcode with a padded number", "simd", () =>
    withSection(...resetBody(0, 0xfd, 0xdf, 0x80, 0, 0x1a)),
  ),
  bytesRow("an opcode from the future", "opcode-unknown", () => withSection(...resetBody(0xe0))),
  bytesRow("a garbage-collection opcode", "garbage-collection", () => withSection(...resetBody(0xfb, 0x00, 0x00))),
  row("an atomic access", "atomic", { code: "(drop (i32.atomic.load (i32.const 0)))" }),
  row("a tail call", "tail-call", { fields: "(func $f)", code: "(return_call $f)" }),
  row("an exception", "exception", { fields: "(tag $e)", code: "(throw $e)" }),
  row("memory.init", "memory-init", {
    fields: '(data $d "x")',
    code: "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 0))",
  }),
  row("a reference", "reference", { code: "(drop (ref.null func))" }),
  row("two results", "multi-value", { fields: "(func (result i32 i32) i32.const 0 i32.const 0)" }),
];
