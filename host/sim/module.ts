// SPDX-License-Identifier: MIT
//
// Modules of the simulated driver domain: a real, instrumented .wasm run by V8, or a script of a test. How a call ends
// is the same word for both: a fault of unikernel/abi/shim.ts.

import { DEPTH_GLOBAL, type DepthCounted, depthMax } from "../pipeline/depth.js";
import { STATE_GLOBAL } from "../pipeline/instrument.js";
import { shim } from "./contract.js";
import { importsOf } from "./imports.js";

/** What a module may call. Bytes to be carried are views of its memory, checked; lists are entries of 16 bytes. */
export interface Capabilities {
  param(key: number): bigint;
  irqRaise(vector: number): number;
  scanoutSet(
    scanout: number,
    bar: number,
    offset: bigint,
    width: number,
    height: number,
    stride: number,
    format: number,
  ): number;
  scanoutFlush(scanout: number, x: number, y: number, width: number, height: number): number;
  poll(ns: bigint): number;
  log(text: Uint8Array): number;
  workCopy(
    engine: number,
    cookie: bigint,
    dst: number,
    dstOffset: bigint,
    dstStride: number,
    src: number,
    srcOffset: bigint,
    srcStride: number,
    rowBytes: number,
    rows: number,
  ): number;
  workFence(engine: number, cookie: bigint): number;
  scanoutSetBuffer(
    scanout: number,
    buffer: number,
    offset: bigint,
    width: number,
    height: number,
    stride: number,
    format: number,
  ): number;
  cursorSet(
    scanout: number,
    buffer: number,
    offset: bigint,
    width: number,
    height: number,
    stride: number,
    format: number,
  ): number;
  cursorMove(scanout: number, x: number, y: number): number;
  guestRead(gpa: bigint, into: Uint8Array): number;
  guestWrite(gpa: bigint, bytes: Uint8Array): number;
  bufferCreate(list: Uint8Array): number;
  bufferAppend(buffer: number, list: Uint8Array): number;
  bufferBar(bar: number, offset: bigint, bytes: bigint): number;
  bufferDestroy(buffer: number): number;
  bufferRead(buffer: number, offset: bigint, into: Uint8Array): number;
  bufferWrite(buffer: number, offset: bigint, bytes: Uint8Array): number;
  bufferCopy(
    dst: number,
    dstOffset: bigint,
    dstStride: number,
    src: number,
    srcOffset: bigint,
    srcStride: number,
    rowBytes: number,
    rows: number,
  ): number;
}

export interface Instance {
  /** One entry point; throws ModuleFault. `fuel` is what was used. */
  call(entry: number, fuel: number, args: [bigint, bigint, bigint, bigint]): { value: bigint; fuel: number };
  /** The whole state: memory, then each mutable global as bytes. A view: what is written there is the instance's. */
  state?(): Uint8Array[];
}

export interface SimModule {
  manifest: Uint8Array;
  instantiate(capabilities: Capabilities): Instance;
}

export class ModuleFault extends Error {
  constructor(
    readonly fault: number,
    readonly fuel = 0,
  ) {
    super(`module fault ${fault}`);
  }
}

// --- a script ---

/** Entry points as a test writes them; numbers and bigints both count as answers. */
export interface Script {
  /** Where its state lies when it is handed over. */
  memory?: Uint8Array;
  attach?(): number;
  reset?(): void;
  barRead?(bar: number, offset: number, size: number): bigint | number;
  barWrite?(bar: number, offset: number, size: number, value: bigint): void;
  event?(kind: number, argument: bigint): void;
  workDone?(cookie: bigint, status: number): void;
  stateBuffer?(): number;
  stateSave?(): number;
  stateRestore?(format: number, length: number): number;
}

export function scriptedModule(manifest: Uint8Array, script: (capabilities: Capabilities) => Script): SimModule {
  return {
    manifest,
    instantiate(capabilities) {
      const entries = script(capabilities);
      return {
        state: () => (entries.memory === undefined ? [] : [entries.memory]),
        call: (entry, _fuel, args) => ({ value: runScript(entries, entry, args), fuel: 1 }),
      };
    },
  };
}

