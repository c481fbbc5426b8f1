// SPDX-License-Identifier: MIT
//
// Imports that are not granted, not known or not as they are, exports that lie, names that are ours.

import { type Hostile, row } from "./builder.js";

export const BORDER: Hostile[] = [
  row("an import that was not granted", "import-capability", {
    imports: '(import "glovebox" "log" (func (param i32 i32)))',
  }),
  row("an unknown import", "import-unknown", { imports: '(import "glovebox" "hypercall" (func))' }),
  row("another namespace", "import-unknown", { imports: '(import "shim" "panic" (func))' }),
  row("an import's wrong signature", "import-type", {
    imports: '(import "glovebox" "irq_raise" (func (param i64) (result i32)))',
  }),
  row("an import that is there twice", "import-twice", {
    imports: `(import "glovebox" "param" (func (param i32) (result i64)))
      (import "glovebox" "param" (func (param i32) (result i64)))`,
  }),
  row("an imported memory", "import-unknown", { imports: '(import "glovebox" "m" (memory 1 1))', memory: "" }),
  row("an imported global", "import-unknown", { imports: '(import "glovebox" "__fuel" (global (mut i32)))' }),
  row("an export's wrong signature", "export-type", { reset: '(func (export "reset") (param i32))' }),
  row("an export that is a global", "export-type", { reset: '(global (export "reset") i32 (i32.const 0))' }),
  row("an export missing", "export-missing", { reset: "" }),
  row("an export that nobody calls", "export-unknown", { fields: '(func (export "evnet"))' }),
  row("a mutable global exported as __fuel", "export-reserved", {
    fields: '(global (export "__fuel") (mut i32) (i32.const 2147483647))',
  }),
  row("a function exported as __charge", "export-reserved", { fields: '(func (export "__charge"))' }),
  row("a mutable __heap_base", "export-reserved", {
    fields: '(global (export "__heap_base") (mut i32) (i32.const 0))',
  }),
];
