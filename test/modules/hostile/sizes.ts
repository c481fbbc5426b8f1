// SPDX-License-Identifier: MIT
//
// Too much of something: locals, blocks in blocks, functions, stack.

import { bytesRow, type Hostile, leb, row, withSection } from "./builder.js";

const DEEP = 20_000;
const LIVE = 120;

const times = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join(" ");

/** 120 values that must all live across a call: the frame is what check cannot see and gcc tells. */
const HOG = `(func $hog (param i32) (result i64) (local ${"i64 ".repeat(LIVE)})
  ${times(LIVE, (i) => `(local.set ${i + 1} (i64.load offset=${i * 8} (local.get 0)))`)}
  (drop (call $hog (i32.add (local.get 0) (i32.const 1))))
  ${times(LIVE, (i) => `(i64.store offset=${i * 8} (local.get 0) (local.get ${LIVE - i}))`)}
  (i64.const 0))`;

/** The code section; `reset` has one group of 0x80000000 locals. */
const MANY = [
  4, 4, 0, 0x41, 0, 0x0b, 8, 1, 0x80, 0x80, 0x80, 0x80, 0x08, 0x7f, 0x0b, 4, 0, 0x42, 0, 0x0b, 2, 0, 0x0b,
];

function nested(depth: number): number[] {
  const code = [0, ...Array(depth).fill([0x02, 0x40]).flat(), ...Array(depth + 1).fill(0x0b)];
  return [4, 4, 0, 0x41, 0, 0x0b, ...leb(code.length), ...code, 4, 0, 0x42, 0, 0x0b, 2, 0, 0x0b];
}

export const SIZES: Hostile[] = [
  row("257 locals", "locals", { locals: `(local${" i32".repeat(257)})` }),
  bytesRow("2^31 locals", "locals", () => withSection(10, MANY)),
  row("blocks nested too deep", "nesting", { code: "block ".repeat(161) + "end ".repeat(161) }),
  bytesRow("blocks nested 20000 deep", "nesting", () => withSection(10, nested(DEEP))),
  row("too many functions", "functions", { fields: "(func) ".repeat(4097) }),
  row("a stack hog", "pack", { fields: HOG, code: "(drop (call $hog (i32.const 0)))" }),
];
