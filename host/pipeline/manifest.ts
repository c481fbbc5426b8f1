// SPDX-License-Identifier: MIT
//
// A module's manifest: JSON as its author wrote it -> checked (shape by manifest.schema.json, sense by the rules
// below) -> the fixed binary form of unikernel/abi/manifest.ts, which is all that the driver domain ever reads.

import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import * as abi from "../../unikernel/abi/manifest.js";
import { CAPABILITY_BITS } from "./contract.js";
import { PipelineError } from "./error.js";
import { inProject } from "./paths.js";
import type { Bytes } from "./store.js";

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
  memoryPages: number;
  scanouts: number;
  fuel: { attach: number; reset: number; barRead: number; barWrite: number; event?: number; workDone?: number };
  params: ManifestParam[];
}

const SPACES = {
  memory32: abi.BAR_SPACE_MEMORY32,
  memory64: abi.BAR_SPACE_MEMORY64,
  io: abi.BAR_SPACE_IO,
} as const;
const KINDS = { trap: abi.BAR_KIND_TRAP, ram: abi.BAR_KIND_RAM, msix: abi.BAR_KIND_MSIX } as const;

const RAM_BYTES_MIN = 4096;
const MEMORY_BYTES_MIN = 16; // PCI 3.0, 6.2.5.1
const IO_BYTES_MAX = 256; // PCI 3.0, 6.2.5.1
const MSIX_ENTRY_BYTES = 16; // PCI 3.0, 6.8.2
const BARS = 6;

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
  checkSense(subject, manifest);
  return manifest;
}

function detail(params: unknown): string {
  const text = JSON.stringify(params);
  return text === "{}" ? "" : text;
}

function refuse(subject: string, reason: string): never {
  throw new PipelineError(subject, "manifest", reason);
}

function checkSense(subject: string, manifest: Manifest): void {
  if (manifest.vendor === "0xffff") refuse(subject, "vendor 0xffff is what an empty slot reads as");
  checkParams(subject, manifest.params);
  checkSlots(subject, manifest.bars);
  for (const bar of manifest.bars) checkBar(subject, bar, manifest);
  checkInterrupts(subject, manifest);
  if (manifest.scanouts > 0 && !manifest.capabilities.includes("scanout")) {
    refuse(subject, `scanouts is ${manifest.scanouts}, but capabilities lack "scanout"`);
  }
}

function checkParams(subject: string, params: ManifestParam[]): void {
  for (const [index, one] of params.entries()) {
    if (params.findIndex((other) => other.name === one.name) !== index)
      refuse(subject, `param ${one.name} is there twice`);
    if (one.min > one.default || one.default > one.max) {
      refuse(subject, `param ${one.name}: default ${one.default} is not within ${one.min} to ${one.max}`);
    }
  }
}

/** A 64-bit BAR takes the next slot as well. */
function checkSlots(subject: string, bars: ManifestBar[]): void {
  const taken = new Set<number>();
  for (const bar of bars) {
    for (const slot of bar.space === "memory64" ? [bar.index, bar.index + 1] : [bar.index]) {
      if (slot >= BARS) refuse(subject, `bar ${bar.index} is 64-bit, but there is no slot ${slot} for its upper half`);
      if (taken.has(slot)) refuse(subject, `bar ${bar.index} needs slot ${slot}, which another bar has`);
      taken.add(slot);
    }
  }
}

function checkBar(subject: string, bar: ManifestBar, manifest: Manifest): void {
  const title = `bar ${bar.index} (${bar.kind})`;
  if ((bar.size === undefined) === (bar.sizeParam === undefined)) {
    refuse(subject, `${title} needs either size or sizeParam`);
  }
  if (bar.space === "io" && bar.kind !== "trap") refuse(subject, `${title} cannot be in I/O space; only trap can`);
  if (bar.kind === "msix" && bar.size === undefined) refuse(subject, `${title} needs a size, not a sizeParam`);
  if (bar.kind === "msix" && bar.index !== manifest.interrupts.msixBar) {
    refuse(subject, `${title} is not the one that msixBar names (${manifest.interrupts.msixBar})`);
  }
  if (bar.sizeParam !== undefined) {
    const param = manifest.params.find((one) => one.name === bar.sizeParam);
    if (param === undefined) refuse(subject, `${title}: there is no param ${bar.sizeParam}`);
    else for (const size of [param.min, param.default, param.max]) checkSize(subject, title, bar, size);
  }
  if (bar.size !== undefined) checkSize(subject, title, bar, bar.size);
}

function checkSize(subject: string, title: string, bar: ManifestBar, size: number): void {
  const least = bar.space === "io" ? 4 : bar.kind === "trap" ? MEMORY_BYTES_MIN : RAM_BYTES_MIN;
  if (size < least) refuse(subject, `${title}: ${size} bytes are fewer than ${least}`);
  if (bar.space === "io" && size > IO_BYTES_MAX)
    refuse(subject, `${title}: ${size} ports are more than ${IO_BYTES_MAX}`);
  if (Math.log2(size) % 1 !== 0) refuse(subject, `${title}: ${size} bytes are no power of two`);
}

