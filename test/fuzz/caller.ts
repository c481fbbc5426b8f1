// SPDX-License-Identifier: MIT
//
// A module that does what it is told: BAR 0 is its memory from 0 on; a write of n to 0xff8 calls the nth import of the
// list, with arguments from 8 bytes each at 0, and puts the answer at 0x100. Where an argument is a handle of a buffer,
// 0 to 7 stand for the one that was answered into that place (bits 8 and up of the command); others are taken as such.

import { MODULE_BORDER } from "../../host/pipeline/contract.js";
import type { Parts } from "./support.js";

export const COMMAND = 0xff8;
export const LIST = 0x200;
export const CALLS = [
  ...["guest_read", "guest_write", "buffer_create", "buffer_append", "buffer_bar", "buffer_destroy"],
  ...["buffer_read", "buffer_write", "buffer_copy", "scanout_set_buffer", "work_copy", "work_fence", "scanout_flush"],
  ...["cursor_set", "cursor_move"],
];
/** Arguments that are handles. */
const HANDLES: Record<string, number[]> = {
  buffer_append: [0],
  buffer_destroy: [0],
  buffer_read: [0],
  buffer_write: [0],
  buffer_copy: [0, 3],
  scanout_set_buffer: [1],
  cursor_set: [1],
  work_copy: [2, 5],
};
const PLACES = 0x180;

function importOf(name: string) {
  const known = MODULE_BORDER.imports.find((one) => one.name === name);
  if (known === undefined) throw new Error(name);
  return known;
}

const wasmType = (type: string): string => (type.endsWith("64") ? "i64" : "i32");

function declare(name: string): string {
  const { parameters, result } = importOf(name);
  const types = parameters.map((type) => `(param ${wasmType(type)})`).join(" ");
  return `(import "glovebox" "${name}" (func $${name} ${types} (result ${wasmType(result)})))`;
}

function argument(name: string, type: string, nth: number): string {
  if (!(HANDLES[name] ?? []).includes(nth)) return `(${wasmType(type)}.load (i32.const ${nth * 8}))`;
  return `(call $handle (i32.load (i32.const ${nth * 8})))`;
}

function doCall(name: string, nth: number): string {
  const all = importOf(name).parameters.map((type, i) => argument(name, type, i));
  const answers = name === "buffer_create" || name === "buffer_bar";
  const keep = `(i32.store (i32.add (i32.const ${PLACES}) (i32.shl (i32.and (i32.shr_u (i32.wrap_i64 (local.get $value))
    (i32.const 8)) (i32.const 7)) (i32.const 3))) (i32.load (i32.const 0x100)))`;
  return `(if (i32.eq (i32.and (i32.wrap_i64 (local.get $value)) (i32.const 0xff)) (i32.const ${nth}))
    (then (i32.store (i32.const 0x100) (call $${name} ${all.join(" ")}))
      ${answers ? `(if (i32.load (i32.const 0x100)) (then ${keep}))` : ""}))`;
}

export const MANIFEST = {
  capabilities: ["irq", "scanout", "log", "memory", "buffer", "work"],
  bars: [
    { index: 0, kind: "trap", space: "memory32", size: 4096 },
    { index: 2, kind: "ram", space: "memory64", prefetchable: true, sizeParam: "ram_bytes" },
  ],
  params: [{ name: "ram_bytes", default: 0x10000, min: 0x1000, max: 0x1000000 }],
  quotas: { buffers: 6, bufferPieces: 14, bufferBytes: 1 << 20, workloads: 2 },
  interrupts: { msi: 0, msix: 0, intx: true },
  scanouts: 2,
  fuel: { attach: 10000, reset: 10000, barRead: 10000, barWrite: 13000, event: 10000, workDone: 10000 },
};

export const CALLER: Parts = {
  imports: CALLS.map(declare).join("\n"),
  head: `(func $handle (param $place i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $place) (i32.const 8))
      (then (i32.load (i32.add (i32.const ${PLACES}) (i32.shl (local.get $place) (i32.const 3)))))
      (else (local.get $place))))`,
  read: "(i64.load (local.get $offset))",
  write: `(if (i32.eq (local.get $offset) (i32.const ${COMMAND}))
    (then ${CALLS.map(doCall).join("\n")})
    (else (i64.store (local.get $offset) (local.get $value))))`,
  rest: `(func (export "event") (param i32) (param i64) (i64.store (i32.const 0x130) (local.get 1)))
  (func (export "work_done") (param i64) (param i32)
    (i64.store (i32.const 0x120) (i64.add (i64.mul (i64.load (i32.const 0x120)) (i64.const 31)) (local.get 0)))
    (i32.store (i32.const 0x128) (i32.add (i32.mul (i32.load (i32.const 0x128)) (i32.const 5)) (local.get 1))))`,
  manifest: MANIFEST,
};
