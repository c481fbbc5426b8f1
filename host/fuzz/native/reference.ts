// SPDX-License-Identifier: MIT
//
// The reference: the same trace on V8, the plain engine of host/sim with the module as it is compiled (fuel, nothing
// else), and the mediator that native/fuzz/model.c and shim/core.c are. One outcome, in the rig's own words.

import { BAR_KIND_RAM, BAR_KIND_TRAP, MANIFEST_BAR_COUNT } from "../../../unikernel/abi/manifest.js";
import {
  CAPABILITY_OK,
  CAPABILITY_REFUSED,
  FORMAT_RGB565,
  FORMAT_RGB888,
  FORMAT_XRGB8888,
} from "../../../unikernel/abi/module.js";
import type { DepthCounted } from "../../pipeline/depth.js";
import { fuelByEntry, type Manifest } from "../../pipeline/manifest.js";
import { shim } from "../../sim/contract.js";
import { crc32 } from "../../sim/crc32.js";
import { type Capabilities, type Instance, ModuleFault, type SimModule, wasmModule } from "../../sim/module.js";
import {
  decodeRecords,
  KIND_ANSWERS,
  KIND_CALL_EVENT,
  KIND_CALL_READ,
  KIND_CALL_RESET,
  KIND_CALL_WORK_DONE,
  KIND_CALL_WRITE,
  type TraceRecord,
} from "../../trace/index.js";
import type { RigOutcome } from "../rig.js";

const FACTOR = 0x9e3779b97f4a7c15n;
const EXTENT_MAX = 16384;
const SCANOUTS_MAX = 4;
const SIZES = [1, 2, 4, 8];
const PIXEL_BYTES = new Map([
  [FORMAT_XRGB8888, 4],
  [FORMAT_RGB888, 3],
  [FORMAT_RGB565, 2],
]);
const BAR_KINDS = { trap: BAR_KIND_TRAP, ram: BAR_KIND_RAM, msix: 3 } as const;

interface Shown {
  width: number;
  height: number;
}

export class Reference {
  private readonly code: SimModule;
  private readonly budgets: number[];
  private hash = 0n;
  private irqAnswer: number = CAPABILITY_OK;
  private shown: (Shown | undefined)[] = [];
  private params: bigint[] = [];
  private bars: { kind: number; bytes: bigint }[] = [];

  /** `wasm`: with fuel and depth. */
  constructor(
    private readonly manifest: Manifest,
    wasm: DepthCounted,
  ) {
    this.code = wasmModule(new Uint8Array(), wasm);
    this.budgets = fuelByEntry(manifest);
  }

  run(trace: { params: readonly bigint[]; records: Uint8Array }): RigOutcome {
    this.setParams(trace.params);
    this.begin();
    const instance = this.code.instantiate(this.capabilities());
    const outcome: RigOutcome = { fault: 0, operation: 0, fuel: 0, answers: "", hash: "" };
    const call: Call = (entry, ...args) => {
      const { value, fuel } = instance.call(entry, this.budgets[entry] ?? 0, args);
      outcome.fuel += fuel;
      return value;
    };
    try {
      if (call(shim("ENTRY_ATTACH"), 0n, 0n, 0n, 0n) !== 0n) return this.ended(outcome, instance, 0n);
      this.begin();
      outcome.fuel = 0;
      for (const one of decodeRecords(trace.records)) {
        this.record(one, call);
        outcome.operation++;
      }
    } catch (error) {
      if (!(error instanceof ModuleFault)) throw error;
      outcome.fault = error.fault;
      outcome.fuel += error.fuel;
      return this.ended(outcome, instance, 0n);
    }
    return this.ended(outcome, instance, this.hash);
  }

  private ended(outcome: RigOutcome, instance: Instance, answers: bigint): RigOutcome {
    const state = (instance.state?.() ?? []).reduce((crc, part) => crc32(part, crc), 0) >>> 0;
    outcome.answers = answers.toString(16).padStart(16, "0");
    outcome.hash = state.toString(16).padStart(8, "0");
    return outcome;
  }

  private setParams(params: readonly bigint[]): void {
    const { manifest } = this;
    this.params = manifest.params.map((one, i) => params[i] ?? BigInt(one.default));
    this.bars = Array.from({ length: MANIFEST_BAR_COUNT }, () => ({ kind: 0, bytes: 0n }));
    for (const bar of manifest.bars) {
      const key = manifest.params.findIndex((one) => one.name === bar.sizeParam);
      this.bars[bar.index] = { kind: BAR_KINDS[bar.kind], bytes: BigInt(bar.size ?? this.params[key] ?? 0n) };
    }
  }

  private begin(): void {
    this.hash = 0n;
    this.atRest();
  }

  private atRest(): void {
    this.irqAnswer = CAPABILITY_OK;
    this.shown = [];
  }

  private note(value: bigint): void {
    const mixed = BigInt.asUintN(64, (this.hash ^ BigInt.asUintN(64, value)) * FACTOR);
    this.hash = BigInt.asUintN(64, mixed << 29n) | (mixed >> 35n);
  }

  // --- records ---

