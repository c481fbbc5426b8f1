// SPDX-License-Identifier: MIT
//
// A module's manifest as its author wrote it: JSON, checked for its shape by manifest.schema.json and for its sense
// by manifest-rules.ts. manifest-binary.ts makes of it what the driver domain reads. docs/MODULE_ABI.md has the keys.

import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { CAPABILITY_BITS } from "./contract.js";
import { checkRules, refuse } from "./manifest-rules.js";
import { inProject } from "./paths.js";

export { encodeManifest } from "./manifest-binary.js";

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

let validate: ReturnType<Ajv2020["compile"]> | undefined;

/** JSON text to a manifest that keeps all rules; throws PipelineError that names key, value and limit. */
export function parseManifest(subject: string, json: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return refuse(subject, `no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  validate ??= new Ajv2020({ allErrors: true }).compile(
    JSON.parse(readFileSync(inProject("host/pipeline/manifest.schema.json"), "utf8")),
  );
  if (!validate(value)) {
    const faults = (validate.errors ?? []).map(
      (one) => `${one.instancePath || "/"} ${one.message} ${detail(one.params)}`,
    );
    return refuse(subject, faults.join("; "));
  }
  const manifest = value as Manifest;
  checkRules(subject, manifest);
  return manifest;
}

function detail(params: unknown): string {
  const text = JSON.stringify(params);
  return text === "{}" ? "" : text;
}

/** The capabilities asked for, as bits of unikernel/abi/module.ts. */
export function capabilityBits(manifest: Manifest): number {
  return manifest.capabilities.reduce((bits, name) => bits | (CAPABILITY_BITS.get(name) ?? 0), 0);
}

/** In the order of ENTRY_* up to ENTRY_WORK_DONE; 0 = never called. */
export function fuelByEntry({ fuel }: Manifest): number[] {
  return [fuel.attach, fuel.reset, fuel.barRead, fuel.barWrite, fuel.event ?? 0, fuel.workDone ?? 0];
}
