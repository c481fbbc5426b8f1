// SPDX-License-Identifier: MIT
//
// What hostile modules are made with: a correct module as text with places to spoil it, and sections byte by byte for
// what no assembler would write. Each generator is a correct module with one thing wrong.

import { readFileSync } from "node:fs";
import type { Manifest } from "../../../host/pipeline/manifest.js";
import { inProject } from "../../../host/pipeline/paths.js";
import type { Rule } from "../../../host/pipeline/reasons.js";
import { attachManifest } from "../../../host/pipeline/section.js";
import type { Bytes } from "../../../host/pipeline/store.js";
import { wat } from "../../pipeline/host.js";

export interface Hostile {
  title: string;
  /** The rule that must be among the reasons; "pack" = what check cannot see and pack must. */
  rule: Rule | "pack";
  make(): Promise<Bytes>;
}

export interface Parts {
  imports?: string;
  memory?: string;
  fields?: string;
  locals?: string;
  /** Instructions at the start of `reset`. */
  code?: string;
  reset?: string;
}

export function textOf(parts: Parts): string {
  return `(module
    ${parts.imports ?? ""}
    ${parts.memory ?? '(memory (export "memory") 1 1)'}
    ${parts.fields ?? ""}
    (func (export "attach") (result i32) i32.const 0)
    ${parts.reset ?? `(func (export "reset") ${parts.locals ?? ""} ${parts.code ?? ""})`}
    (func (export "bar_read") (param i32 i32 i32) (result i64) i64.const 0)
    (func (export "bar_write") (param i32 i32 i32 i64)))`;
}

/** The manifest of `glovebox new module`, changed. */
export function manifestWith(changes: Partial<Record<keyof Manifest, unknown>> = {}): string {
  const text = readFileSync(inProject("host/templates/manifest.json"), "utf8");
  const plain = JSON.parse(text.replace("@NAME@", "hostile"));
  return JSON.stringify({ ...plain, ...changes });
}

export async function fromText(parts: Parts, changes: Parameters<typeof manifestWith>[0] = {}): Promise<Bytes> {
  return attachManifest(await wat(textOf(parts)), manifestWith(changes));
}

/** One row of a table of hostile modules. */
export function row(title: string, rule: Rule | "pack", parts: Parts, changes = {}): Hostile {
  return { title, rule, make: () => fromText(parts, changes) };
}

export const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

export function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

export function section(id: number, body: number[]): number[] {
  return [id, ...leb(body.length), ...body];
}

const text = (name: string): number[] => [name.length, ...Buffer.from(name)];

/** The plain module section by section, in order; a generator changes the list. */
export function plainSections(): Map<number, number[]> {
  const [i32, i64] = [0x7f, 0x7e];
  const types = [4, 0x60, 0, 1, i32, 0x60, 0, 0, 0x60, 3, i32, i32, i32, 1, i64, 0x60, 4, i32, i32, i32, i64, 0];
  const names = ["attach", "reset", "bar_read", "bar_write"];
  return new Map([
    [1, types],
    [3, [4, 0, 1, 2, 3]],
    [5, [1, 1, 1, 1]],
    [7, [5, ...text("memory"), 2, 0, ...names.flatMap((name, index) => [...text(name), 0, index])]],
    [10, [4, 4, 0, 0x41, 0, 0x0b, 2, 0, 0x0b, 4, 0, 0x42, 0, 0x0b, 2, 0, 0x0b]],
  ]);
}

/** A file of these sections, with a manifest behind. */
export function fromSections(sections: Iterable<[number, number[]]>, changes = {}): Bytes {
  const bytes = [...sections].flatMap(([id, body]) => section(id, body));
  return attachManifest(Uint8Array.from([...HEADER, ...bytes]), manifestWith(changes));
}

/** The plain module with one section's contents replaced (or added at its place in the order of numbers). */
export function withSection(id: number, body: number[]): Bytes {
  const all = plainSections().set(id, body);
  return fromSections([...all].sort(([a], [b]) => a - b));
}

export const bytesRow = (title: string, rule: Rule, make: () => Bytes): Hostile => ({
  title,
  rule,
  make: async () => make(),
});
