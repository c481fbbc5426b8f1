// SPDX-License-Identifier: MIT
//
// A module in V8, with a mediator that only writes down what it is asked: enough to test a device without Xen.

import { readFileSync } from "node:fs";
import wabt from "wabt";
import { MODULE_BORDER } from "../../host/pipeline/contract.js";
import { FUEL_GLOBAL } from "../../host/pipeline/instrument.js";
import type { Manifest } from "../../host/pipeline/manifest.js";
import { buildModule, prepareWasm } from "../../host/pipeline/module.js";
import { inProject } from "../../host/pipeline/paths.js";
import type { Bytes } from "../../host/pipeline/store.js";

/** One call of a capability, as the module made it: name and arguments, unsigned. */
export type Asked = [name: string, ...values: (number | bigint | string)[]];

export interface Device {
  manifest: Manifest;
  asked: Asked[];
  memory: WebAssembly.Memory;
  attach(): number;
  reset(): void;
  read(bar: number, offset: number, size: number): bigint;
  write(bar: number, offset: number, size: number, value: number | bigint): void;
  event(kind: number, argument: bigint): void;
  /** Fuel that the last call took. */
  fuelUsed(): number;
}

export const FUEL = 1_000_000;

type Entry = (...values: (number | bigint)[]) => number | bigint | undefined;

/** Build a module from its folder, through every step but the C, and instantiate it. */
export async function openModule(folder: string, params: Record<string, number> = {}): Promise<Device> {
  const { manifest, wasm } = await prepareWasm(folder, await buildModule(folder));
  return openDevice(manifest, wasm, params);
}

export async function openDevice(
  manifest: Manifest,
  wasm: Bytes,
  params: Record<string, number> = {},
): Promise<Device> {
  const asked: Asked[] = [];
  const values = manifest.params.map((one) => BigInt(params[one.name] ?? one.default));
  const source = await WebAssembly.instantiate(Uint8Array.from(wasm), {
    [MODULE_BORDER.namespace]: capabilities(asked, values, () => memory),
  });
  const exports = source.instance.exports;
  const memory = exports.memory as WebAssembly.Memory;
  const fuel = exports[FUEL_GLOBAL] as WebAssembly.Global;
  const call = (name: string, ...args: (number | bigint)[]): number | bigint | undefined => {
    fuel.value = FUEL;
    return (exports[name] as Entry | undefined)?.(...args);
  };
  return {
    manifest,
    asked,
    memory,
    attach: () => Number(call("attach")),
    reset: () => void call("reset"),
    read: (bar, offset, size) => BigInt.asUintN(64, call("bar_read", bar, offset, size) as bigint),
    write: (bar, offset, size, value) => void call("bar_write", bar, offset, size, BigInt(value)),
    event: (kind, argument) => void call("event", kind, argument),
    fuelUsed: () => FUEL - (fuel.value as number),
  };
}

function capabilities(
  asked: Asked[],
  params: bigint[],
  memory: () => WebAssembly.Memory,
): Record<string, (...values: (number | bigint)[]) => number | bigint> {
  const note = (name: string, values: (number | bigint)[]): number => {
    asked.push([name, ...values.map((one) => (typeof one === "bigint" ? BigInt.asUintN(64, one) : one >>> 0))]);
    return 0;
  };
  return {
    param: (key) => params[Number(key)] ?? 0n,
    irq_raise: (...values) => note("irq_raise", values),
    scanout_set: (...values) => note("scanout_set", values),
    scanout_flush: (...values) => note("scanout_flush", values),
    log: (at, length) => {
      asked.push(["log", Buffer.from(memory().buffer, Number(at), Number(length)).toString("latin1")]);
      return 0;
    },
  };
}

/** What the checker must refuse has to be written first. */
const FEATURES = {
  exceptions: true,
  threads: true,
  simd: true,
  bulk_memory: true,
  sign_extension: true,
  mutable_globals: true,
  multi_value: true,
  tail_call: true,
  reference_types: true,
  memory64: true,
  multi_memory: true, // not in wabt's typings
};

/** WebAssembly from its text form. */
export async function wat(text: string): Promise<Bytes> {
  const tool = await wabt();
  const module = tool.parseWat("test.wat", text, FEATURES);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

/** A deterministic stream of numbers (xorshift32), never 0 as a state. */
export function random(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

/** A manifest of the tree, to be changed by a test. */
export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(inProject(folder, "manifest.json"), "utf8")) as Manifest;
}
