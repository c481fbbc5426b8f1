// SPDX-License-Identifier: MIT
//
// The host bridge at 00:00.0 of a PVH guest: without a device of class 0x0600 (or VGA) on bus 0, Linux does not
// believe in configuration mechanism 1 (arch/x86/pci/direct.c). It has ids and a class, and nothing to write.

import { PCI_CLASS_REVISION, PCI_CFG_SPACE_SIZE, PCI_VENDOR_ID } from "../../abi/pci";
import { onesOf } from "../trap/access";

/** 1b36:0008, "QEMU PCIe host bridge" of docs/specs/pci-ids: known to every guest, and no quirk is tied to it. */
const ID: u32 = 0x00081b36;
/** Bridge, host; revision 0 (PCI Code and ID Assignment, class 06h). */
const CLASS_REVISION: u32 = 0x06000000;

export function hostBridgeRead(offset: u32, size: u32): u64 {
  if (offset > <u32>PCI_CFG_SPACE_SIZE - size) return onesOf(size);
  let value: u64 = 0;
  for (let i: u32 = 0; i < size; i++) value |= <u64>byteAt(offset + i) << (8 * i);
  return value;
}

function byteAt(offset: u32): u32 {
  const lane = (offset & 3) * 8;
  switch (offset & ~3) {
    case PCI_VENDOR_ID: return (ID >> lane) & 0xff;
    case PCI_CLASS_REVISION: return (CLASS_REVISION >> lane) & 0xff;
    default: return 0;
  }
}
