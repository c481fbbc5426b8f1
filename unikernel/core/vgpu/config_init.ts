// SPDX-License-Identifier: MIT
//
// What configuration space holds after power-on: one line a register, from the module's manifest (PCI 3.0, chapter 6).

import {
  BAR_KIND_NONE,
  BAR_PREFETCHABLE,
  BAR_SPACE_IO,
  BAR_SPACE_MEMORY64,
  MANIFEST_CLASS_REVISION,
  MANIFEST_DEVICE_ID,
  MANIFEST_INTX_PIN,
  MANIFEST_MSIX_BAR,
  MANIFEST_PCI_CAPABILITIES,
  MANIFEST_SUBSYSTEM_ID,
  MANIFEST_SUBSYSTEM_VENDOR_ID,
  MANIFEST_VENDOR_ID,
} from "../../abi/manifest";
import * as P from "../../abi/pci";
import { BARS } from "../limits";
import { barAt } from "./bar";
import { MODULE_CAPS, MSIX_CAP, MSI_CAP, config16, configClear, define } from "./config_space";
import { MODE_HVM, guestAt } from "./guest";
import { barRow, manifest, pciCapabilityIn } from "./module";
import { Vgpu } from "./vgpu";

const W_COMMAND: u32 =
  P.PCI_COMMAND_MASTER | P.PCI_COMMAND_PARITY | P.PCI_COMMAND_SERR | P.PCI_COMMAND_INTX_DISABLE;
const C_STATUS: u32 =
  P.PCI_STATUS_PARITY | P.PCI_STATUS_SIG_TARGET_ABORT | P.PCI_STATUS_REC_TARGET_ABORT |
  P.PCI_STATUS_REC_MASTER_ABORT | P.PCI_STATUS_SIG_SYSTEM_ERROR | P.PCI_STATUS_DETECTED_PARITY;

/** As after power-on: everything decoded off, no address, no interrupt. The BARs' sizes are known already. */
export function configInit(vgpu: Vgpu): void {
  const m = manifest(vgpu.module);
  configClear(vgpu);
  define(vgpu, P.PCI_VENDOR_ID, 2, load<u16>(m, MANIFEST_VENDOR_ID), 0, 0);
  define(vgpu, P.PCI_DEVICE_ID, 2, load<u16>(m, MANIFEST_DEVICE_ID), 0, 0);
  define(vgpu, P.PCI_COMMAND, 2, 0, W_COMMAND | decodeBits(vgpu), 0);
  define(vgpu, P.PCI_STATUS, 2, 0, 0, C_STATUS);
  define(vgpu, P.PCI_CLASS_REVISION, 4, load<u32>(m, MANIFEST_CLASS_REVISION), 0, 0);
  define(vgpu, P.PCI_CACHE_LINE_SIZE, 1, 0, 0xff, 0);
  define(vgpu, P.PCI_LATENCY_TIMER, 1, 0, 0xff, 0);
  for (let i: u32 = 0; i < BARS; i++) defineBar(vgpu, i);
  define(vgpu, P.PCI_SUBSYSTEM_VENDOR_ID, 2, load<u16>(m, MANIFEST_SUBSYSTEM_VENDOR_ID), 0, 0);
  define(vgpu, P.PCI_SUBSYSTEM_ID, 2, load<u16>(m, MANIFEST_SUBSYSTEM_ID), 0, 0);
  define(vgpu, P.PCI_INTERRUPT_LINE, 1, 0, 0xff, 0);
  const hvm = guestAt(vgpu.guest).mode == MODE_HVM; // a PVH guest has no legacy interrupt lines
  define(vgpu, P.PCI_INTERRUPT_PIN, 1, hvm ? load<u8>(m, MANIFEST_INTX_PIN) : 0, 0, 0);
  if (vgpu.msix_vectors != 0) defineMsix(vgpu, load<u8>(m, MANIFEST_MSIX_BAR));
  if (vgpu.msi_vectors != 0) defineMsi(vgpu);
  definePciCapabilities(vgpu, m + MANIFEST_PCI_CAPABILITIES);
}

/** The module's own, in its order, before ours: drivers take the first that suits them. Only to be read. */
function definePciCapabilities(vgpu: Vgpu, list: usize): void {
  const ours = config16(vgpu, P.PCI_CAPABILITY_LIST);
  let at = MODULE_CAPS;
  for (let row = list; pciCapabilityIn(list, row); row += load<u8>(row, 1)) {
    const bytes: u32 = load<u8>(row, 1);
    const more = pciCapabilityIn(list, row + bytes);
    for (let i: u32 = 0; i < bytes; i++) define(vgpu, at + i, 1, load<u8>(row + i), 0, 0);
    define(vgpu, at + 1, 1, more ? at + bytes : ours, 0, 0);
    at += bytes;
  }
  if (at == MODULE_CAPS) return;
  define(vgpu, P.PCI_CAPABILITY_LIST, 1, MODULE_CAPS, 0, 0);
  define(vgpu, P.PCI_STATUS, 2, P.PCI_STATUS_CAP_LIST, 0, C_STATUS);
}

