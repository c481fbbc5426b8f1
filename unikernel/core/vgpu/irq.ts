// SPDX-License-Identifier: MIT
//
// A module raises an interrupt: by MSI-X or MSI, whichever the guest has enabled, else by INTx where the guest has
// such a line (HVM). The module names a vector; address and data are what the guest programmed.

import { MANIFEST_CAPABILITIES, MANIFEST_INTERRUPTS_PER_SECOND, MANIFEST_INTX_PIN } from "../../abi/manifest";
import { CAPABILITY_IRQ, CAPABILITY_MASKED, CAPABILITY_OK, CAPABILITY_REFUSED } from "../../abi/module";
import { PCI_COMMAND, PCI_COMMAND_INTX_DISABLE } from "../../abi/pci";
import { CAPABILITY_FATAL, CAPABILITY_PROMISE, shim_inject_msi, shim_set_pci_intx_level, shim_time_ns }
  from "../../abi/shim";
import { VGPU_IRQS, countVgpu } from "../trace/counters";
import { TRACE_IRQ, traceEvent } from "../trace/ring";
import { config16 } from "./config_space";
import { MODE_HVM, guestAt } from "./guest";
import { manifest } from "./module";
import { msiEnabled, msiRaise } from "./msi";
import { msixEnabled, msixRaise } from "./msix";
import { VGPU_READY, Vgpu, countRefused, vgpuAt } from "./vgpu";

export function irqRaise(tag: u32, vector: u32): i32 {
  const vgpu = vgpuAt(tag);
  if (!(load<u32>(manifest(vgpu.module), MANIFEST_CAPABILITIES) & CAPABILITY_IRQ)) return CAPABILITY_FATAL;
  if (vector >= vectorsOf(vgpu)) return CAPABILITY_FATAL;
  if (vgpu.state != VGPU_READY) return CAPABILITY_MASKED;
  if (!keepsPromise(vgpu)) return CAPABILITY_PROMISE;
  if (msixEnabled(vgpu)) return msixRaise(vgpu, vector);
  if (msiEnabled(vgpu)) return msiRaise(vgpu, vector);
  return intxPulse(vgpu);
}

/** Masked ones count, too: what a guest masks is not what its device may do. */
function keepsPromise(vgpu: Vgpu): bool {
  const second = shim_time_ns() / 1_000_000_000;
  if (vgpu.irq_second != second) {
    vgpu.irq_second = second;
    vgpu.irq_count = 0;
  }
  return vgpu.irq_count++ < load<u32>(manifest(vgpu.module), MANIFEST_INTERRUPTS_PER_SECOND);
}

/** The most vectors of any kind: a module may be written for MSI-X and meet a guest that enables MSI. */
function vectorsOf(vgpu: Vgpu): u32 {
  const intx: u32 = load<u8>(manifest(vgpu.module), MANIFEST_INTX_PIN);
  return max<u32>(intx, max<u32>(vgpu.msi_vectors, vgpu.msix_vectors));
}

/** x86's interrupt messages go to 0xFEExxxxx (Intel SDM 3, "Message Address Register Format"); bits 63:32 are Xen's. */
const MESSAGE_ADDRESS: u32 = 0xfee;

/**
 * A message to the guest's interrupt controller. Xen looks only at the bits that name a CPU: elsewhere the same write
 * would be one to memory, so that address is refused here.
 */
export function inject(vgpu: Vgpu, address: u64, data: u32): i32 {
  traceEvent(vgpu.domid, vgpu.number, TRACE_IRQ, address, data);
  if (<u32>address >> 20 != MESSAGE_ADDRESS || shim_inject_msi(vgpu.domid, address, data) < 0) {
    countRefused(vgpu);
    return CAPABILITY_REFUSED;
  }
  countVgpu(vgpu.index, VGPU_IRQS, 1);
  return CAPABILITY_OK;
}

/** ABI 1 has no "lower": the line goes up and down, which an unmasked pin takes as one interrupt. */
function intxPulse(vgpu: Vgpu): i32 {
  const pin: u32 = load<u8>(manifest(vgpu.module), MANIFEST_INTX_PIN);
  if (pin == 0 || guestAt(vgpu.guest).mode != MODE_HVM) return CAPABILITY_MASKED;
  if (config16(vgpu, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE) return CAPABILITY_MASKED;
  traceEvent(vgpu.domid, vgpu.number, TRACE_IRQ, 0, pin);
  const up = shim_set_pci_intx_level(vgpu.domid, vgpu.slot, pin - 1, 1);
  const down = shim_set_pci_intx_level(vgpu.domid, vgpu.slot, pin - 1, 0);
  if (up < 0 || down < 0) {
    countRefused(vgpu);
    return CAPABILITY_REFUSED;
  }
  countVgpu(vgpu.index, VGPU_IRQS, 1);
  return CAPABILITY_OK;
}