  private record(one: TraceRecord, call: Call): void {
    const bar = BigInt(one.flags);
    const size = BigInt(one.size);
    switch (one.kind) {
      case KIND_CALL_READ:
        if (!this.isAccess(one)) return;
        return this.note(BigInt.asUintN(one.size * 8, call(shim("ENTRY_BAR_READ"), bar, one.addr, size, 0n)));
      case KIND_CALL_WRITE:
        if (this.isAccess(one)) call(shim("ENTRY_BAR_WRITE"), bar, one.addr, size, one.data);
        return;
      case KIND_CALL_RESET:
        this.atRest();
        call(shim("ENTRY_RESET"), 0n, 0n, 0n, 0n);
        return;
      case KIND_CALL_EVENT:
        if (this.budgets[shim("ENTRY_EVENT")]) call(shim("ENTRY_EVENT"), low(one.addr), one.data, 0n, 0n);
        return;
      case KIND_CALL_WORK_DONE:
        if (this.budgets[shim("ENTRY_WORK_DONE")]) call(shim("ENTRY_WORK_DONE"), one.addr, low(one.data), 0n, 0n);
        return;
      case KIND_ANSWERS:
        if (low(one.addr) <= 2n) this.irqAnswer = Number(low(one.addr));
        return;
    }
  }

  private isAccess({ flags, size, addr }: TraceRecord): boolean {
    const bar = this.bars[flags];
    return bar?.kind === BAR_KIND_TRAP && SIZES.includes(size) && addr < bar.bytes && BigInt(size) <= bar.bytes - addr;
  }

  // --- imports ---

  private capabilities(): Capabilities {
    const { msi = 0, msix = 0, intx = false } = this.manifest.interrupts;
    const vectors = Math.max(msi, msix, intx ? 1 : 0);
    const known: Partial<Capabilities> = {
      param: (key) => this.params[key] ?? 0n,
      irqRaise: (vector) => {
        if (vector >= vectors) fatal();
        this.note((1n << 56n) | BigInt(vector));
        return this.irqAnswer;
      },
      scanoutSet: (...words) => this.scanoutSet(...words),
      scanoutFlush: (...words) => this.scanoutFlush(...words),
      log: (text) => {
        this.note((4n << 56n) | BigInt(text.length));
        return CAPABILITY_OK;
      },
      bufferCreate: () => 0,
      bufferBar: () => 0,
    };
    const refused = (): number => CAPABILITY_REFUSED;
    return new Proxy(known, { get: (target, name) => Reflect.get(target, name) ?? refused }) as Capabilities;
  }

  private scanoutSet(...[scanout, bar, wide, ...rest]: Parameters<Capabilities["scanoutSet"]>): number {
    const [width = 0, height = 0, stride = 0, format = 0] = rest.map((one) => one >>> 0);
    const offset = BigInt.asUintN(64, wide);
    const { kind, bytes } = this.bars[bar >>> 0] ?? { kind: 0, bytes: 0n };
    const limit = Math.min(this.manifest.scanouts, SCANOUTS_MAX);
    if (scanout >>> 0 >= limit || (format !== 0 && kind !== BAR_KIND_RAM)) fatal();
    if (format !== 0 && !isPicture(bytes, offset, width, height, stride, format)) return CAPABILITY_REFUSED;
    this.shown[scanout] = format === 0 ? undefined : { width, height };
    this.note((2n << 56n) | offset);
    this.note((BigInt(height) << 32n) | BigInt(width));
    this.note((BigInt(stride) << 32n) | BigInt(format));
    return CAPABILITY_OK;
  }

  private scanoutFlush(...words: Parameters<Capabilities["scanoutFlush"]>): number {
    const [scanout = 0, x = 0, y = 0, width = 0, height = 0] = words.map((one) => one >>> 0);
    if (scanout >= Math.min(this.manifest.scanouts, SCANOUTS_MAX)) fatal();
    const shown = this.shown[scanout];
    if (shown === undefined || x + width > shown.width || y + height > shown.height) return CAPABILITY_REFUSED;
    this.note((3n << 56n) | (BigInt(scanout) << 32n));
    this.note((BigInt(x) << 32n) | BigInt(y));
    this.note((BigInt(width) << 32n) | BigInt(height));
    return CAPABILITY_OK;
  }
}

type Call = (entry: number, ...args: [bigint, bigint, bigint, bigint]) => bigint;

const low = (value: bigint): bigint => BigInt.asUintN(32, value);

function fatal(): never {
  throw new ModuleFault(shim("FAULT_CAPABILITY"));
}

function isPicture(
  bytes: bigint,
  offset: bigint,
  width: number,
  height: number,
  stride: number,
  format: number,
): boolean {
  const pixel = PIXEL_BYTES.get(format);
  if (pixel === undefined || width === 0 || height === 0 || width > EXTENT_MAX || height > EXTENT_MAX) return false;
  if (stride < width * pixel || offset > bytes) return false;
  return BigInt(height - 1) * BigInt(stride) + BigInt(width * pixel) <= bytes - offset;
}

/** What is not the same; undefined: all is. V8 and the domain stop deep recursion at different depths. */
export function difference(v8: RigOutcome, c: RigOutcome): string | undefined {
  const [stack, fuel] = [shim("FAULT_STACK"), shim("FAULT_FUEL")];
  const ends = [v8.fault, c.fault];
  if (ends.includes(stack) && ends.every((one) => one === stack || one === fuel)) return undefined;
  for (const key of ["fault", "operation", "answers", "fuel", "hash"] as const) {
    if (v8[key] === c[key]) continue;
    return `${key} ${v8[key]} on V8, ${c[key]} in C (operation ${c.operation}, fault ${c.fault})`;
  }
  return undefined;
}
