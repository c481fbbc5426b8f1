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
];
