// SPDX-License-Identifier: MIT
//
// The manifest in the fixed binary form of unikernel/abi/manifest.ts, which is all that the driver domain ever reads.

import * as abi from "../../unikernel/abi/manifest.js";
import { packedCapability } from "./manifest-rules.js";
import {
  capabilityBits,
  fuelByEntry,
  type Manifest,
  type ManifestBar,
  type ManifestParam,
  type PciCapability,
} from "./manifest-type.js";
import type { Bytes } from "./store.js";

const SPACES = {
  memory32: abi.BAR_SPACE_MEMORY32,
  memory64: abi.BAR_SPACE_MEMORY64,
  io: abi.BAR_SPACE_IO,
} as const;
const KINDS = { trap: abi.BAR_KIND_TRAP, ram: abi.BAR_KIND_RAM, msix: abi.BAR_KIND_MSIX } as const;

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
  view.setUint16(abi.MANIFEST_LAYOUT, abi.MANIFEST_LAYOUT_VERSION, true);
  view.setUint32(abi.MANIFEST_MEMORY_PAGES, manifest.memoryPages, true);
  view.setUint32(abi.MANIFEST_SCANOUTS, manifest.scanouts, true);
  for (const [entry, fuel] of fuelByEntry(manifest).entries())
    view.setUint32(abi.MANIFEST_FUEL + entry * 4, fuel, true);
  for (const bar of manifest.bars) putBar(view, bar, manifest.params);
  for (const [index, param] of manifest.params.entries()) putParam(bytes, view, index, param);
  putPromises(view, manifest);
  putPciCapabilities(bytes, manifest.pciCapabilities ?? []);
  return bytes;
}

function putPciCapabilities(bytes: Bytes, list: PciCapability[]): void {
  let at = abi.MANIFEST_PCI_CAPABILITIES;
  for (const one of list) {
    const packed = packedCapability(one);
    bytes.set(packed, at);
    at += packed.length;
  }
}

/** What holds for a module that promises nothing: ten times what a display at 1 kHz raises, some textures' worth. */
const PROMISES = {
  interruptsPerSecond: 100_000,
  buffers: 16,
  bufferBytes: 64 << 20,
  bufferPieces: 1024,
  workloads: 16,
};

function putPromises(view: DataView, { capabilities, quotas = {}, state, fuel }: Manifest): void {
  const promised = { ...PROMISES, ...quotas };
  view.setUint32(abi.MANIFEST_INTERRUPTS_PER_SECOND, promised.interruptsPerSecond, true);
  if (capabilities.includes("buffer")) {
    view.setUint32(abi.MANIFEST_BUFFERS, promised.buffers, true);
    view.setBigUint64(abi.MANIFEST_BUFFER_BYTES, BigInt(promised.bufferBytes), true);
    view.setUint32(abi.MANIFEST_BUFFER_PIECES, promised.bufferPieces, true);
  }
  if (capabilities.includes("work")) view.setUint32(abi.MANIFEST_WORKLOADS, promised.workloads, true);
  view.setUint32(abi.MANIFEST_STATE_FORMAT, state?.format ?? 0, true);
  view.setUint32(abi.MANIFEST_STATE_BYTES, state?.bytes ?? 0, true);
  view.setUint32(abi.MANIFEST_FUEL_STATE, fuel.state ?? 0, true);
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
