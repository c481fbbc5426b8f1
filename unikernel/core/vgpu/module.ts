// SPDX-License-Identifier: MIT
//
// The modules that are loaded, as their binary manifests (abi/manifest.ts), by the shim's slots; they come and go while
// the domain runs. The packer on the host has looked at them; they are looked at again, because a module that slipped
// through must not decide how big our tables are. What is not well formed is not offered.

import * as M from "../../abi/manifest";
import { MODULE_ABI_VERSION } from "../../abi/module";
import { PCI_CAP_ID_MSI, PCI_CAP_ID_MSIX } from "../../abi/pci";
import { MODULE_FACTS_BYTES, MODULE_FACT_SERIAL, shim_module_facts, shim_module_manifest } from "../../abi/shim";
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
const FACTS: usize = memory.data(MODULE_FACTS_BYTES, 8);

// a row for each slot
const STATE_FREE: u32 = 0;
const STATE_BAD: u32 = 1; // loaded, but its manifest is not well formed
const STATE_OFFERED: u32 = 2;

@unmanaged
class Row {
  state: u32;
  serial: u32; // a module that was loaded later has a higher one
}
const ROW_BYTES: u32 = 8;
const ROWS: usize = memory.data(MODULES_MAX * ROW_BYTES, 8);

@inline
function rowOf(module: u32): Row {
  return changetype<Row>(ROWS + module * ROW_BYTES);
}

/** Looks at every slot; called once at the start. */
export function modulesLoad(): void {
  for (let i: u32 = 0; i < MODULES_MAX; i++) {
    const wrong = moduleLook(i);
    if (wrong.length == 0) continue;
    logSend(putModuleTitle(logLine().put("module "), i).put(" not offered: manifest: ").put(wrong));
  }
}

/** Looks again at a slot that has changed; the word for what is wrong with its manifest, "" for nothing. */
export function moduleLook(module: u32): string {
  const row = rowOf(module);
  const bytes = shim_module_manifest(module, <u32>manifest(module), M.MANIFEST_BYTES);
  row.state = STATE_FREE;
  if (bytes < 0 || shim_module_facts(module, <u32>FACTS) < 0) return "";
  const wrong = bytes == M.MANIFEST_BYTES ? firstWrong(manifest(module)) : "length";
  row.serial = load<u32>(FACTS, MODULE_FACT_SERIAL);
  row.state = wrong.length == 0 ? STATE_OFFERED : STATE_BAD;
  return wrong;
}

/** Facts of abi/shim.ts (MODULE_FACT_*) about a module as they are now; one at a time. */
export function moduleFacts(module: u32): usize {
  shim_module_facts(module, <u32>FACTS);
  return FACTS;
}

/** Modules that can be attached. */
export function moduleCount(): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < MODULES_MAX; i++) if (moduleOffered(i)) count++;
  return count;
}

export function moduleExists(module: u32): bool {
  return module < MODULES_MAX && rowOf(module).state != STATE_FREE;
}

export function moduleOffered(module: u32): bool {
  return module < MODULES_MAX && rowOf(module).state == STATE_OFFERED;
}

/** Loaded, but not offered: "", or the word for what is wrong with its manifest. */
export function moduleWrong(module: u32): string {
  return rowOf(module).state == STATE_BAD ? firstWrong(manifest(module)) : "";
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

/** The offered module NAME or NAME@VERSION; without a version the one that was loaded last; -1: none. */
export function moduleFind(name: usize, length: u32): i32 {
  let split: u32 = 0;
  while (split < length && load<u8>(name + split) != 0x40) split++;
  let found: i32 = -1;
  for (let i: u32 = 0; i < MODULES_MAX; i++) {
    if (!moduleOffered(i) || !isField(i, M.MANIFEST_NAME, M.MANIFEST_NAME_BYTES, name, split)) continue;
    if (split < length) {
      const version = name + split + 1;
      if (isField(i, M.MANIFEST_VERSION, M.MANIFEST_VERSION_BYTES, version, length - split - 1)) return i;
    } else if (found < 0 || rowOf(i).serial > rowOf(found).serial) found = i;
  }
  return found;
}

function isField(module: u32, at: u32, size: u32, words: usize, length: u32): bool {
  const own = manifest(module) + at;
  return sameBytes(words, length, own, fieldLength(own, size));
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

/** name@version */
export function putModuleTitle(text: Text, module: u32): Text {
  const version = manifest(module) + M.MANIFEST_VERSION;
  return putModuleName(text, module).put("@").field(version, M.MANIFEST_VERSION_BYTES);
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
