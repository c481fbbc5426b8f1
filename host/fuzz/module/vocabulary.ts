// SPDX-License-Identifier: MIT
//
// What is worth trying on a module: its registers (from the manifest, or guessed from the constants of its code), the
// constants that it compares with, the numbers of its manifest.

import type { Manifest } from "../../pipeline/manifest.js";
import { virtioOf } from "../mutate/virtio.js";
import type { Vocabulary } from "../target.js";

/** Beyond it a constant is no offset of a register, more likely an address of the module's own data. */
const GUESSED_OFFSET_MAX = 0x2000;
const CONSTANTS_MAX = 1024;
const POWERS = Array.from({ length: 32 }, (_, bit) => 2 ** bit);

export function vocabularyOf(manifest: Manifest, mined: readonly bigint[]): Vocabulary {
  const bars = manifest.bars
    .filter((one) => one.kind === "trap")
    .map((one) => ({ index: one.index, bytes: one.size ?? sizeOf(manifest, one.sizeParam) }));
  const constants = constantsOf(manifest, mined);
  const { msi = 0, msix = 0, intx = false } = manifest.interrupts;
  return {
    registers: [...named(manifest), ...guessed(bars, constants)],
    bars,
    constants,
    hasEvent: (manifest.fuel.event ?? 0) > 0,
    hasWorkDone: (manifest.fuel.workDone ?? 0) > 0,
    hasMemory: manifest.capabilities.some((one) => one === "memory" || one === "buffer"),
    hasInterrupts: msi + msix > 0 || intx,
    virtio: virtioOf(manifest),
  };
}

function sizeOf(manifest: Manifest, name: string | undefined): number {
  return manifest.params.find((one) => one.name === name)?.default ?? 0;
}

function named({ registers = [] }: Manifest): Vocabulary["registers"] {
  return registers.map((one) => ({ bar: one.bar, offset: one.offset, size: one.size, values: one.values ?? [] }));
}

/** Each constant that could be an offset, in each BAR that has it; its size is open (0). */
function guessed(
  bars: readonly { index: number; bytes: number }[],
  constants: readonly number[],
): Vocabulary["registers"] {
  const offsets = constants.filter((one) => one >= 0 && one < GUESSED_OFFSET_MAX);
  return bars.flatMap(({ index, bytes }) =>
    offsets.filter((one) => one < bytes).map((offset) => ({ bar: index, offset, size: 0, values: [] })),
  );
}

/** As numbers of 32 bits, signed, each once, in order of appearance; wide ones as their two halves. */
function constantsOf(manifest: Manifest, mined: readonly bigint[]): number[] {
  const found = new Set<number>();
  const add = (value: bigint): void => {
    found.add(Number(BigInt.asIntN(32, value)));
    if (value !== BigInt.asIntN(32, value) && value !== BigInt.asUintN(32, value)) {
      found.add(Number(BigInt.asIntN(32, value >> 32n)));
    }
  };
  for (const value of mined) add(value);
  for (const { default: usual, min, max } of manifest.params) for (const one of [usual, min, max]) add(BigInt(one));
  for (const { size } of manifest.bars) add(BigInt(size ?? 0));
  for (const { values = [] } of manifest.registers ?? []) for (const one of values) add(BigInt(one));
  for (const power of POWERS) add(BigInt(power));
  return [...found].slice(0, CONSTANTS_MAX);
}