function runScript(entries: Script, entry: number, [a, b, c, d]: [bigint, bigint, bigint, bigint]): bigint {
  switch (entry) {
    case shim("ENTRY_ATTACH"):
      return BigInt(entries.attach?.() ?? 0);
    case shim("ENTRY_RESET"):
      entries.reset?.();
      return 0n;
    case shim("ENTRY_BAR_READ"):
      return BigInt(entries.barRead?.(Number(a), Number(b), Number(c)) ?? 0);
    case shim("ENTRY_BAR_WRITE"):
      entries.barWrite?.(Number(a), Number(b), Number(c), d);
      return 0n;
    case shim("ENTRY_WORK_DONE"):
      entries.workDone?.(a, Number(b));
      return 0n;
    case shim("ENTRY_STATE_BUFFER"):
      return BigInt(entries.stateBuffer?.() ?? 0);
    case shim("ENTRY_STATE_SAVE"):
      return BigInt(entries.stateSave?.() ?? 0);
    case shim("ENTRY_STATE_RESTORE"):
      return BigInt(entries.stateRestore?.(Number(a), Number(b)) ?? 0);
    default:
      entries.event?.(Number(a), b);
      return 0n;
  }
}

// --- WebAssembly ---

const ENTRIES = [
  "attach",
  "reset",
  "bar_read",
  "bar_write",
  "event",
  "work_done",
  "state_buffer",
  "state_save",
  "state_restore",
] as const;
/** Which arguments of each entry point are i64. */
const WIDE: Record<(typeof ENTRIES)[number], boolean[]> = {
  attach: [],
  reset: [],
  bar_read: [false, false, false],
  bar_write: [false, false, false, true],
  event: [false, true],
  work_done: [true, false],
  state_buffer: [],
  state_save: [],
  state_restore: [false, false],
};

export function wasmModule(manifest: Uint8Array, code: DepthCounted): SimModule {
  const compiled = new WebAssembly.Module(code);
  return { manifest, instantiate: (capabilities) => wasmInstance(compiled, capabilities) };
}

function wasmInstance(code: WebAssembly.Module, capabilities: Capabilities): Instance {
  const instance: WebAssembly.Instance = new WebAssembly.Instance(code, {
    glovebox: importsOf(capabilities, {
      memory: () => new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer),
      fuel: () => instance.exports.__fuel as WebAssembly.Global,
    }),
  });
  const fuelLeft = instance.exports.__fuel as WebAssembly.Global;
  const depth = instance.exports[DEPTH_GLOBAL] as WebAssembly.Global;
  const most = depthMax();
  return {
    call(entry, fuel, args) {
      const name = ENTRIES[entry] as (typeof ENTRIES)[number];
      const code = instance.exports[name] as ((...values: (number | bigint)[]) => unknown) | undefined;
      if (code === undefined) return { value: 0n, fuel: 0 };
      fuelLeft.value = fuel;
      depth.value = 0;
      try {
        const value = code(...WIDE[name].map((wide, i) => (wide ? (args[i] as bigint) : Number(args[i]))));
        return { value: BigInt((value ?? 0) as number | bigint), fuel: fuel - fuelLeft.value };
      } catch (error) {
        const left = fuelLeft.value as number;
        throw depth.value > most ? new ModuleFault(shim("FAULT_STACK"), fuel - left) : faultOf(error, fuel, left);
      }
    },
    state: () => stateOf(instance.exports),
  };
}

function stateOf(exports: WebAssembly.Exports): Uint8Array[] {
  const parts = [new Uint8Array((exports.memory as WebAssembly.Memory).buffer)];
  for (let i = 0; `${STATE_GLOBAL}${i}` in exports; i++) {
    const { value } = exports[`${STATE_GLOBAL}${i}`] as WebAssembly.Global;
    const wide = typeof value === "bigint";
    const bytes = Buffer.alloc(wide ? 8 : 4);
    if (wide) bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    else bytes.writeUInt32LE((value as number) >>> 0);
    parts.push(bytes);
  }
  return parts;
}

/** V8's words for traps (messages of WebAssembly.RuntimeError). */
const TRAPS: [RegExp, string][] = [
  [/memory access out of bounds/, "FAULT_MEMORY"],
  [/divide|remainder|overflow|unrepresentable/, "FAULT_ARITHMETIC"],
  [/table|signature|null function/, "FAULT_TABLE"],
];

function faultOf(error: unknown, fuel: number, left: number): ModuleFault {
  if (error instanceof ModuleFault) return new ModuleFault(error.fault, left < 0 ? fuel : fuel - left);
  if (error instanceof RangeError) return new ModuleFault(shim("FAULT_STACK"), fuel - left);
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  if (left < 0) return new ModuleFault(shim("FAULT_FUEL"), fuel);
  const name = TRAPS.find(([words]) => words.test(error.message))?.[1] ?? "FAULT_UNREACHABLE";
  return new ModuleFault(shim(name), fuel - left);
}
