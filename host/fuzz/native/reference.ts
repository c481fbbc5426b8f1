// SPDX-License-Identifier: MIT
//
// The reference: the same trace on V8, the plain engine of host/sim with the module as it is compiled (fuel, nothing
// else), and the same mediator as in C (../driver/mediator.ts), here as WebAssembly. One outcome, in the rig's own
// words.

import { LIST_ENTRY_BYTES } from "../../../unikernel/abi/module.js";
import { countDepth, type DepthCounted } from "../../pipeline/depth.js";
import { encodeManifest, type Manifest } from "../../pipeline/manifest.js";
import type { PreparedModule } from "../../pipeline/module.js";
import { shim } from "../../sim/contract.js";
import { crc32 } from "../../sim/crc32.js";
import { type Capabilities, type Instance, ModuleFault, type SimModule, wasmModule } from "../../sim/module.js";
import { decodeRecords, TRACE_PARAMS_MAX, type TraceRecord } from "../../trace/index.js";
import { compileMediator } from "../module/driver.js";
import type { RigOutcome } from "../rig.js";

type Call = (...values: (number | bigint)[]) => number;
type Wide = (...values: (number | bigint)[]) => bigint;

/** Exports of the mediator; the first argument of those that serve imports is a tag. */
type Mediator = Record<string, Call> & { memory: WebAssembly.Memory };

const NONE = 0xffff_ffff;
const TAG = 0;

export async function referenceOf(module: Pick<PreparedModule, "manifest" | "wasm">): Promise<Reference> {
  const mediator = new WebAssembly.Module(Uint8Array.from(await compileMediator()));
  return new Reference(module.manifest, await countDepth(module.wasm), mediator);
}

export class Reference {
  private readonly code: SimModule;
  private readonly mediator: Mediator;
  private readonly memory: Uint8Array;

  /** `wasm`: with fuel and depth. */
  constructor(manifest: Manifest, wasm: DepthCounted, mediator: WebAssembly.Module) {
    this.code = wasmModule(new Uint8Array(), wasm);
    this.mediator = new WebAssembly.Instance(mediator, {}).exports as unknown as Mediator;
    this.memory = new Uint8Array(this.mediator.memory.buffer);
    this.memory.set(encodeManifest(manifest), this.number("rig_manifest"));
  }

  run(trace: { params: readonly bigint[]; records: Uint8Array }): RigOutcome {
    this.begin(trace.params);
    const instance = this.code.instantiate(this.capabilities());
    const outcome: RigOutcome = { fault: 0, operation: 0, fuel: 0, answers: "", hash: "" };
    const call = (entry: number, ...args: [bigint, bigint, bigint, bigint]): bigint => {
      const { value, fuel } = instance.call(entry, this.number("rig_budget", entry), args);
      outcome.fuel += fuel;
      return value;
    };
    try {
      if (call(shim("ENTRY_ATTACH"), 0n, 0n, 0n, 0n) !== 0n) return this.ended(outcome, instance, 0n);
      this.number("rig_ready");
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
    return this.ended(outcome, instance, this.wide("rig_answers"));
  }

  private ended(outcome: RigOutcome, instance: Instance, answers: bigint): RigOutcome {
    const state = (instance.state?.() ?? []).reduce((crc, part) => crc32(part, crc), 0) >>> 0;
    outcome.answers = answers.toString(16).padStart(16, "0");
    outcome.hash = state.toString(16).padStart(8, "0");
    return outcome;
  }

  private begin(params: readonly bigint[]): void {
    const values = BigUint64Array.from({ length: TRACE_PARAMS_MAX }, (_, i) => params[i] ?? 0n);
    this.memory.set(new Uint8Array(values.buffer), this.number("rig_params"));
    this.number("rig_begin", params.length);
  }

  private record(
    { kind, flags, size, count, addr, data }: TraceRecord,
    call: (entry: number, ...args: [bigint, bigint, bigint, bigint]) => bigint,
  ): void {
    this.number("rig_record", kind, flags, size, count, addr, data);
    for (let entry = this.number("rig_call"); entry !== NONE; entry = this.number("rig_call")) {
      const [a = 0n, b = 0n, c = 0n, d = 0n] = [0, 1, 2, 3].map((i) => this.wide("rig_argument", i));
      this.number("rig_answered", call(entry, a, b, c, d));
    }
  }

  private number(name: string, ...values: (number | bigint)[]): number {
    return (this.mediator[name] as Call)(...values) >>> 0;
  }

  private wide(name: string, ...values: (number | bigint)[]): bigint {
    return BigInt.asUintN(64, (this.mediator[name] as unknown as Wide)(...values));
  }

  // --- imports: native/wasm/capability.c, transfer.c and work.c ---

  private capabilities(): Capabilities {
    const { mediator, memory } = this;
    const asked = (name: string, ...values: (number | bigint)[]): number => {
      const answer = (mediator[name] as Call)(TAG, ...values);
      if (answer === shim("CAPABILITY_FATAL")) throw new ModuleFault(shim("FAULT_CAPABILITY"));
      return answer;
    };
    const transfer = this.number("transfer_buffer");
    const given = (bytes: Uint8Array): number => {
      memory.set(bytes, transfer);
      return bytes.length;
    };
    const taken = (answer: number, into: Uint8Array): number => {
      if (answer === 0) into.set(memory.subarray(transfer, transfer + into.length));
      return answer;
    };
    return {
      param: (key) => this.wide("param", TAG, key),
      irqRaise: (vector) => asked("irq_raise", vector),
      scanoutSet: (...words) => asked("scanout_set", ...words),
      scanoutSetBuffer: (...words) => asked("scanout_set_buffer", ...words),
      scanoutFlush: (...words) => asked("scanout_flush", ...words),
      cursorSet: (...words) => asked("cursor_set", ...words),
      cursorMove: (...words) => asked("cursor_move", ...words),
      poll: (ns) => asked("poll", ns),
      log: (text) => asked("log", text.length),
      guestRead: (gpa, into) => taken(asked("guest_read", gpa, into.length), into),
      guestWrite: (gpa, bytes) => asked("guest_write", gpa, given(bytes)),
      bufferCreate: (list) => asked("buffer_create", given(list) / LIST_ENTRY_BYTES),
      bufferAppend: (buffer, list) => asked("buffer_append", buffer, given(list) / LIST_ENTRY_BYTES),
      bufferBar: (...words) => asked("buffer_bar", ...words),
      bufferDestroy: (buffer) => asked("buffer_destroy", buffer),
      bufferRead: (buffer, offset, into) => taken(asked("buffer_read", buffer, offset, into.length), into),
      bufferWrite: (buffer, offset, bytes) => asked("buffer_write", buffer, offset, given(bytes)),
      bufferCopy: (...words) => asked("buffer_copy", ...words),
      workCopy: (...words) => asked("work_copy", ...words),
      workFence: (engine, cookie) => asked("work_fence", engine, cookie),
    };
  }
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
