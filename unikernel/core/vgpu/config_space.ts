// SPDX-License-Identifier: MIT
//
// PCI configuration space of a vGPU: 256 bytes, beside them 256 bytes of "the guest may write this bit" and 256 of
// "writing one clears this bit" (config_init.ts fills them). Every access of any size at any offset is the same merge.
// What a write means is looked up afterwards, in the table of effects().
//
// BAR sizing needs no code: the address bits below a BAR's size cannot be written.

import { EVENT_PCI_COMMAND } from "../../abi/module";
import { PCI_BASE_ADDRESS_0, PCI_CFG_SPACE_SIZE, PCI_COMMAND, PCI_MSI_PENDING_64 } from "../../abi/pci";
import { BARS, VGPUS_MAX } from "../limits";
import { touch } from "../restart/dirty";
import { onesOf } from "../trap/access";
import { barsSettle } from "./bar";
import { deviceEvent } from "./device";
import { msiFirePending } from "./msi";
import { msixFirePending } from "./msix";
import { VGPU_READY, Vgpu } from "./vgpu";

export const MSI_CAP: u32 = 0x40; // 24 bytes: 64-bit address, mask per vector
export const MSI_CAP_BYTES: u32 = 24;
export const MSIX_CAP: u32 = 0x60; // 12 bytes
export const MSIX_CAP_BYTES: u32 = 12;
export const MODULE_CAPS: u32 = 0x70; // to the end: what the manifest gives, MANIFEST_PCI_CAPABILITIES_BYTES

const SIZE: u32 = PCI_CFG_SPACE_SIZE;
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
  const command = config16(vgpu, PCI_COMMAND);
  for (let i: u32 = 0; i < size && offset < SIZE && offset + i < SIZE; i++) {
    mergeByte(spaceOf(vgpu) + offset + i, <u32>(value >> (8 * i)) & 0xff);
  }
  touch(vgpu.index);
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
  const command = config16(vgpu, PCI_COMMAND);
  if (command != old_command || touches(offset, size, PCI_BASE_ADDRESS_0, 4 * BARS)) barsSettle(vgpu);
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
  touch(vgpu.index);
}

// --- for restart/ ---

export function configBytes(vgpu: Vgpu): usize {
  return spaceOf(vgpu);
}

/** After power-on: what the guest wrote before a restart, where it may write; pending MSIs with it. */
export function configRestore(vgpu: Vgpu, from: usize): void {
  for (let i: u32 = 0; i < SIZE; i++) {
    const writable: u32 = load<u8>(spaceOf(vgpu) + i, SIZE);
    const old: u32 = load<u8>(spaceOf(vgpu) + i);
    store<u8>(spaceOf(vgpu) + i, <u8>((old & ~writable) | (<u32>load<u8>(from + i) & writable)));
  }
  if (vgpu.msi_vectors == 0) return;
  const known: u32 = vgpu.msi_vectors == 32 ? u32.MAX_VALUE : (<u32>1 << vgpu.msi_vectors) - 1;
  configSet32(vgpu, MSI_CAP + PCI_MSI_PENDING_64, load<u32>(from + MSI_CAP + PCI_MSI_PENDING_64) & known);
}

// --- for config_init.ts ---

export function configClear(vgpu: Vgpu): void {
  memory.fill(spaceOf(vgpu), 0, SIZE * 3);
}

/** `size` bytes at `offset`: the value, the bits that can be written, the bits that writing one clears. */
export function define(vgpu: Vgpu, offset: u32, size: u32, value: u32, writable: u32, one_clears: u32): void {
  for (let i: u32 = 0; i < size; i++) {
    const at = spaceOf(vgpu) + offset + i;
    store<u8>(at, <u8>(value >> (8 * i)));
    store<u8>(at, <u8>(writable >> (8 * i)), SIZE);
    store<u8>(at, <u8>(one_clears >> (8 * i)), SIZE * 2);
  }
}