/** Memory and I/O decode exist where there is a BAR of that space. */
function decodeBits(vgpu: Vgpu): u32 {
  let bits: u32 = 0;
  for (let i: u32 = 0; i < BARS; i++) {
    const bar = barAt(vgpu.index, i);
    if (bar.kind == BAR_KIND_NONE) continue;
    bits |= bar.space == BAR_SPACE_IO ? P.PCI_COMMAND_IO : P.PCI_COMMAND_MEMORY;
  }
  return bits;
}

function defineBar(vgpu: Vgpu, i: u32): void {
  const bar = barAt(vgpu.index, i);
  if (bar.kind == BAR_KIND_NONE) return;
  const at = P.PCI_BASE_ADDRESS_0 + 4 * i;
  const address_bits = ~(bar.size_bytes - 1);
  let flags: u32 = 0;
  if (bar.space == BAR_SPACE_IO) flags = P.PCI_BASE_ADDRESS_SPACE_IO;
  if (bar.space == BAR_SPACE_MEMORY64) flags = P.PCI_BASE_ADDRESS_MEM_TYPE_64;
  if (load<u8>(barRow(vgpu.module, i), BAR_PREFETCHABLE)) flags |= P.PCI_BASE_ADDRESS_MEM_PREFETCH;
  define(vgpu, at, 4, flags, <u32>address_bits, 0);
  if (bar.space == BAR_SPACE_MEMORY64) define(vgpu, at + 4, 4, 0, <u32>(address_bits >> 32), 0);
}

/** Puts a capability at the head of the list. */
function defineCapability(vgpu: Vgpu, at: u32, id: u32): void {
  define(vgpu, at, 2, id | (config16(vgpu, P.PCI_CAPABILITY_LIST) << 8), 0, 0);
  define(vgpu, P.PCI_CAPABILITY_LIST, 1, at, 0, 0);
  define(vgpu, P.PCI_STATUS, 2, P.PCI_STATUS_CAP_LIST, 0, C_STATUS);
}

function defineMsi(vgpu: Vgpu): void {
  defineCapability(vgpu, MSI_CAP, P.PCI_CAP_ID_MSI);
  const capable = <u32>ctz(vgpu.msi_vectors) << 1; // log2 of the messages asked for, bits 3:1
  const flags: u32 = P.PCI_MSI_FLAGS_64BIT | P.PCI_MSI_FLAGS_MASKBIT | capable;
  const vectors: u32 = vgpu.msi_vectors == 32 ? u32.MAX_VALUE : (<u32>1 << vgpu.msi_vectors) - 1;
  define(vgpu, MSI_CAP + P.PCI_MSI_FLAGS, 2, flags, P.PCI_MSI_FLAGS_ENABLE | P.PCI_MSI_FLAGS_QSIZE, 0);
  define(vgpu, MSI_CAP + P.PCI_MSI_ADDRESS_LO, 4, 0, 0xfffffffc, 0);
  define(vgpu, MSI_CAP + P.PCI_MSI_ADDRESS_HI, 4, 0, u32.MAX_VALUE, 0);
  define(vgpu, MSI_CAP + P.PCI_MSI_DATA_64, 2, 0, 0xffff, 0);
  define(vgpu, MSI_CAP + P.PCI_MSI_MASK_64, 4, 0, vectors, 0);
  define(vgpu, MSI_CAP + P.PCI_MSI_PENDING_64, 4, 0, 0, 0);
}

/** The table at the start of its BAR, the pending bits behind it. */
function defineMsix(vgpu: Vgpu, bar: u32): void {
  defineCapability(vgpu, MSIX_CAP, P.PCI_CAP_ID_MSIX);
  const writable: u32 = P.PCI_MSIX_FLAGS_ENABLE | P.PCI_MSIX_FLAGS_MASKALL;
  define(vgpu, MSIX_CAP + P.PCI_MSIX_FLAGS, 2, vgpu.msix_vectors - 1, writable, 0);
  define(vgpu, MSIX_CAP + P.PCI_MSIX_TABLE, 4, bar, 0, 0);
  define(vgpu, MSIX_CAP + P.PCI_MSIX_PBA, 4, (vgpu.msix_vectors * P.PCI_MSIX_ENTRY_SIZE) | bar, 0, 0);
}
