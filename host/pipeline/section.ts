// SPDX-License-Identifier: MIT
//
// The manifest travels inside the module's file, as a custom section: one file is the unit that a vendor hands over.

import { MANIFEST_SECTION } from "../../unikernel/abi/manifest.js";
import { PipelineError } from "./error.js";
import type { Bytes } from "./store.js";
import { CUSTOM_SECTION, rest, sections, WasmFault } from "./wasm-reader.js";

const MANIFEST_BYTES_MAX = 64 * 1024;

/** The same file with the manifest appended. */
export function attachManifest(wasm: Bytes, json: string): Bytes {
  const name = new TextEncoder().encode(MANIFEST_SECTION);
  const text = new TextEncoder().encode(json);
  const body = [...leb(name.length), ...name, ...text];
  return Buffer.concat([wasm, Uint8Array.from([CUSTOM_SECTION, ...leb(body.length), ...body])]);
}

/** The manifest's JSON text. */
export function detachManifest(subject: string, wasm: Bytes): string {
  const found = sectionsOf(subject, wasm).filter((one) => one.name === MANIFEST_SECTION);
  if (found.length !== 1 || found[0] === undefined) {
    const count = `it has ${found.length} custom sections "${MANIFEST_SECTION}"`;
    throw new PipelineError(subject, "manifest", `${count}; a module has exactly one`);
  }
  const json = rest(found[0].body);
  if (json.length > MANIFEST_BYTES_MAX) {
    throw new PipelineError(subject, "manifest", `${json.length} bytes; the limit is ${MANIFEST_BYTES_MAX}`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(json);
  } catch {
    throw new PipelineError(subject, "manifest", "it is not UTF-8 text");
  }
}

/** The same code without names, source maps and whatever else compilers leave behind. */
export function withoutCustomSections(wasm: Bytes): Bytes {
  const header = wasm.subarray(0, 8);
  const kept = sections(wasm).filter((one) => one.id !== CUSTOM_SECTION);
  return Buffer.concat([header, ...kept.map((one) => wasm.subarray(one.offset, one.body.end))]);
}

function sectionsOf(subject: string, wasm: Bytes): ReturnType<typeof sections> {
  try {
    return sections(wasm);
  } catch (error) {
    if (!(error instanceof WasmFault)) throw error;
    throw new PipelineError(subject, "manifest", error.message);
  }
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
