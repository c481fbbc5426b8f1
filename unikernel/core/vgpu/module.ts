// SPDX-License-Identifier: MIT
//
// The modules that are linked in, as their binary manifests (abi/manifest.ts). The checker on the host has looked at
// them; they are looked at again, because a module that slipped through must not decide how big our tables are.
// What is not well formed is not offered.

import * as M from "../../abi/manifest";
import { MODULE_ABI_VERSION } from "../../abi/module";
import { PCI_CAP_ID_MSI, PCI_CAP_ID_MSIX } from "../../abi/pci";
import { shim_module_count, shim_module_manifest } from "../../abi/shim";
import {
  BARS,
  BUFFERS_PER_VGPU_MAX,
  BUFFER_BYTES_MAX,
  FUEL_MAX,
  INTERRUPTS_PER_SECOND_MAX,
  MODULES_MAX,
  MSIX_VECTORS_MAX,
  MSI_VECTORS_MAX,
  PAGE_BYTES,
  PARAMS,
  PIECES_PER_VGPU_MAX,
  RAM_BYTES_MAX,
  SCANOUTS_PER_VGPU_MAX,
  STATE_BYTES_MAX,
} from "../limits";
import { logLine, logSend } from "../log";
import { PANIC_MODULE_INDEX, check } from "../panic";
import { Text, fieldLength, sameBytes } from "../text";

const MANIFESTS: usize = memory.data(MODULES_MAX * M.MANIFEST_BYTES, 8);
const OFFERED: usize = memory.data(MODULES_MAX); // a byte each: 1 = well formed

let count: u32 = 0;

/** Copies all manifests in; called once at the start. */
export function modulesLoad(): void {
  const given = shim_module_count();
  count = min<u32>(given, MODULES_MAX);
  if (given > MODULES_MAX) logSend(logLine().number(given).put(" modules, limit ").number(MODULES_MAX));
  for (let i: u32 = 0; i < count; i++) loadOne(i);
}

function loadOne(module: u32): void {
  const at = manifest(module);
  const bytes = shim_module_manifest(module, <u32>at, M.MANIFEST_BYTES);
  const wrong = bytes == M.MANIFEST_BYTES ? firstWrong(at) : "length";
  store<u8>(OFFERED + module, <u8>(wrong.length == 0));
  if (wrong.length == 0) return;
  logSend(logLine().put("module ").number(module).put(" is not offered: manifest: ").put(wrong));
}

export function moduleCount(): u32 {
  return count;
}

export function moduleOffered(module: u32): bool {
  return load<u8>(OFFERED + module) != 0;
}

export function manifest(module: u32): usize {
  check(module < MODULES_MAX, PANIC_MODULE_INDEX, module);
  return MANIFESTS + module * M.MANIFEST_BYTES;
}

@inline
export function barRow(module: u32, bar: u32): usize {
  return manifest(module) + M.MANIFEST_BARS + bar * M.MANIFEST_BAR_BYTES;
}

@inline
export function paramRow(module: u32, param: u32): usize {
  return manifest(module) + M.MANIFEST_PARAMS + param * M.MANIFEST_PARAM_BYTES;
}

/** A parameter that does not exist has no name. */
export function paramExists(module: u32, param: u32): bool {
  return param < PARAMS && load<u8>(paramRow(module, param) + M.PARAM_NAME) != 0;
}

/** The offered module of that name; -1: none. */
export function moduleFind(name: usize, length: u32): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const own = manifest(i) + M.MANIFEST_NAME;
    if (moduleOffered(i) && sameBytes(name, length, own, fieldLength(own, M.MANIFEST_NAME_BYTES))) return i;
  }
  return -1;
}

/** The parameter of that name; -1: none. */
export function paramFind(module: u32, name: usize, length: u32): i32 {
  for (let i: u32 = 0; i < PARAMS; i++) {
    const own = paramRow(module, i) + M.PARAM_NAME;
    if (sameBytes(name, length, own, fieldLength(own, M.PARAM_NAME_BYTES))) return i;
  }
  return -1;
}

export function putModuleName(text: Text, module: u32): Text {
  return text.field(manifest(module) + M.MANIFEST_NAME, M.MANIFEST_NAME_BYTES);
}

// --- is it well formed? each answers "" or the word for what is wrong ---

function firstWrong(at: usize): string {
  if (load<u32>(at) != M.MANIFEST_MAGIC) return "magic";
  if (load<u16>(at, M.MANIFEST_LAYOUT) != M.MANIFEST_LAYOUT_VERSION) return "layout";
  if (load<u16>(at, M.MANIFEST_ABI) != MODULE_ABI_VERSION) return "abi";
  if (load<u16>(at, M.MANIFEST_ROLE) != M.ROLE_DEVICE) return "role";
  if (load<u8>(at, M.MANIFEST_NAME) == 0) return "name";
  if (load<u16>(at, M.MANIFEST_VENDOR_ID) == 0xffff) return "vendor"; // reads as an empty slot
  const msi: u32 = load<u16>(at, M.MANIFEST_MSI_VECTORS);
  if (msi > MSI_VECTORS_MAX || (msi & (msi - 1)) != 0) return "msi vectors";
  if (<u32>load<u16>(at, M.MANIFEST_MSIX_VECTORS) > MSIX_VECTORS_MAX) return "msix vectors";
  if (load<u8>(at, M.MANIFEST_INTX_PIN) > 1) return "intx pin";
  if (load<u32>(at, M.MANIFEST_SCANOUTS) > SCANOUTS_PER_VGPU_MAX) return "scanouts";
  for (let i: u32 = 0; i < <u32>M.MANIFEST_FUEL_COUNT; i++) {
    if (load<u32>(at + M.MANIFEST_FUEL + i * 4) > FUEL_MAX) return "fuel";
  }
  const promises = wrongPromises(at);
  if (promises.length != 0) return promises;
  const bars = wrongBars(at);
  if (bars.length != 0) return bars;
  const msix = wrongMsix(at);
  return msix.length != 0 ? msix : wrongPciCapabilities(at + M.MANIFEST_PCI_CAPABILITIES);
}

