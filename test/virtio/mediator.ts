// SPDX-License-Identifier: MIT
//
// The virtio-gpu module alone in V8, instrumented as in the driver domain, with its manifest's fuel, and a mediator
// that takes every wrong argument for what it is: a fault of the module. So a test that passes has seen no fault.

import { FUEL_GLOBAL } from "../../host/pipeline/instrument.js";
import type { Manifest } from "../../host/pipeline/manifest.js";
import { buildModule, prepareWasm } from "../../host/pipeline/module.js";
import * as A from "../../unikernel/abi/module.js";
import { Buffers, Fault } from "./buffers.js";
import { type Bus, flatMemory, Ram } from "./bus.js";

export interface Scanout {
  buffer: number;
  offset: number;
  width: number;
  height: number;
  stride: number;
  format: number;
  flushes: [number, number, number, number][];
}

export interface Cursor {
  x: number;
  y: number;
  picture: { buffer: number; offset: number; width: number; height: number; stride: number } | undefined;
}

/** A workload; no copy: a fence. */
export interface Work {
  cookie: bigint;
  copy: Parameters<Buffers["copy"]> | undefined;
}

export interface Mediator extends Bus {
  buffers: Buffers;
  scanouts: (Scanout | undefined)[];
  cursors: Cursor[];
  log: string[];
  manifest: Manifest;
  attach(): number;
  reset(): void;
  /** The operator plugs something in; 0 x 0: out. */
  output(number: number, width: number, height: number): void;
  /** One A.EVENT_POLL, if the module asked for it. */
  poll(): boolean;
  isPolled(): boolean;
  /** Called when the module has written there: what another processor of the guest does then. */
  afterWrite: ((gpa: bigint) => void) | undefined;
  /** What waits for the engine, oldest first. */
  works: Work[];
  /** The engine does the oldest, and tells; false: there is none. */
  work(): boolean;
  /** Doorbells and other accesses so far. */
  traps: number;
  /** The most that one call took of its entry's budget, as a part of it. */
  fuelMost(): number;
}

export const RAM_BYTES = 24 << 20;
const PIXELS_DEFAULT = 16 << 20;
export const RAM_FIRST = 0x100000n;
const POLL_STEP_NS = 10_000n;

const { manifest: MANIFEST, wasm } = await prepareWasm("virtio-gpu", await buildModule("unikernel/modules/virtio-gpu"));
/** What the manifest promises; docs/MODULE_ABI.md has what stands for a missing one. */
export const QUOTAS = {
  buffers: MANIFEST.quotas?.buffers ?? 16,
  bufferBytes: MANIFEST.quotas?.bufferBytes ?? 64 << 20,
  bufferPieces: MANIFEST.quotas?.bufferPieces ?? 1024,
  workloads: MANIFEST.quotas?.workloads ?? 16,
};
const FUEL = { ...MANIFEST.fuel, event: MANIFEST.fuel.event ?? 0, workDone: MANIFEST.fuel.workDone ?? 0 };
const CODE = new WebAssembly.Module(Uint8Array.from(wasm));

type Entry = (...values: (number | bigint)[]) => number | bigint | undefined;

