// SPDX-License-Identifier: MIT
//
// One instance of the module that is fuzzed, with its driver: inputs go in, outcomes come out, and before each input
// everything is as after `attach`. Only what was written is set back: a bit stands for each 64th of the memory.

import { MODULE_BORDER } from "../../pipeline/contract.js";
import { encodeManifest, fuelByEntry } from "../../pipeline/manifest.js";
import { TRACE_PARAMS_MAX } from "../../trace/file.js";
import { ADDED_IMPORTS, COVER_NAMESPACE, wordName } from "../cover/builder.js";
import { RECORD_WORDS } from "../target.js";
import { type FaultName, faultOf, framesOf, type Place } from "./fault.js";
import type { FuzzModule } from "./prepare.js";

/** BAR_KIND_* of unikernel/abi/manifest.ts. */
const BAR_KINDS = { trap: 1, ram: 2, msix: 3 } as const;
/** Places in the driver's table (driver/setup.ts). */
const TABLE = [
  ...["attach", "reset", "bar_read", "bar_write", "event", "work_done", "fuel"],
  ...["pay", "peek", "poke", "peek_byte", "poke_byte", "mark"],
];
/**
 * The guest's RAM: so much from 0, and as much from 4 GiB. More than a display's pictures need, little enough that most
 * addresses are none.
 */
export const GUEST_RAM_BYTES = 256 << 20;
const RECORDS_MAX = 65536;
const ENTRIES_MAX = 9;
const GRANULES = 64;
const PAIR_WORDS = 6;
/** Words of the driver's status (driver/setup.ts). */
const STATUS = { op: 0, entry: 1, fault: 2, news: 3, fuel: 4, answers: 6, calls: 8, pairs: 9, most: 10 } as const;
const STATUS_WORDS = 19;

type Call = (...values: number[]) => number;

interface DriverExports {
  memory: WebAssembly.Memory;
  attach: Call;
  run: Call;
  again: Call;
  start: Call;
  step: (record: number) => bigint;
  reset: Call;
  statusAt: Call;
  inputAt: Call;
  paramsAt: Call;
  fuelAt: Call;
  pairsAt: Call;
  barsAt: Call;
  limitsAt: Call;
  manifestAt: Call;
}

export interface Fault {
  fault: FaultName;
  entry: number;
  /** The record that was running. */
  operation: number;
  /** Fuel that the call had taken. */
  fuel: number;
  /** In the file with fuel; undefined when nothing of the module was on the stack. */
  place: Place | undefined;
}

/** The memory as after `attach`, for one set of parameters. */
interface Snapshot {
  memory: Uint8Array;
  granules: Uint8Array[];
  /** What `attach` answered; undefined: it faulted. */
  attached: number | undefined;
  fault: Fault | undefined;
}

export class ModuleInstance {
  readonly input: Int32Array;
  readonly status: Int32Array;
  readonly memory: Uint8Array;
  readonly driver: DriverExports;
  private readonly exports: Record<string, Call>;
  private readonly words: WebAssembly.Global[];
  private readonly binary: string;
  /** The memory before any call. */
  private readonly fresh: Uint8Array;
  private readonly snapshots = new Map<number, Snapshot>();
  private snapshot: Snapshot | undefined;
  private current = -1;
  private error: unknown;
  private readonly shift: number;
  private readonly restoreGlobals: Call;
  private readonly dirtyLow: Call;
  private readonly dirtyHigh: Call;

