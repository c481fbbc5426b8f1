// SPDX-License-Identifier: MIT
//
// A manifest that keeps all rules, as the rest of the pipeline knows it: manifest.ts makes one of JSON,
// docs/MODULE_ABI.md says what each key means.

import { CAPABILITY_BITS } from "./contract.js";

export interface ManifestBar {
  index: number;
  kind: "trap" | "ram" | "msix";
  space: "memory32" | "memory64" | "io";
  prefetchable?: boolean;
  size?: number;
  sizeParam?: string;
}

export interface ManifestParam {
  name: string;
  default: number;
  min: number;
  max: number;
}

/** A capability of PCI configuration space that the core does not know: its number, and what stands behind the link. */
export interface PciCapability {
  id: string;
  /** Hexadecimal, spaces as one likes. */
  bytes: string;
}

/** For people and the fuzzer; the driver domain never sees it. */
export interface ManifestRegister {
  name: string;
  bar: number;
  offset: number;
  size: number;
  /** What is worth writing. */
  values?: number[];
}

export interface Manifest {
  name: string;
  version: string;
  abi: number;
  role: "device";
  vendor: string;
  device: string;
  subsystemVendor?: string;
  subsystem?: string;
  class: string;
  revision?: number;
  capabilities: string[];
  bars: ManifestBar[];
  interrupts: { msi?: number; msix?: number; msixBar?: number; intx?: boolean };
  pciCapabilities?: PciCapability[];
  memoryPages: number;
  scanouts: number;
  /** Entries of the one table of functions; missing: there is none. */
  tables?: number;
  fuel: {
    attach: number;
    reset: number;
    barRead: number;
    barWrite: number;
    event?: number;
    workDone?: number;
    state?: number;
  };
  params: ManifestParam[];
  quotas?: {
    interruptsPerSecond?: number;
    buffers?: number;
    bufferBytes?: number;
    bufferPieces?: number;
    workloads?: number;
  };
  state?: { format: number; bytes: number };
  registers?: ManifestRegister[];
}

/** The capabilities asked for, as bits of unikernel/abi/module.ts. */
export function capabilityBits(manifest: Manifest): number {
  return manifest.capabilities.reduce((bits, name) => bits | (CAPABILITY_BITS.get(name) ?? 0), 0);
}

/** In the order of ENTRY_* up to ENTRY_WORK_DONE; 0 = never called. */
export function fuelByEntry({ fuel }: Manifest): number[] {
  return [fuel.attach, fuel.reset, fuel.barRead, fuel.barWrite, fuel.event ?? 0, fuel.workDone ?? 0];
}