export function createMediator(params: Record<string, number> = {}): Mediator {
  const memory = flatMemory(RAM_BYTES);
  const values = MANIFEST.params.map((one) => BigInt(params[one.name] ?? one.default));
  const pixels = new Uint8Array(params.memory_bytes ?? PIXELS_DEFAULT);
  const buffers = new Buffers(memory, pixels);
  const state = { raised: [] as number[], until: 0n, polled: false, now: 0n, most: 0 };
  const scanouts: (Scanout | undefined)[] = [];
  const log: string[] = [];
  const works: Work[] = [];
  const cursors: Cursor[] = Array.from({ length: MANIFEST.scanouts }, () => ({ x: 0, y: 0, picture: undefined }));

  const instance: WebAssembly.Instance = new WebAssembly.Instance(CODE, { glovebox: imports() });
  const linear = () => new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer);
  const fuel = instance.exports[FUEL_GLOBAL] as WebAssembly.Global;

  function own(at: number, length: number): Uint8Array {
    if ((at >>> 0) + (length >>> 0) > linear().length) throw new Fault("outside the module's memory");
    return linear().subarray(at >>> 0, (at >>> 0) + (length >>> 0));
  }

  /** What imports with a length cost beyond the packer's price. */
  function charge(bytes: number, reaches = 1): void {
    fuel.value -= reaches * A.CHARGE_REACH + Math.ceil(bytes / A.CHARGE_BYTES_PER_UNIT);
    if (fuel.value < 0) throw new Fault("out of fuel");
  }

  function submit(engine: number, work: Work): number {
    charge(0);
    if (engine !== A.ENGINE_COPY) throw new Fault(`engine ${engine}`);
    if (works.length === QUOTAS.workloads) return A.CAPABILITY_BUSY;
    works.push(work);
    return A.CAPABILITY_OK;
  }

  function imports(): WebAssembly.ModuleImports {
    const u64 = (value: bigint) => BigInt.asUintN(64, value);
    const transfer = (length: number) => {
      if (length >>> 0 > 4096) throw new Fault(`a transfer of ${length >>> 0} bytes`);
      charge(length);
    };
    return {
      param: (key: number) => values[key] ?? 0n,
      irq_raise(vector: number) {
        if (vector >>> 0 >= (MANIFEST.interrupts.msix ?? 0)) throw new Fault(`vector ${vector}`);
        state.raised.push(vector);
        return 0;
      },
      log: (at: number, length: number) => void log.push(Buffer.from(own(at, length)).toString("latin1")),
      guest_read(gpa: bigint, at: number, length: number) {
        transfer(length);
        const bytes = memory.read(u64(gpa), length);
        if (bytes !== undefined) own(at, length).set(bytes);
        return bytes === undefined ? 2 : 0;
      },
      guest_write(gpa: bigint, at: number, length: number) {
        transfer(length);
        if (!memory.write(u64(gpa), own(at, length).slice())) return 2;
        mediator.afterWrite?.(u64(gpa));
        return 0;
      },
      buffer_create(at: number, count: number) {
        charge(count * 16);
        return buffers.create(own(at, count * 16));
      },
      buffer_append(handle: number, at: number, count: number) {
        charge(count * 16);
        return buffers.append(handle, own(at, count * 16));
      },
      buffer_bar(bar: number, offset: bigint, bytes: bigint) {
        charge(0);
        return buffers.bar(bar, u64(offset), u64(bytes));
      },
      buffer_destroy(handle: number) {
        for (const one of cursors) if (one.picture?.buffer === handle) one.picture = undefined;
        return buffers.destroy(handle);
      },
      work_copy(engine: number, cookie: bigint, ...copy: Parameters<Buffers["copy"]>) {
        const [dst, dstOffset, dstStride, src, srcOffset, srcStride, rowBytes, rows] = copy;
        if (!buffers.holds(dst, dstOffset, dstStride, rowBytes, rows)) return A.CAPABILITY_REFUSED;
        if (!buffers.holds(src, srcOffset, srcStride, rowBytes, rows)) return A.CAPABILITY_REFUSED;
        return submit(engine, { cookie: u64(cookie), copy });
      },
      work_fence: (engine: number, cookie: bigint) => submit(engine, { cookie: u64(cookie), copy: undefined }),
      scanout_flush(number: number, x: number, y: number, width: number, height: number) {
        const scanout = scanouts[number];
        if (number >= MANIFEST.scanouts) throw new Fault(`scanout ${number}`);
        if (scanout === undefined || x + width > scanout.width || y + height > scanout.height) return 2;
        scanout.flushes.push([x, y, width, height]);
        return 0;
      },
      scanout_set_buffer(
        number: number,
        buffer: number,
        offset: bigint,
        width: number,
        height: number,
        stride: number,
        format: number,
      ) {
        if (number >>> 0 >= MANIFEST.scanouts) throw new Fault(`scanout ${number}`);
        if (format === 0) {
          scanouts[number] = undefined;
          return 0;
        }
        const end = u64(offset) + BigInt(height - 1) * BigInt(stride >>> 0) + BigInt(width * 4);
        if (end > BigInt(buffers.bytes(buffer))) return 2;
        scanouts[number] = { buffer, offset: Number(offset), width, height, stride, format, flushes: [] };
        return 0;
      },
      cursor_set(
        number: number,
        buffer: number,
        offset: bigint,
        width: number,
        height: number,
        stride: number,
        format: number,
      ) {
        if (number >>> 0 >= MANIFEST.scanouts) throw new Fault(`cursor of scanout ${number}`);
        const { x, y } = cursors[number] as Cursor;
        if (format === 0) {
          cursors[number] = { x, y, picture: undefined };
          return 0;
        }
        if (format !== A.FORMAT_ARGB8888) throw new Fault(`cursor of format ${format}`);
        const end = u64(offset) + BigInt(height - 1) * BigInt(stride >>> 0) + BigInt(width * 4);
        if (end > BigInt(buffers.bytes(buffer))) return 2;
        cursors[number] = { x, y, picture: { buffer, offset: Number(offset), width, height, stride } };
        return 0;
      },
      cursor_move(number: number, x: number, y: number) {
        if (number >>> 0 >= MANIFEST.scanouts) throw new Fault(`cursor of scanout ${number}`);
        Object.assign(cursors[number] as Cursor, { x, y });
        return 0;
      },
      poll(ns: bigint) {
        state.polled = u64(ns) !== 0n;
        state.until = state.now + u64(ns);
        return 0;
      },
    };
  }

  const call = (name: string, budget: number | undefined, ...args: (number | bigint)[]) => {
    fuel.value = budget;
    const answer = (instance.exports[name] as Entry)(...args);
    state.most = Math.max(state.most, 1 - (fuel.value as number) / (budget as number));
    return answer;
  };

  const mediator: Mediator = {
    buffers,
    scanouts,
    cursors,
    log,
    works,
    afterWrite: undefined,
    manifest: MANIFEST,
    traps: 0,
    ram: new Ram(memory, RAM_FIRST, BigInt(RAM_BYTES)),
    attach: () => Number(call("attach", FUEL.attach)),
    reset() {
      for (const { cookie } of works.splice(0)) call("work_done", FUEL.workDone, cookie, A.WORK_CANCELLED);
      buffers.all.clear();
      scanouts.length = 0;
      for (const one of cursors) Object.assign(one, { x: 0, y: 0, picture: undefined });
      state.polled = false;
      call("reset", FUEL.reset);
    },
    read(bar, offset, size) {
      mediator.traps++;
      const value = call("bar_read", FUEL.barRead, bar, offset, size) as bigint;
      return BigInt.asUintN(8 * size, value);
    },
    write(bar, offset, size, value) {
      mediator.traps++;
      call("bar_write", FUEL.barWrite, bar, offset, size, BigInt(value));
    },
    output(number, width, height) {
      const argument = (BigInt(number) << 32n) | BigInt(height * 65536 + width);
      call("event", FUEL.event, A.EVENT_OUTPUT, argument);
    },
    poll() {
      if (!state.polled) return false;
      state.now += POLL_STEP_NS;
      const last = state.now >= state.until;
      if (last) state.polled = false;
      call("event", FUEL.event, A.EVENT_POLL, last ? 1n : 0n);
      return true;
    },
    isPolled: () => state.polled,
    work() {
      const work = works.shift();
      if (work === undefined) return false;
      const failed = work.copy !== undefined && !buffers.copy(...work.copy);
      call("work_done", FUEL.workDone, work.cookie, failed ? A.WORK_FAILED : A.WORK_OK);
      return true;
    },
    settle() {
      for (let i = 0; mediator.work() || mediator.poll(); i++) {
        if (i > 1_000_000) throw new Error("the module polls for ever");
      }
    },
    interrupts: () => state.raised.splice(0),
    fuelMost: () => state.most,
  };
  if (mediator.attach() !== 0) throw new Error("attach was refused");
  return mediator;
}
