// SPDX-License-Identifier: MIT
//
// Memories and data that are larger than promised, of another kind, or elsewhere; globals that compute.

import { bytesRow, fromText, type Hostile, row, withSection } from "./builder.js";

const HUGE = 1 << 20;

export const MEMORIES: Hostile[] = [
  row("a claim of 4 GiB", "memory", { memory: '(memory (export "memory") 65536 65536)' }),
  row("a claim of 4 GiB by the manifest too", "manifest", { memory: '(memory (export "memory") 65536 65536)' }, {
    memoryPages: 65536,
  }),
  row("no maximum", "memory", { memory: '(memory (export "memory") 1)' }),
  row("a maximum above the minimum", "memory", { memory: '(memory (export "memory") 1 2)' }),
  row("a 64-bit memory", "memory", { memory: '(memory (export "memory") i64 1 1)' }),
  row("a shared memory", "memory", { memory: '(memory (export "memory") 1 1 shared)' }),
  row("two memories", "memory", { memory: '(memory (export "memory") 1 1) (memory 1 1)' }),
  row("no memory", "memory", { memory: "" }),
  bytesRow("a memory of 2^32 - 1 pages", "memory", () => {
    const most = [0xff, 0xff, 0xff, 0xff, 0x0f];
    return withSection(5, [1, 1, ...most, ...most]);
  }),
  row("data beyond the memory", "data", { fields: '(data (i32.const 65535) "xy")' }),
  row("data at 2^32 - 1", "data", { fields: '(data (i32.const -1) "x")' }),
  {
    title: "a huge data segment",
    rule: "file-size",
    make: () => fromText({ fields: `(data (i32.const 0) "${"x".repeat(HUGE)}")` }),
  },
  row("passive data", "memory-init", { fields: '(data "x")' }),
  row("a global that is computed", "global", {
    fields: "(global $a i32 (i32.const 1)) (global i32 (global.get $a))",
  }),
  row("a float global", "type", { fields: "(global f64 (f64.const 0))" }),
];
