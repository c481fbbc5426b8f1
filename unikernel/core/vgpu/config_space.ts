// SPDX-License-Identifier: MIT
//
// PCI configuration space of a vGPU: 256 bytes, beside them 256 bytes of "the guest may write this bit" and 256 of
// "writing one clears this bit". The manifest fills them; every access of any size at any offset is the same merge.
// What a write means is looked up afterwards, in the table of effects().
//
// BAR sizing needs no code: the address bits below a BAR's size cannot be written.

import {
  BAR_KIND_NONE,
  BAR_PREFETCHABLE,
  BAR_SPACE_IO,
  BAR_SPACE_MEMORY64,
  MANIFEST_CLASS_REVISION,
  MANIFEST_DEVICE_ID,
  MANIFEST_INTX_PIN,
  MANIFEST_MSIX_BAR,
  MANIFEST_SUBSYSTEM_ID,
  MANIFEST_SUBSYSTEM_VENDOR_ID,
  MANIFEST_VENDOR_ID,
} from "../../abi/manifest";
import { EVENT_PCI_COMMAND } from "../../abi/module";
import * as P from "../../abi/pci";
import { BARS, VGPUS_MAX } from "../limits";
import { onesOf } from "../trap/access";
import { barAt, barsSettle } from "./bar";
import { deviceEvent } from "./device";
import { MODE_HVM, guestAt } from "./guest";
import { barRow, manifest } from "./module";
import { msiFirePending } from "./msi";
import { msixFirePending } from "./msix";
import { VGPU_READY, Vgpu } from "./vgpu";

export const MSI_CAP: u32 = 0x40; // 24 bytes: 64-bit address, mask per vector
export const MSI_CAP_BYTES: u32 = 24;
export const MSIX_CAP: u32 = 0x60; // 12 bytes
export const MSIX_CAP_BYTES: u32 = 12;

const SIZE: u32 = P.PCI_CFG_SPACE_SIZE;
//  per vGPU: ┌ value 256 ┬ writable 256 ┬ one clears 256 ┐
const TABLE: usize = memory.data(VGPUS_MAX * SIZE * 3, 8);

@inline
function spaceOf(vgpu: Vgpu): usize {
  return TABLE + vgpu.index * SIZE * 3;
}

// --- the two ways in ---

export function configRead(vgpu: Vgpu, offset: u32, size: u32): u64 {
  let value = onesOf(size);
  for (let i: u32 = 0; i < size && offset < SIZE && offset + i < SIZE; i++) {
    value &= ~((<u64>0xff) << (8 * i));
    value |= <u64>load<u8>(spaceOf(vgpu) + offset + i) << (8 * i);
  }
  return value;
}

export function configWrite(vgpu: Vgpu, offset: u32, size: u32, value: u64): void {
  const command = config16(vgpu, P.PCI_COMMAND);
  for (let i: u32 = 0; i < size && offset < SIZE && offset + i < SIZE; i++) {
    mergeByte(spaceOf(vgpu) + offset + i, <u32>(value >> (8 * i)) & 0xff);
  }
  effects(vgpu, offset, size, command);
}

function mergeByte(at: usize, value: u32): void {
  const old: u32 = load<u8>(at);
  const writable: u32 = load<u8>(at, SIZE);
  const one_clears: u32 = load<u8>(at, SIZE * 2);
  store<u8>(at, <u8>(((old & ~writable) | (value & writable)) & ~(value & one_clears)));
}

@inline
function touches(offset: u32, size: u32, first: u32, bytes: u32): bool {
  return offset < first + bytes && offset + size > first;
}

function effects(vgpu: Vgpu, offset: u32, size: u32, old_command: u32): void {
  const command = config16(vgpu, P.PCI_COMMAND);
  if (command != old_command || touches(offset, size, P.PCI_BASE_ADDRESS_0, 4 * BARS)) barsSettle(vgpu);
  if (touches(offset, size, MSI_CAP, MSI_CAP_BYTES)) msiFirePending(vgpu);
  if (touches(offset, size, MSIX_CAP, MSIX_CAP_BYTES)) msixFirePending(vgpu);
  if (command != old_command && vgpu.state == VGPU_READY) deviceEvent(vgpu, EVENT_PCI_COMMAND, command);
}

// --- for the rest of the core ---

export function config16(vgpu: Vgpu, offset: u32): u32 {
  return load<u16>(spaceOf(vgpu) + offset);
}

export function config32(vgpu: Vgpu, offset: u32): u32 {
  return load<u32>(spaceOf(vgpu) + offset);
}

export function configSet32(vgpu: Vgpu, offset: u32, value: u32): void {
  store<u32>(spaceOf(vgpu) + offset, value);
}

// --- power-on contents ---

const W_COMMAND: u32 =
  P.PCI_COMMAND_MASTER | P.PCI_COMMAND_PARITY | P.PCI_COMMAND_SERR | P.PCI_COMMAND_INTX_DISABLE;
const C_STATUS: u32 =
  P.PCI_STATUS_PARITY | P.PCI_STATUS_SIG_TARGET_ABORT | P.PCI_STATUS_REC_TARGET_ABORT |
  P.PCI_STATUS_REC_MASTER_ABORT | P.PCI_STATUS_SIG_SYSTEM_ERROR | P.PCI_STATUS_DETECTED_PARITY;

/** As after power-on: everything decoded off, no address, no interrupt. The BARs' sizes are known already. */
export function configInit(vgpu: Vgpu): void {
  const m = manifest(vgpu.module);
  memory.fill(spaceOf(vgpu), 0, SIZE * 3);
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
}

/** `size` bytes at `offset`: the value, the bits that can be written, the bits that writing one clears. */
function define(vgpu: Vgpu, offset: u32, size: u32, value: u32, writable: u32, one_clears: u32): void {
  for (let i: u32 = 0; i < size; i++) {
    const at = spaceOf(vgpu) + offset + i;
    store<u8>(at, <u8>(value >> (8 * i)));
    store<u8>(at, <u8>(writable >> (8 * i)), SIZE);
    store<u8>(at, <u8>(one_clears >> (8 * i)), SIZE * 2);
  }
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