  constructor(
    readonly module: FuzzModule,
    readonly paramSets: readonly (readonly bigint[])[],
    guestRamBytes = GUEST_RAM_BYTES,
  ) {
    const table = new WebAssembly.Table({ initial: 16, element: "anyfunc" });
    const driver = new WebAssembly.Instance(module.driver, { env: { table } });
    this.driver = driver.exports as unknown as DriverExports;
    const code = new WebAssembly.Module(module.covered.wasm);
    const { exports } = new WebAssembly.Instance(code, {
      [COVER_NAMESPACE]: driver.exports as WebAssembly.ModuleImports,
      [MODULE_BORDER.namespace]: driver.exports as WebAssembly.ModuleImports,
    });
    this.exports = exports as unknown as Record<string, Call>;
    for (const [nth, name] of TABLE.entries()) table.set(nth + 1, this.exports[`__g_${name}`] ?? null);
    const buffer = this.driver.memory.buffer;
    this.input = new Int32Array(buffer, this.driver.inputAt(), RECORDS_MAX * RECORD_WORDS);
    this.status = new Int32Array(buffer, this.driver.statusAt(), STATUS_WORDS);
    this.memory = new Uint8Array((exports.memory as WebAssembly.Memory).buffer);
    this.fresh = this.memory.slice();
    this.words = Array.from({ length: module.covered.words }, (_, i) => exports[wordName(i)] as WebAssembly.Global);
    this.shift = module.covered.dirtyShift;
    this.restoreGlobals = this.added("restore");
    this.dirtyLow = this.added("dirty_low");
    this.dirtyHigh = this.added("dirty_high");
    this.binary = this.nameOfBinary();
    this.setLimits(guestRamBytes);
  }

  private added(name: string): Call {
    return this.exports[`__g_${name}`] as Call;
  }

  /** V8 names binaries by a hash of their bytes; a trap on order tells ours. */
  private nameOfBinary(): string {
    try {
      this.added("trap")();
    } catch (error) {
      return framesOf(error)[0]?.binary ?? "";
    }
    return "";
  }

  private setLimits(guestRamBytes: number): void {
    const { manifest } = this.module;
    const buffer = this.driver.memory.buffer;
    new Uint32Array(buffer, this.driver.fuelAt(), ENTRIES_MAX).set(fuelByEntry(manifest));
    const { msi = 0, msix = 0, intx = false } = manifest.interrupts;
    const vectors = Math.max(msi, msix, intx ? 1 : 0);
    new Uint32Array(buffer, this.driver.limitsAt(), 4).set([
      manifest.scanouts,
      vectors,
      this.memory.length,
      guestRamBytes,
    ]);
    const binary = encodeManifest(manifest);
    new Uint8Array(buffer, this.driver.manifestAt(), binary.length).set(binary);
  }

  // --- parameters ---

  /** Make everything as after `attach` with this set of parameters; undefined: no device stands then. */
  select(params: number): { attached: number | undefined; fault: Fault | undefined } {
    if (this.current !== params) this.attach(params);
    return this.snapshot as Snapshot;
  }

  private attach(params: number): void {
    this.current = params;
    this.memory.set(this.fresh);
    this.added("init")();
    this.setParams(this.paramSets[params] ?? []);
    const { attached, fault } = this.callAttach();
    this.added("save")();
    this.dirtyHigh();
    const known = this.snapshots.get(params) ?? this.takeSnapshot(attached, fault);
    this.snapshots.set(params, known);
    this.snapshot = known;
  }

  private callAttach(): { attached: number | undefined; fault: Fault | undefined } {
    try {
      return { attached: this.driver.attach(), fault: undefined };
    } catch (error) {
      this.error = error;
      return { attached: undefined, fault: this.fault() };
    }
  }

  private takeSnapshot(attached: number | undefined, fault: Fault | undefined): Snapshot {
    const memory = this.memory.slice();
    const bytes = 1 << this.shift;
    const granules = Array.from({ length: GRANULES }, (_, i) => memory.subarray(i * bytes, (i + 1) * bytes));
    return { memory, granules, attached, fault };
  }

  private setParams(params: readonly bigint[]): void {
    const { manifest } = this.module;
    const buffer = this.driver.memory.buffer;
    new BigUint64Array(buffer, this.driver.paramsAt(), TRACE_PARAMS_MAX).fill(0n).set(params);
    const bars = new DataView(buffer, this.driver.barsAt(), 96);
    for (const bar of manifest.bars) {
      const key = manifest.params.findIndex((one) => one.name === bar.sizeParam);
      bars.setUint32(bar.index * 16, BAR_KINDS[bar.kind], true);
      bars.setBigUint64(bar.index * 16 + 8, BigInt(bar.size ?? params[key] ?? 0n), true);
    }
  }

  // --- runs ---

  /** Run records of the input from the state after `attach`; -1: a fault. Else the number of news. */
  run(records: number): number {
    this.restore();
    try {
      this.driver.run(records);
    } catch (error) {
      this.error = error;
      return -1;
    }
    return this.status[STATUS.news] as number;
  }

