// SPDX-License-Identifier: MIT
//
// MSI-X (PCI 3.0, 6.8.2): table and pending bits lie in a BAR of their own, kept here; the module never sees them.
//
//   BAR offset 0 ┌ vectors x { address low u32, address high u32, data u32, control u32 (bit 0: masked) } ┐
//   vectors x 16 ├ pending bits, one u64, read-only ┤ then zeros

import { CAPABILITY_MASKED } from "../../abi/module";
import {
  PCI_MSIX_ENTRY_CTRL_MASKBIT,
  PCI_MSIX_ENTRY_DATA,
  PCI_MSIX_ENTRY_LOWER_ADDR,
  PCI_MSIX_ENTRY_SIZE,
  PCI_MSIX_ENTRY_VECTOR_CTRL,
  PCI_MSIX_FLAGS,
  PCI_MSIX_FLAGS_ENABLE,
  PCI_MSIX_FLAGS_MASKALL,
} from "../../abi/pci";
import { MSIX_VECTORS_MAX, VGPUS_MAX } from "../limits";
import { MSIX_CAP, config16 } from "./config_space";
import { touch } from "../restart/dirty";
import { inject } from "./irq";
import { Vgpu } from "./vgpu";

const TABLE_BYTES: u32 = MSIX_VECTORS_MAX * PCI_MSIX_ENTRY_SIZE;
const TABLES: usize = memory.data(VGPUS_MAX * TABLE_BYTES, 8);

@inline
function entry(vgpu: Vgpu, vector: u32): usize {
  return TABLES + vgpu.index * TABLE_BYTES + vector * PCI_MSIX_ENTRY_SIZE;
}

/** As after power-on: every vector masked, nothing pending. */
export function msixInit(vgpu: Vgpu): void {
  memory.fill(entry(vgpu, 0), 0, TABLE_BYTES);
  vgpu.msix_pending = 0;
  for (let i: u32 = 0; i < vgpu.msix_vectors; i++) {
    store<u32>(entry(vgpu, i), PCI_MSIX_ENTRY_CTRL_MASKBIT, PCI_MSIX_ENTRY_VECTOR_CTRL);
  }
}

// --- for restart/ ---

export function msixTable(vgpu: Vgpu): usize {
  return entry(vgpu, 0);
}

/** After power-on: the table as the guest had written it. */
export function msixRestore(vgpu: Vgpu, from: usize, pending: u64): void {
  for (let offset: u32 = 0; offset < vgpu.msix_vectors * PCI_MSIX_ENTRY_SIZE; offset += 4) {
    writeDword(vgpu, offset, load<u32>(from + offset));
  }
  vgpu.msix_pending = vgpu.msix_vectors == 0 ? 0 : pending & (u64.MAX_VALUE >> (64 - vgpu.msix_vectors));
}

// --- the guest's side: the BAR ---

/** Any size at any offset, byte by byte. */
export function msixRead(vgpu: Vgpu, offset: u32, size: u32): u64 {
  let value: u64 = 0;
  for (let i: u32 = 0; i < size; i++) value |= <u64>byteAt(vgpu, offset + i) << (8 * i);
  return value;
}

function byteAt(vgpu: Vgpu, offset: u32): u32 {
  const table_bytes = vgpu.msix_vectors * PCI_MSIX_ENTRY_SIZE;
  if (offset < table_bytes) return load<u8>(entry(vgpu, 0) + offset);
  if (offset < table_bytes + 8) return <u32>(vgpu.msix_pending >> (8 * (offset - table_bytes))) & 0xff;
  return 0;
}

/** Whole, aligned dwords and qwords only: the specification leaves everything else undefined, here it is dropped. */
export function msixWrite(vgpu: Vgpu, offset: u32, size: u32, value: u64): void {
  if (size < 4 || (offset & (size - 1)) != 0) return;
  if (offset + size > vgpu.msix_vectors * PCI_MSIX_ENTRY_SIZE) return;
  writeDword(vgpu, offset, <u32>value);
  if (size == 8) writeDword(vgpu, offset + 4, <u32>(value >> 32));
  touch(vgpu.index);
  msixFirePending(vgpu);
}

function writeDword(vgpu: Vgpu, offset: u32, value: u32): void {
  const field = offset & (PCI_MSIX_ENTRY_SIZE - 1);
  if (field == PCI_MSIX_ENTRY_VECTOR_CTRL) value &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
  if (field == PCI_MSIX_ENTRY_LOWER_ADDR) value &= ~3;
  store<u32>(entry(vgpu, 0) + offset, value);
}

// --- the module's side ---

export function msixEnabled(vgpu: Vgpu): bool {
  return vgpu.msix_vectors != 0 && (config16(vgpu, MSIX_CAP + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE) != 0;
}

function masked(vgpu: Vgpu, vector: u32): bool {
  if (config16(vgpu, MSIX_CAP + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_MASKALL) return true;
  return (load<u32>(entry(vgpu, vector), PCI_MSIX_ENTRY_VECTOR_CTRL) & PCI_MSIX_ENTRY_CTRL_MASKBIT) != 0;
}

export function msixRaise(vgpu: Vgpu, vector: u32): i32 {
  if (vector >= vgpu.msix_vectors) vector = 0; // the module counts on more vectors than MSI-X has here: share
  if (masked(vgpu, vector)) {
    vgpu.msix_pending |= (<u64>1) << vector;
    touch(vgpu.index);
    return CAPABILITY_MASKED;
  }
  return send(vgpu, vector);
}

function send(vgpu: Vgpu, vector: u32): i32 {
  const address = load<u64>(entry(vgpu, vector), PCI_MSIX_ENTRY_LOWER_ADDR); // low, then high
  return inject(vgpu, address, load<u32>(entry(vgpu, vector), PCI_MSIX_ENTRY_DATA));
}

/** After the guest wrote into the table or the capability. */
export function msixFirePending(vgpu: Vgpu): void {
  if (!msixEnabled(vgpu)) return;
  for (let left = vgpu.msix_pending; left != 0; left &= left - 1) {
    const vector = <u32>ctz(left);
    if (masked(vgpu, vector)) continue;
    vgpu.msix_pending &= ~((<u64>1) << vector);
    touch(vgpu.index);
    send(vgpu, vector);
  }
}
