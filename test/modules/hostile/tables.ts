// SPDX-License-Identifier: MIT
//
// Tables that nobody asked for, that grow, that are written or that are filled from elsewhere.

import { bytesRow, type Hostile, row, withSection } from "./builder.js";

const TYPE = "(type $t (func))";
const CALL = "(call_indirect (type $t) (i32.const 0))";

export const TABLES: Hostile[] = [
  row("call_indirect without a table in the manifest", "table", { fields: `${TYPE} (table 1 1 funcref)`, code: CALL }),
  row("elements without a table in the manifest", "table", {
    fields: "(func $f) (table 1 1 funcref) (elem (i32.const 0) $f)",
  }),
  row("a table larger than the manifest says", "table-limits", { fields: "(table 9 9 funcref)" }, { tables: 8 }),
  row("a table that may grow", "table-limits", { fields: `${TYPE} (table 1 9 funcref)`, code: CALL }, { tables: 8 }),
  row("a manifest with 257 entries", "manifest", {}, { tables: 257 }),
  row("elements beyond the table", "element", {
    fields: "(func $f) (table 2 2 funcref) (elem (i32.const 1) $f $f)",
  }, { tables: 2 }),
  row("elements at 2^32 - 1", "element", {
    fields: "(func $f) (table 2 2 funcref) (elem (i32.const -1) $f)",
  }, { tables: 2 }),
  row("passive elements", "element", { fields: "(func $f) (table 1 1 funcref) (elem func $f)" }, { tables: 1 }),
  row("an import in the table", "element", {
    imports: '(import "glovebox" "param" (func $p (param i32) (result i64)))',
    fields: "(table 1 1 funcref) (elem (i32.const 0) $p)",
  }, { tables: 1 }),
  row("table.set", "reference", {
    fields: "(table 1 1 funcref)",
    code: "(table.set 0 (i32.const 0) (ref.null func))",
  }, { tables: 1 }),
  row("table.grow", "reference", {
    fields: "(table 1 1 funcref)",
    code: "(drop (table.grow 0 (ref.null func) (i32.const 1)))",
  }, { tables: 1 }),
  row("two tables", "table-limits", { fields: "(table 1 1 funcref) (table 1 1 funcref)" }, { tables: 1 }),
  row("a table of externref", "reference", { fields: "(table 1 1 externref)" }, { tables: 1 }),
  bytesRow("a 64-bit table", "table-limits", () => withSection(4, [1, 0x70, 5, 1, 1])),
];
