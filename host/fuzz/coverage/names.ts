// SPDX-License-Identifier: MIT
//
// Names of functions: those that compilers leave in the custom section "name" (core specification 2.0, appendix), and
// of what is exported, its export. The bytes are anybody's; a section that cannot be read gives none.

import { byte, CUSTOM_SECTION, sections, text, u32, WasmFault, within } from "../../pipeline/wasm-reader.js";
import type { WasmModule } from "../cover/reader.js";

const FUNCTION_NAMES = 1;
const KIND_FUNCTION = 0;
/** Longer ones are cut: C++ and Rust write whole types into them. */
const NAME_MAX = 100;

export function functionNames(bytes: Uint8Array, module: WasmModule): Map<number, string> {
  const names = fromSection(bytes);
  for (const { name, kind, index } of module.exports) {
    if (kind === KIND_FUNCTION && !names.has(index)) names.set(index, name);
  }
  return names;
}

function fromSection(bytes: Uint8Array): Map<number, string> {
  const names = new Map<number, string>();
  try {
    const found = sections(bytes).find((one) => one.id === CUSTOM_SECTION && one.name === "name");
    if (found === undefined) return names;
    const cursor = { ...found.body };
    while (cursor.at < cursor.end) {
      const which = byte(cursor);
      const part = within(cursor, u32(cursor));
      if (which !== FUNCTION_NAMES) continue;
      for (let left = u32(part); left > 0; left--) {
        const index = u32(part);
        names.set(
          index,
          text(part)
            .replace(/[^\x20-\x7e]/g, "?")
            .slice(0, NAME_MAX),
        );
      }
    }
  } catch (error) {
    if (!(error instanceof WasmFault)) throw error;
  }
  return names;
}
