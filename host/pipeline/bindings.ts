// SPDX-License-Identifier: MIT
//
// The module ABI as declarations in C and in Rust, made of contract.ts, for modules that are not AssemblyScript.

import { MODULE_BORDER, type Signature } from "./contract.js";

const C_TYPES = { u32: "uint32_t", i32: "int32_t", u64: "uint64_t", i64: "int64_t", void: "void" } as const;

/** glovebox.h */
export function cHeader(): string {
  const { namespace, imports, exports } = MODULE_BORDER;
  return [
    "/* What a Glovebox module may call and must have: docs/MODULE_ABI.md. Made by `glovebox new module`. */",
    "#ifndef GLOVEBOX_H\n#define GLOVEBOX_H\n",
    "#include <stdint.h>\n",
    "/* Imports. Each group needs its word in the manifest's capabilities. */",
    ...imports.map((one) => {
      const attributes = `__attribute__((import_module("${namespace}"), import_name("${one.name}")))`;
      return `${attributes}\n${cPrototype(one)};`;
    }),
    "\n/* Entry points. */",
    ...exports.map((one) => `__attribute__((export_name("${one.name}"))) ${cPrototype(one)};`),
    "\n#endif\n",
  ].join("\n");
}

function cPrototype(one: Signature): string {
  const parameters = one.parameters.map((type, index) => `${C_TYPES[type]} p${index}`).join(", ") || "void";
  return `${C_TYPES[one.result]} ${one.name}(${parameters})`;
}

/** glovebox.rs */
export function rustBindings(): string {
  const { namespace, imports } = MODULE_BORDER;
  return [
    "// What a Glovebox module may call: docs/MODULE_ABI.md. Made by `glovebox new module`. Each group needs its word",
    "// in the manifest's capabilities; what is not called is not imported.",
    "#![allow(dead_code)]\n",
    `#[link(wasm_import_module = "${namespace}")]`,
    'extern "C" {',
    ...imports.map((one) => `    pub fn ${one.name}(${rustParameters(one)})${rustResult(one)};`),
    "}\n",
  ].join("\n");
}

const rustParameters = (one: Signature): string => one.parameters.map((type, i) => `p${i}: ${type}`).join(", ");
const rustResult = (one: Signature): string => (one.result === "void" ? "" : ` -> ${one.result}`);
