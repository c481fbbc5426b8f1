// SPDX-License-Identifier: MIT
//
// Manifests that lie about the code, contradict themselves, or promise what PCI has not.

import { type Hostile, row } from "./builder.js";

const trap = { index: 0, kind: "trap", space: "memory32", size: 4096 };

const lie = (title: string, changes: Record<string, unknown>): Hostile => row(title, "manifest", {}, changes);

export const MANIFESTS: Hostile[] = [
  row("other pages than the code has", "memory", {}, { memoryPages: 2 }),
  lie("a BAR that is no power of two", { bars: [{ ...trap, size: 5000 }] }),
  lie("a BAR of 4 GiB", { bars: [{ ...trap, size: 2 ** 32 }] }),
  lie("two BARs in one slot", { bars: [trap, trap] }),
  lie("a seventh BAR", { bars: [{ ...trap, index: 6 }] }),
  lie("MSI-X without its BAR", { interrupts: { msix: 4 } }),
  lie("MSI-X in a BAR that is too small", {
    bars: [trap, { index: 1, kind: "msix", space: "memory32", size: 16 }],
    interrupts: { msix: 64, msixBar: 1 },
  }),
  lie("interrupts without the capability", { capabilities: [] }),
  lie("a capability that does not exist", { capabilities: ["irq", "hypercall"] }),
  lie("scanouts without the capability", { scanouts: 1 }),
  lie("fuel for an entry point that is not there", {
    fuel: { attach: 1, reset: 1, barRead: 1, barWrite: 1, event: 1 },
  }),
  lie("fuel above the limit", { fuel: { attach: 1, reset: 1, barRead: 2 ** 31, barWrite: 1 } }),
  lie("another ABI", { abi: 2 }),
  lie("a path as a name", { name: "../../etc/passwd" }),
  lie("a version that is a path", { version: "1.0/../../x" }),
  lie("an unknown key", { privileges: "all" }),
];
