// SPDX-License-Identifier: MIT
//
// The canaries: modules and cores with one bug each that is known, because it was planted. A fuzzer that does not find
// them finds nothing of their kind elsewhere either. Modules are test/canaries built with that bug's number; cores are
// ours with one text replaced by another.

export interface ModuleCanary {
  name: string;
  /** Below test/canaries. */
  folder: "device" | "memory";
  /** Its number there. */
  bug: number;
  /** Only a second run after a reset shows it. */
  needsReset?: boolean;
}

export interface CoreCanary {
  name: string;
  /** Below unikernel/core. */
  file: string;
  from: string;
  to: string;
  /** Which checkers may notice it. */
  checkers: readonly string[];
}

export type Canary = ModuleCanary | CoreCanary;

export const MODULE_CANARIES: readonly ModuleCanary[] = [
  { name: "off by one at a register edge", folder: "device", bug: 1 },
  { name: "missing bound on an id", folder: "device", bug: 2 },
  { name: "use after free of a handle", folder: "device", bug: 3 },
  { name: "three-value magic sequence", folder: "device", bug: 4 },
  { name: "endless loop on one value", folder: "device", bug: 5 },
  { name: "state machine skips a state", folder: "device", bug: 6 },
  { name: "wide address, low half checked", folder: "device", bug: 7 },
  { name: "range end overflows", folder: "device", bug: 8 },
  { name: "data of before a reset", folder: "device", bug: 9, needsReset: true },
  { name: "division by a guest's value", folder: "device", bug: 10 },
  { name: "length underflow", folder: "device", bug: 11 },
  { name: "ring index wraps late", folder: "device", bug: 12 },
  { name: "table index beyond", folder: "device", bug: 13 },
  { name: "reset forgets a field", folder: "device", bug: 14, needsReset: true },
  { name: "fuel burner on a length", folder: "device", bug: 15 },
  { name: "shift too far", folder: "device", bug: 16 },
  { name: "overflow in a product", folder: "device", bug: 17 },
  { name: "interrupt vector unbound", folder: "device", bug: 18 },
  { name: "event while a command is under way", folder: "device", bug: 19 },
  { name: "value made out of another", folder: "device", bug: 20 },
  { name: "double fetch", folder: "memory", bug: 1 },
  { name: "overflow in a scatter sum", folder: "memory", bug: 2 },
  { name: "stale buffer handle", folder: "memory", bug: 3 },
  { name: "endless chain of descriptors", folder: "memory", bug: 4 },
  { name: "descriptor index beyond", folder: "memory", bug: 5 },
];

export const CORE_CANARIES: readonly CoreCanary[] = [
  {
    name: "stale page after unmap",
    file: "vgpu/ram",
    from: "    depopulate(vgpu.domid, bar.ram_gfn, bar.ram_pages);\n    bar.ram_pages = 0;\n  }\n}",
    to: "    bar.ram_pages = 0;\n  }\n}",
    checkers: ["leaks"],
  },
  {
    name: "instance left at detach",
    file: "vgpu/lifecycle",
    from: "  if (vgpu.instance >= 0) shim_instance_destroy(vgpu.instance);\n",
    to: "",
    checkers: ["leaks"],
  },
  {
    name: "server left with the last vGPU",
    file: "vgpu/guest",
    from: "  if (guest.server >= 0) shim_ioreq_server_destroy(guest.server);\n",
    to: "",
    checkers: ["leaks"],
  },
  {
    name: "lost interrupt: raised, never sent",
    file: "vgpu/irq",
    from: "  if (msiEnabled(vgpu)) return msiRaise(vgpu, vector);",
    to: "  if (msiEnabled(vgpu)) return CAPABILITY_OK;",
    checkers: ["interrupts"],
  },
  {
    name: "lost interrupt: pending, never fired",
    file: "vgpu/config_space",
    from: "  if (touches(offset, size, MSI_CAP, MSI_CAP_BYTES)) msiFirePending(vgpu);\n",
    to: "  if (touches(offset, size, MSI_CAP, 4)) msiFirePending(vgpu);\n",
    checkers: ["interrupts"],
  },
  {
    name: "interrupts not counted",
    file: "vgpu/irq",
    from: "return vgpu.irq_count++ <",
    to: "return vgpu.irq_count <",
    checkers: ["interrupts"],
  },
  {
    name: "cross-guest handle",
    file: "vgpu/buffer_access",
    from: "  return transfer(vgpuAt(tag), handle, offset, length, false);",
    to: "  return transfer(vgpuAt((handle >> 6) & 63), handle, offset, length, false);",
    checkers: ["isolation", "interference", "panic"],
  },
  {
    name: "wide address taken for a port",
    file: "trap/region",
    from: "addr: u64): Region | null {\n",
    to: "addr: u64): Region | null {\n  if (space != XEN_DMOP_IO_RANGE_MEMORY) addr &= 0xffff;\n",
    checkers: ["routing"],
  },
  {
    name: "read data not defined",
    file: "trap/rep",
    from: "return readItem(guest, space, addr, size);\n  writeItem",
    to: "return readItem(guest, space, addr, size) | (data & ~onesOf(size));\n  writeItem",
    checkers: ["isolation"],
  },
  {
    name: "failed copy used all the same",
    file: "trap/rep",
    from: "    countGuest(guest.index, GUEST_REFUSED, 1);\n    return false;\n",
    to: "    countGuest(guest.index, GUEST_REFUSED, 1);\n",
    checkers: ["isolation"],
  },
  {
    name: "lost vGPU still called",
    file: "trap/access",
    from: "  if (vgpu.state != VGPU_READY) return onesOf(size);\n",
    to: "",
    checkers: ["silence"],
  },
  {
    name: "scanout stays on at loss",
    file: "vgpu/lose",
    from: "  scanoutsOff(vgpu);\n",
    to: "",
    checkers: ["silence"],
  },
  {
    name: "scanout id past the end",
    file: "display/scanout",
    from: "  return scanout < scanoutsOf(vgpu);",
    to: "  return scanout <= scanoutsOf(vgpu);",
    checkers: ["limits"],
  },
];
