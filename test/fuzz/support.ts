// SPDX-License-Identifier: MIT
//
// Modules for the fuzzer's tests: those of the tree, and small ones written as text.

import { type FuzzModule, prepareFuzz } from "../../host/fuzz/module/prepare.js";
import { RECORD_WORDS } from "../../host/fuzz/target.js";
import { buildModule } from "../../host/pipeline/module.js";
import { attachManifest } from "../../host/pipeline/section.js";
import { encodeRecords, type TraceRecord } from "../../host/trace/index.js";
import { manifestOf, wat } from "../pipeline/host.js";

export const DISPLAY = "unikernel/modules/bochs-display";
export const REGISTERS = "test/modules/register-file";

export async function moduleOf(folder: string): Promise<FuzzModule> {
  return prepareFuzz(folder, await buildModule(folder));
}

/** The parts of a small module; what is missing does nothing. */
export interface Parts {
  imports?: string;
  head?: string;
  attach?: string;
  reset?: string;
  read?: string;
  write?: string;
  rest?: string;
  manifest?: object;
}

/** A module's file from text. BAR 0 has 4096 bytes; $bar $offset $size $value are the parameters' names. */
export async function fileOf(parts: Parts): Promise<Uint8Array> {
  const {
    imports = "",
    head = "",
    attach = "(i32.const 0)",
    reset = "",
    read = "(i64.const 0)",
    write = "",
    rest = "",
  } = parts;
  const text = `(module
    (import "glovebox" "param" (func $param (param i32) (result i64)))
    (import "glovebox" "irq_raise" (func $irq_raise (param i32) (result i32)))
    (import "glovebox" "log" (func $log (param i32 i32)))
    ${imports}
    (memory (export "memory") 1 1)
    ${head}
    (func (export "attach") (result i32) ${attach})
    (func (export "reset") ${reset})
    (func (export "bar_read") (param $bar i32) (param $offset i32) (param $size i32) (result i64) ${read})
    (func (export "bar_write") (param $bar i32) (param $offset i32) (param $size i32) (param $value i64) ${write})
    ${rest})`;
  const { registers: _, ...base } = manifestOf(REGISTERS);
  const fuel = { attach: 10000, reset: 10000, barRead: 10000, barWrite: 10000 };
  const manifest = { ...base, name: "small", fuel, ...parts.manifest };
  return attachManifest(await wat(text), JSON.stringify(manifest));
}

export async function small(parts: Parts): Promise<FuzzModule> {
  return prepareFuzz("small.wasm", await fileOf(parts));
}

export function wordsOf(records: readonly TraceRecord[]): Int32Array {
  const bytes = encodeRecords(records);
  return new Int32Array(bytes.buffer, 0, records.length * RECORD_WORDS);
}
