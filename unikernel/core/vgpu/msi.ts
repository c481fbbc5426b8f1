// SPDX-License-Identifier: MIT
//
// MSI (PCI 3.0, 6.8.1): the capability lies in configuration space; masked vectors wait in its pending bits and fire
// when the guest unmasks them.

import { CAPABILITY_MASKED } from "../../abi/module";
import {
  PCI_MSI_ADDRESS_HI,
  PCI_MSI_ADDRESS_LO,
  PCI_MSI_DATA_64,
  PCI_MSI_FLAGS,
  PCI_MSI_FLAGS_ENABLE,
  PCI_MSI_FLAGS_QSIZE,
  PCI_MSI_MASK_64,
  PCI_MSI_PENDING_64,
} from "../../abi/pci";
import { MSI_CAP, config16, config32, configSet32 } from "./config_space";
import { inject } from "./irq";
import { Vgpu } from "./vgpu";

export function msiEnabled(vgpu: Vgpu): bool {
  return vgpu.msi_vectors != 0 && (config16(vgpu, MSI_CAP + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE) != 0;
}

/** Messages that the guest has allotted: 2 to the power of bits 6:4, never more than we asked for. */
function allotted(vgpu: Vgpu): u32 {
  const exponent = (config16(vgpu, MSI_CAP + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_QSIZE) >> 4;
  return min<u32>(<u32>1 << exponent, vgpu.msi_vectors);
}

/** With fewer messages allotted than vectors, vectors share (they are powers of two). */
export function msiRaise(vgpu: Vgpu, vector: u32): i32 {
  const message = vector & (allotted(vgpu) - 1);
  const bit = <u32>1 << message;
  if (config32(vgpu, MSI_CAP + PCI_MSI_MASK_64) & bit) {
    configSet32(vgpu, MSI_CAP + PCI_MSI_PENDING_64, config32(vgpu, MSI_CAP + PCI_MSI_PENDING_64) | bit);
    return CAPABILITY_MASKED;
  }
  return send(vgpu, message);
}

function send(vgpu: Vgpu, message: u32): i32 {
  const low: u64 = config32(vgpu, MSI_CAP + PCI_MSI_ADDRESS_LO);
  const high: u64 = config32(vgpu, MSI_CAP + PCI_MSI_ADDRESS_HI);
  const data = config16(vgpu, MSI_CAP + PCI_MSI_DATA_64) & ~(allotted(vgpu) - 1);
  return inject(vgpu, (high << 32) | low, data | message);
}

/** After the guest wrote into the capability. */
export function msiFirePending(vgpu: Vgpu): void {
  if (!msiEnabled(vgpu)) return;
  let due = config32(vgpu, MSI_CAP + PCI_MSI_PENDING_64) & ~config32(vgpu, MSI_CAP + PCI_MSI_MASK_64);
  configSet32(vgpu, MSI_CAP + PCI_MSI_PENDING_64, config32(vgpu, MSI_CAP + PCI_MSI_PENDING_64) & ~due);
  for (; due != 0; due &= due - 1) send(vgpu, <u32>ctz(due));
}