function wrongPromises(at: usize): string {
  if (load<u32>(at, M.MANIFEST_INTERRUPTS_PER_SECOND) > INTERRUPTS_PER_SECOND_MAX) return "interrupts a second";
  if (load<u32>(at, M.MANIFEST_BUFFERS) > BUFFERS_PER_VGPU_MAX) return "buffers";
  if (load<u64>(at, M.MANIFEST_BUFFER_BYTES) > BUFFER_BYTES_MAX) return "buffer bytes";
  if (load<u32>(at, M.MANIFEST_BUFFER_PIECES) > PIECES_PER_VGPU_MAX) return "buffer pieces";
  if (load<u32>(at, M.MANIFEST_STATE_BYTES) > STATE_BYTES_MAX) return "state";
  return load<u32>(at, M.MANIFEST_FUEL_STATE) > FUEL_MAX ? "fuel" : "";
}

/** Is there a capability at `row` of the list? One that the list's end cuts does not count. */
export function pciCapabilityIn(list: usize, row: usize): bool {
  const left = list + M.MANIFEST_PCI_CAPABILITIES_BYTES - row;
  return left >= 4 && load<u8>(row) != 0 && <usize>load<u8>(row, 1) <= left;
}

/** Whole words, and none that the core lays out itself; behind the last there is nothing. */
function wrongPciCapabilities(list: usize): string {
  let row = list;
  for (; pciCapabilityIn(list, row); row += load<u8>(row, 1)) {
    const id: u32 = load<u8>(row);
    const bytes: u32 = load<u8>(row, 1);
    if (bytes < 4 || (bytes & 3) != 0) return "pci capability's length";
    if (id == PCI_CAP_ID_MSI || id == PCI_CAP_ID_MSIX) return "pci capability's id";
  }
  return row == list + M.MANIFEST_PCI_CAPABILITIES_BYTES || load<u8>(row) == 0 ? "" : "pci capabilities";
}

function wrongBars(at: usize): string {
  for (let i: u32 = 0; i < BARS; i++) {
    const row = at + M.MANIFEST_BARS + i * M.MANIFEST_BAR_BYTES;
    const kind: u32 = load<u8>(row, M.BAR_KIND);
    if (kind == M.BAR_KIND_NONE) continue;
    const space: u32 = load<u8>(row, M.BAR_SPACE);
    const size_param: u32 = load<u8>(row, M.BAR_SIZE_PARAM);
    if (kind > <u32>M.BAR_KIND_MSIX) return "bar kind";
    if (space > <u32>M.BAR_SPACE_IO || (space == M.BAR_SPACE_IO && kind != M.BAR_KIND_TRAP)) return "bar space";
    if (space == M.BAR_SPACE_MEMORY64 && !nextIsFree(at, i)) return "64-bit bar without a slot behind it";
    if (size_param != M.BAR_NO_SIZE_PARAM && (size_param >= PARAMS || kind == M.BAR_KIND_MSIX)) return "bar size param";
    const size_bytes = load<u64>(row, M.BAR_SIZE_BYTES);
    if (size_param == M.BAR_NO_SIZE_PARAM && !barSizeFits(kind, space, size_bytes)) return "bar size";
  }
  return "";
}

function nextIsFree(at: usize, bar: u32): bool {
  return bar + 1 < BARS && load<u8>(at + M.MANIFEST_BARS + (bar + 1) * M.MANIFEST_BAR_BYTES, M.BAR_KIND) == 0;
}

function wrongMsix(at: usize): string {
  const vectors: u32 = load<u16>(at, M.MANIFEST_MSIX_VECTORS);
  if (vectors == 0) return "";
  const bar: u32 = load<u8>(at, M.MANIFEST_MSIX_BAR);
  if (bar >= BARS) return "msix bar";
  const row = at + M.MANIFEST_BARS + bar * M.MANIFEST_BAR_BYTES;
  if (load<u8>(row, M.BAR_KIND) != M.BAR_KIND_MSIX) return "msix bar kind";
  return load<u64>(row, M.BAR_SIZE_BYTES) >= msixBytes(vectors) ? "" : "msix bar size";
}

/** Table of 16 bytes a vector, behind it the pending bits: one word of 64 (PCI 3.0, 6.8.2). */
@inline
export function msixBytes(vectors: u32): u64 {
  return vectors * 16 + 8;
}

/** Powers of two; I/O 4 to 256 (PCI 3.0, 6.2.5.1), memory 16 to 2 GiB, RAM whole pages up to RAM_BYTES_MAX. */
export function barSizeFits(kind: u32, space: u32, bytes: u64): bool {
  if (bytes == 0 || (bytes & (bytes - 1)) != 0) return false;
  if (space == M.BAR_SPACE_IO) return bytes >= 4 && bytes <= 256;
  if (kind == M.BAR_KIND_RAM) return bytes >= PAGE_BYTES && bytes <= RAM_BYTES_MAX;
  return bytes >= 16 && bytes <= 0x80000000;
}
