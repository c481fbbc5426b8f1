// SPDX-License-Identifier: MIT
//
// The driver domain's scheduler (unikernel/core/sched) as WebAssembly for the host: the same sources, one file of
// limits exchanged. Everything that crosses is a number; times are nanoseconds as bigint.

import { compile } from "../pipeline/compile.js";

/** The exports of unikernel/core/sched/simulated.ts. */
export interface SchedulerCode {
  memory: WebAssembly.Memory;
  init(engine: number, policy: number, stepped: number): void;
  attach(engine: number, vgpu: number, now: bigint): void;
  detach(engine: number, vgpu: number, now: bigint): number;
  cancel(engine: number, vgpu: number): number;
  submit(engine: number, vgpu: number, cookie: bigint, cost: bigint, now: bigint): number;
  tick(engine: number, now: bigint): number;
  look(engine: number, now: bigint): bigint;
  ran(engine: number, ns: bigint): void;
  done(engine: number, now: bigint): number;
  stopped(engine: number, now: bigint): number;
  reset_done(engine: number, now: bigint): void;
  policy(engine: number, policy: number, now: bigint): void;
  wanted(engine: number, vgpu: number): void;
  want(which: number, value: bigint): number;
  apply(engine: number, vgpu: number, now: bigint): number;
  error_text(): number;
  throttle(engine: number, vgpu: number, percent: number, now: bigint): void;
  running(engine: number): number;
  running_cookie(engine: number): bigint;
  queued(engine: number, vgpu: number): number;
  used_ns(engine: number, vgpu: number, now: bigint): bigint;
  busy_ns(engine: number): bigint;
  finished(engine: number, vgpu: number): bigint;
  decisions(engine: number): bigint;
  steps(): bigint;
  wait_us(engine: number, vgpu: number, percent: number): bigint;
  recent_wait_us(engine: number, vgpu: number, percent: number, now: bigint): bigint;
  state(engine: number): number;
  check(engine: number): number;
}

export interface Limits {
  guests: number;
  engines: number;
  workloads: number;
}

/** Room for 10,000 guests and some more. */
export const LARGE: Limits = { guests: 16384, engines: 1, workloads: 8 };
export const SMALL: Limits = { guests: 64, engines: 2, workloads: 32 };

const SIZE_FILE = "unikernel/core/sched/size.ts";

/** What stands in the place of size.ts. */
export function sizeText(limits: Limits): string {
  return [
    `export const SCHED_VGPUS_MAX: u32 = ${limits.guests};`,
    `export const ENGINES_MAX: u32 = ${limits.engines};`,
    `export const WORKLOADS_MAX: u32 = ${limits.workloads};`,
  ].join("\n");
}

/** Bytes a guest and engine: entity 200, heaps 8 x 16, waits 776, window 16, and 40 a workload; and 64 KiB of text. */
function memoryPages({ guests, engines, workloads }: Limits): number {
  return 2 + Math.ceil((guests * engines * (1120 + 40 * workloads)) / 65536);
}

/** `changed` exchanges other files, too: the mutants of the tests. */
export async function schedulerWasm(limits: Limits, changed: ReadonlyMap<string, string> = new Map()) {
  return compile({
    name: "scheduler",
    entry: "unikernel/core/sched/simulated.ts",
    memoryPages: memoryPages(limits),
    instead: new Map([[SIZE_FILE, sizeText(limits)], ...changed]),
  });
}

/** A scheduler that knows nobody yet. An assertion of its own is an exception. */
export function instantiate(wasm: Uint8Array): SchedulerCode {
  const panic = (code: number, detail: bigint): never => {
    throw new Error(`scheduler: assertion 0x${code.toString(16)}, detail 0x${detail.toString(16)}`);
  };
  const code = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  return new WebAssembly.Instance(code, { shim: { panic } }).exports as unknown as SchedulerCode;
}
