// SPDX-License-Identifier: MIT
//
// What is said about a module: its node (docs/CONTROL.md), and the longer answer to a request.

import * as M from "../../abi/manifest";
import * as S from "../../abi/shim";
import { BARS, PARAMS } from "../limits";
import { Text } from "../text";
import { barRow, manifest, moduleFacts, paramExists, paramRow, putModuleName } from "../vgpu/module";
import { putPair } from "./reply";

/** Hexadecimal digits of a digest that people compare by eye. */
const SHORT_BYTES: u32 = 8;
const BLAKE2B_BYTES: u32 = 64;
const SHA256_BYTES: u32 = 32;

/** name=... version=... abi=1 blake2b=... from=... serial=... [ram_param=NAME] [params=name:default:min:max,...] */
export function putModuleNode(text: Text, module: u32): Text {
  putTitle(text.put("name="), module);
  const facts = moduleFacts(module);
  putDigest(text.put(" blake2b="), facts + S.MODULE_FACT_GBX_BLAKE2B, SHORT_BYTES);
  putOrigin(text, facts);
  putRamParam(text, module);
  return putParams(text, module);
}

export function putModuleReply(text: Text, module: u32): Text {
  putTitle(text.put(" name="), module);
  const facts = moduleFacts(module);
  putDigest(text.put(" blake2b="), facts + S.MODULE_FACT_GBX_BLAKE2B, BLAKE2B_BYTES);
  putDigest(text.put(" wasm_sha256="), facts + S.MODULE_FACT_WASM_SHA256, SHA256_BYTES);
  putOrigin(text, facts);
  putPair(text, "instances", load<u32>(facts, S.MODULE_FACT_INSTANCES));
  putPair(text, "gbx_bytes", load<u32>(facts, S.MODULE_FACT_GBX_BYTES));
  return putPair(text, "image_pages", load<u32>(facts, S.MODULE_FACT_IMAGE_PAGES));
}

function putTitle(text: Text, module: u32): void {
  const at = manifest(module);
  putModuleName(text, module).put(" version=").field(at + M.MANIFEST_VERSION, M.MANIFEST_VERSION_BYTES);
  putPair(text, "abi", load<u16>(at, M.MANIFEST_ABI));
}

function putDigest(text: Text, at: usize, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) text.digits(load<u8>(at + i), 2);
}

function putOrigin(text: Text, facts: usize): void {
  text.put(" from=").put(load<u32>(facts, S.MODULE_FACT_ORIGIN) == S.MODULE_FROM_LIVE ? "live" : "ramdisk");
  putPair(text, "serial", load<u32>(facts, S.MODULE_FACT_SERIAL));
}

function putRamParam(text: Text, module: u32): void {
  for (let i: u32 = 0; i < BARS; i++) {
    const row = barRow(module, i);
    const param: u32 = load<u8>(row, M.BAR_SIZE_PARAM);
    if (load<u8>(row, M.BAR_KIND) != M.BAR_KIND_RAM || param == M.BAR_NO_SIZE_PARAM) continue;
    text.put(" ram_param=").field(paramRow(module, param), M.PARAM_NAME_BYTES);
    return;
  }
}

function putParams(text: Text, module: u32): Text {
  let first = true;
  for (let i: u32 = 0; i < PARAMS; i++) {
    if (!paramExists(module, i)) continue;
    const row = paramRow(module, i);
    text.put(first ? " params=" : ",").field(row, M.PARAM_NAME_BYTES);
    text.put(":").number(load<u64>(row, M.PARAM_DEFAULT));
    text.put(":").number(load<u64>(row, M.PARAM_MIN));
    text.put(":").number(load<u64>(row, M.PARAM_MAX));
    first = false;
  }
  return text;
}
