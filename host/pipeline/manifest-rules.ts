// SPDX-License-Identifier: MIT
//
// What a schema cannot say about a manifest: what fits together, what PCI allows, what the core would not offer.

import { MANIFEST_PCI_CAPABILITIES_BYTES } from "../../unikernel/abi/manifest.js";
import { PCI_CAP_ID_MSI, PCI_CAP_ID_MSIX } from "../../unikernel/abi/pci.js";
import { PipelineError } from "./error.js";
import type { Manifest, ManifestBar, ManifestParam, PciCapability } from "./manifest-type.js";

const RAM_BYTES_MIN = 4096;
const MEMORY_BYTES_MIN = 16; // PCI 3.0, 6.2.5.1
const IO_BYTES_MAX = 256; // PCI 3.0, 6.2.5.1
const MSIX_ENTRY_BYTES = 16; // PCI 3.0, 6.8.2
const BARS = 6;
const WASM_PAGE_BYTES = 65536;

/** Says why this manifest is not taken. */
export function refuse(subject: string, reason: string): never {
  throw new PipelineError(subject, "manifest", reason);
}

/** Throws with all that is broken: of each of these the first. */
export function checkRules(subject: string, manifest: Manifest): void {
  const rules = [
    () => checkVendor(subject, manifest),
    () => checkParams(subject, manifest.params),
    () => checkSlots(subject, manifest.bars),
    ...manifest.bars.map((bar) => () => checkBar(subject, bar, manifest)),
    () => checkInterrupts(subject, manifest),
    () => checkPciCapabilities(subject, manifest.pciCapabilities ?? []),
    () => checkQuotas(subject, manifest),
    () => checkWords(subject, manifest),
    () => checkState(subject, manifest),
    () => checkRegisters(subject, manifest),
    () => checkScanouts(subject, manifest),
  ];
  const broken = rules.flatMap(reasonOf);
  if (broken.length > 0) refuse(subject, broken.join("; "));
}

function reasonOf(rule: () => void): string[] {
  try {
    rule();
    return [];
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return [error.reason];
  }
}

function checkVendor(subject: string, manifest: Manifest): void {
  if (manifest.vendor === "0xffff") refuse(subject, "vendor 0xffff is what an empty slot reads as");
}

function checkScanouts(subject: string, manifest: Manifest): void {
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

// What the core lays out itself: PCI_CAP_ID_MSI, PCI_CAP_ID_MSIX; and 0, which is none.
const CORES_OWN = new Map([
  [0x00, "no capability"],
  [PCI_CAP_ID_MSI, "MSI, which interrupts.msi asks for"],
  [PCI_CAP_ID_MSIX, "MSI-X, which interrupts.msix asks for"],
]);

function checkPciCapabilities(subject: string, list: PciCapability[]): void {
  for (const { id } of list) {
    const own = CORES_OWN.get(Number(id));
    if (own !== undefined) refuse(subject, `pciCapabilities: ${id} is ${own}`);
  }
  const bytes = list.reduce((sum, one) => sum + packedCapability(one).length, 0);
  if (bytes > MANIFEST_PCI_CAPABILITIES_BYTES) {
    refuse(subject, `pciCapabilities take ${bytes} bytes; there are ${MANIFEST_PCI_CAPABILITIES_BYTES}`);
  }
}

/** As it stands in configuration space, its length rounded up to words; the link's byte says how long it is. */
export function packedCapability({ id, bytes }: PciCapability): Uint8Array {
  const body = Buffer.from(bytes.replaceAll(" ", ""), "hex");
  const packed = new Uint8Array(Math.ceil((2 + body.length) / 4) * 4);
  packed.set([Number(id), packed.length]);
  packed.set(body, 2);
  return packed;
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

/** Words of specifications that are not the module's (docs/CONTROL.md); those with a "-" are no names anyway. */
const SCHEDULERS_OWN = ["weight", "cap", "priority"];

function checkWords(subject: string, { params }: Manifest): void {
  for (const { name } of params) {
    if (SCHEDULERS_OWN.includes(name)) refuse(subject, `param "${name}": that word is the scheduler's`);
  }
}

function checkQuotas(subject: string, { quotas = {}, capabilities }: Manifest): void {
  for (const [name, capability] of [
    ["interruptsPerSecond", "irq"],
    ["buffers", "buffer"],
    ["bufferBytes", "buffer"],
    ["bufferPieces", "buffer"],
    ["workloads", "work"],
  ] as const) {
    if (quotas[name] !== undefined && !capabilities.includes(capability)) {
      refuse(subject, `quotas.${name} is ${quotas[name]}, but capabilities lack "${capability}"`);
    }
  }
}

function checkState(subject: string, { state, fuel, memoryPages }: Manifest): void {
  if ((state === undefined) !== (fuel.state === undefined)) refuse(subject, "state and fuel.state go together");
  const most = memoryPages * WASM_PAGE_BYTES;
  if (state !== undefined && state.bytes > most) {
    refuse(subject, `state.bytes is ${state.bytes}, but the module's memory has ${most}`);
  }
}

const STATE_EXPORTS = ["state_buffer", "state_save", "state_restore"];

/** All three or none, and the manifest says so. */
function checkStateExports(subject: string, manifest: Manifest, exports: readonly string[]): void {
  for (const name of STATE_EXPORTS) {
    if (manifest.state !== undefined && !exports.includes(name)) {
      refuse(subject, `there is a state, but "${name}" is not exported`);
    }
    if (manifest.state === undefined && exports.includes(name)) {
      refuse(subject, `"${name}" is exported, but there is no state`);
    }
  }
}

/** Names are for people, so each stands for one place that the module answers for. */
function checkRegisters(subject: string, { registers = [], bars, params }: Manifest): void {
  for (const [index, one] of registers.entries()) {
    const title = `register ${one.name}`;
    if (registers.findIndex((other) => other.name === one.name) !== index) refuse(subject, `${title} is there twice`);
    const bar = bars.find((each) => each.index === one.bar);
    if (bar?.kind !== "trap") refuse(subject, `${title}: bar ${one.bar} is no trap BAR`);
    const bytes = bar?.size ?? params.find((each) => each.name === bar?.sizeParam)?.max ?? 0;
    if (one.offset + one.size > bytes) {
      refuse(subject, `${title}: ${one.size} bytes at ${one.offset} leave bar ${one.bar}, which has ${bytes}`);
    }
  }
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
  checkStateExports(subject, manifest, exports);
}