function checkInterrupts(subject: string, manifest: Manifest): void {
  const { msi = 0, msix = 0, msixBar, intx = false } = manifest.interrupts;
  const bar = manifest.bars.find((one) => one.index === msixBar);
  if (msix > 0 && bar?.kind !== "msix") refuse(subject, `msix is ${msix}, but msixBar names no bar of kind msix`);
  if (msix === 0 && msixBar !== undefined) refuse(subject, "msixBar names an MSI-X table, but msix is 0");
  // The pending bits lie behind the table: 64 vectors, 8 bytes.
  if (msix * MSIX_ENTRY_BYTES + 8 > (bar?.size ?? Number.POSITIVE_INFINITY)) {
    refuse(subject, `bar ${msixBar}: ${bar?.size} bytes do not hold ${msix} MSI-X vectors`);
  }
  if ((msi > 0 || msix > 0 || intx) && !manifest.capabilities.includes("irq")) {
    refuse(subject, 'there are interrupts, but capabilities lack "irq"');
  }
}

/** The capabilities asked for, as bits of unikernel/abi/module.ts. */
export function capabilityBits(manifest: Manifest): number {
  return manifest.capabilities.reduce((bits, name) => bits | (CAPABILITY_BITS.get(name) ?? 0), 0);
}

/** The binary form. */
export function encodeManifest(manifest: Manifest): Bytes {
  const bytes = new Uint8Array(abi.MANIFEST_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, abi.MANIFEST_MAGIC, true);
  view.setUint16(abi.MANIFEST_ABI, manifest.abi, true);
  view.setUint16(abi.MANIFEST_ROLE, abi.ROLE_DEVICE, true);
  putText(bytes, abi.MANIFEST_NAME, manifest.name);
  putText(bytes, abi.MANIFEST_VERSION, manifest.version);
  view.setUint16(abi.MANIFEST_VENDOR_ID, Number(manifest.vendor), true);
  view.setUint16(abi.MANIFEST_DEVICE_ID, Number(manifest.device), true);
  view.setUint16(abi.MANIFEST_SUBSYSTEM_VENDOR_ID, Number(manifest.subsystemVendor ?? manifest.vendor), true);
  view.setUint16(abi.MANIFEST_SUBSYSTEM_ID, Number(manifest.subsystem ?? manifest.device), true);
  view.setUint32(abi.MANIFEST_CLASS_REVISION, Number(manifest.class) * 256 + (manifest.revision ?? 0), true);
  view.setUint32(abi.MANIFEST_CAPABILITIES, capabilityBits(manifest), true);
  view.setUint16(abi.MANIFEST_MSI_VECTORS, manifest.interrupts.msi ?? 0, true);
  view.setUint16(abi.MANIFEST_MSIX_VECTORS, manifest.interrupts.msix ?? 0, true);
  view.setUint8(abi.MANIFEST_INTX_PIN, manifest.interrupts.intx ? 1 : 0);
  view.setUint8(abi.MANIFEST_MSIX_BAR, manifest.interrupts.msixBar ?? 0);
  view.setUint32(abi.MANIFEST_MEMORY_PAGES, manifest.memoryPages, true);
  view.setUint32(abi.MANIFEST_SCANOUTS, manifest.scanouts, true);
  for (const [entry, fuel] of fuelByEntry(manifest).entries())
    view.setUint32(abi.MANIFEST_FUEL + entry * 4, fuel, true);
  for (const bar of manifest.bars) putBar(view, bar, manifest.params);
  for (const [index, param] of manifest.params.entries()) putParam(bytes, view, index, param);
  return bytes;
}

/** In the order of ENTRY_*; 0 = never called. */
export function fuelByEntry({ fuel }: Manifest): number[] {
  return [fuel.attach, fuel.reset, fuel.barRead, fuel.barWrite, fuel.event ?? 0, fuel.workDone ?? 0];
}

/** An optional entry point has fuel exactly when the module exports it. */
export function checkFuel(subject: string, manifest: Manifest, exports: readonly string[]): void {
  for (const [name, key] of [
    ["event", "event"],
    ["work_done", "workDone"],
  ] as const) {
    const given = manifest.fuel[key] ?? 0;
    if (given > 0 && !exports.includes(name)) refuse(subject, `fuel.${key} is ${given}, but "${name}" is not exported`);
    if (given === 0 && exports.includes(name)) refuse(subject, `"${name}" is exported, but has no fuel.${key}`);
  }
}

function putText(bytes: Bytes, at: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), at);
}

function putBar(view: DataView, bar: ManifestBar, params: ManifestParam[]): void {
  const at = abi.MANIFEST_BARS + bar.index * abi.MANIFEST_BAR_BYTES;
  const param = params.findIndex((one) => one.name === bar.sizeParam);
  view.setUint8(at + abi.BAR_KIND, KINDS[bar.kind]);
  view.setUint8(at + abi.BAR_SPACE, SPACES[bar.space]);
  view.setUint8(at + abi.BAR_PREFETCHABLE, bar.prefetchable ? 1 : 0);
  view.setUint8(at + abi.BAR_SIZE_PARAM, param < 0 ? abi.BAR_NO_SIZE_PARAM : param);
  view.setBigUint64(at + abi.BAR_SIZE_BYTES, BigInt(bar.size ?? 0), true);
}

function putParam(bytes: Bytes, view: DataView, index: number, param: ManifestParam): void {
  const at = abi.MANIFEST_PARAMS + index * abi.MANIFEST_PARAM_BYTES;
  putText(bytes, at + abi.PARAM_NAME, param.name);
  view.setBigUint64(at + abi.PARAM_DEFAULT, BigInt(param.default), true);
  view.setBigUint64(at + abi.PARAM_MIN, BigInt(param.min), true);
  view.setBigUint64(at + abi.PARAM_MAX, BigInt(param.max), true);
}