  /** Make ready to run the input record by record. */
  start(): void {
    this.restore();
    this.driver.start();
  }

  /** One record: what it read (0 else), and whether any call came of it; undefined: a fault. */
  step(record: number): { answer: bigint; calls: number } | undefined {
    const before = this.status[STATUS.calls] as number;
    try {
      const answer = BigInt.asUintN(64, this.driver.step(record));
      return { answer, calls: (this.status[STATUS.calls] as number) - before };
    } catch (error) {
      this.error = error;
      return undefined;
    }
  }

  /** Set back what was written since `attach`. A store may reach one granule further than its bit says. */
  private restore(): void {
    const { granules } = this.snapshot as Snapshot;
    const low = this.dirtyLow();
    const high = this.dirtyHigh();
    for (let left = low | (low << 1); left !== 0; left &= left - 1) {
      const bit = 31 - Math.clz32(left & -left);
      this.memory.set(granules[bit] as Uint8Array, bit << this.shift);
    }
    for (let left = high | (high << 1) | (low >>> 31); left !== 0; left &= left - 1) {
      const bit = 63 - Math.clz32(left & -left);
      this.memory.set(granules[bit] as Uint8Array, bit << this.shift);
    }
    this.restoreGlobals();
  }

  /** The last run's hash of answers, fuel and requests. */
  answers(): string {
    return `${(this.status[STATUS.answers] as number) >>> 0}.${(this.status[STATUS.answers + 1] as number) >>> 0}`;
  }

  /** Fuel of all calls of the last run. */
  fuelOfRun(): number {
    return (this.status[STATUS.fuel] as number) + (this.status[STATUS.fuel + 1] as number) * 2 ** 32;
  }

  /** The reset entry point, then the same records, in the state that the last run left. -1: a fault. */
  resetAndAgain(records: number): number {
    try {
      this.driver.reset();
      this.driver.again(records);
    } catch (error) {
      this.error = error;
      return -1;
    }
    return 0;
  }

  /** What happened, after -1. */
  fault(): Fault {
    const entry = this.status[STATUS.entry] as number;
    const left = this.added("fuel")();
    const budget = fuelByEntry(this.module.manifest)[entry] ?? 0;
    const frame = framesOf(this.error).find((one) => one.binary === this.binary);
    return {
      fault: faultOf(this.error, this.status[STATUS.fault] as number, left, this.added("depth")()),
      entry,
      operation: this.status[STATUS.op] as number,
      fuel: left < 0 ? budget : budget - left,
      place: frame && {
        function: frame.function - ADDED_IMPORTS,
        offset: this.module.covered.inputOffset(frame.offset),
      },
    };
  }

  // --- coverage ---

  /** One word of what was reached. */
  word(index: number): bigint {
    return BigInt.asUintN(64, (this.words[index] as WebAssembly.Global).value as bigint);
  }

  setWord(index: number, value: bigint): void {
    (this.words[index] as WebAssembly.Global).value = BigInt.asIntN(64, value);
  }

  /** Forget all that was reached, and give it. */
  takeWords(): bigint[] {
    return this.words.map((one) => {
      const value = BigInt.asUintN(64, one.value as bigint);
      one.value = 0n;
      return value;
    });
  }

  /** Add to what was reached. */
  mergeWords(values: readonly bigint[]): void {
    for (const [i, value] of values.entries()) {
      const one = this.words[i] as WebAssembly.Global;
      one.value = BigInt.asIntN(64, (one.value as bigint) | value);
    }
  }

  reached(): bigint[] {
    return this.words.map((one) => BigInt.asUintN(64, one.value as bigint));
  }

  /** Comparisons that were noted down in the last run: [what was there, what it was compared with, ...], 32 bits. */
  pairs(): Int32Array {
    const count = this.status[STATUS.pairs] as number;
    const raw = new Int32Array(this.driver.memory.buffer, this.driver.pairsAt(), count * PAIR_WORDS);
    return Int32Array.from({ length: count * 2 }, (_, i) => raw[(i >> 1) * PAIR_WORDS + (i & 1 ? 4 : 2)] as number);
  }

  /** The most fuel that a call of each entry point took (within an eighth). */
  mostFuel(): Int32Array {
    return this.status.subarray(STATUS.most, STATUS.most + ENTRIES_MAX);
  }
}
