// SPDX-License-Identifier: MIT
//
// The import object of a module run by V8: what native/wasm/capability.c and transfer.c do for compiled ones, in the
// same order: what only a broken module can ask for, then fuel, then who decides.

import {
  BUFFER_COPY_BYTES_MAX,
  LIST_ENTRIES_MAX,
  LIST_ENTRY_BYTES,
  TRANSFER_BYTES_MAX,
} from "../../unikernel/abi/module.js";
import { chargeOf, chargeOfRows } from "./charge.js";
import { shim } from "./contract.js";
import { type Capabilities, ModuleFault } from "./module.js";

/** The instance's own memory and fuel: it exists only after its imports do. */
export interface Self {
  memory(): Uint8Array;
  fuel(): WebAssembly.Global;
}

export function importsOf(capabilities: Capabilities, self: Self): WebAssembly.ModuleImports {
  return { ...plainImports(capabilities, self), ...transferImports(capabilities, self) };
}

function plainImports(capabilities: Capabilities, self: Self): WebAssembly.ModuleImports {
  return {
    param: (key: number) => capabilities.param(key >>> 0),
    irq_raise: (vector: number) => capabilities.irqRaise(vector >>> 0),
    scanout_set: capabilities.scanoutSet,
    scanout_flush: capabilities.scanoutFlush,
    scanout_set_buffer: capabilities.scanoutSetBuffer,
    cursor_set: capabilities.cursorSet,
    cursor_move: capabilities.cursorMove,
    poll: (ns: bigint) => capabilities.poll(ns),
    log(at: number, length: number) {
      const memory = self.memory();
      if ((at >>> 0) + (length >>> 0) > memory.length) throw new ModuleFault(shim("FAULT_CAPABILITY"));
      capabilities.log(memory.slice(at >>> 0, (at >>> 0) + Math.min(length >>> 0, shim("SHIM_LOG_BYTES_MAX"))));
    },
  };
}

function transferImports(capabilities: Capabilities, self: Self): WebAssembly.ModuleImports {
  const bytesAt = (ptr: number, len: number): Uint8Array => takeBytes(self, ptr >>> 0, len >>> 0);
  const listAt = (ptr: number, count: number): Uint8Array => {
    if (count >>> 0 > LIST_ENTRIES_MAX) throw new ModuleFault(shim("FAULT_CAPABILITY"));
    return takeBytes(self, ptr >>> 0, (count >>> 0) * LIST_ENTRY_BYTES);
  };
  return {
    guest_read: (gpa: bigint, ptr: number, len: number) => capabilities.guestRead(gpa, bytesAt(ptr, len)),
    guest_write: (gpa: bigint, ptr: number, len: number) => capabilities.guestWrite(gpa, bytesAt(ptr, len)),
    buffer_create: (list: number, count: number) => capabilities.bufferCreate(listAt(list, count)),
    buffer_append: (buffer: number, list: number, count: number) =>
      capabilities.bufferAppend(buffer, listAt(list, count)),
    buffer_bar(bar: number, offset: bigint, bytes: bigint) {
      pay(self, chargeOf(0));
      return capabilities.bufferBar(bar, offset, bytes);
    },
    buffer_destroy(buffer: number) {
      pay(self, chargeOf(0));
      return capabilities.bufferDestroy(buffer);
    },
    buffer_read: (buffer: number, offset: bigint, ptr: number, len: number) =>
      capabilities.bufferRead(buffer, offset, bytesAt(ptr, len)),
    buffer_write: (buffer: number, offset: bigint, ptr: number, len: number) =>
      capabilities.bufferWrite(buffer, offset, bytesAt(ptr, len)),
    work_copy(...work: Parameters<Capabilities["workCopy"]>) {
      pay(self, chargeOf(0));
      return capabilities.workCopy(...work);
    },
    work_fence(engine: number, cookie: bigint) {
      pay(self, chargeOf(0));
      return capabilities.workFence(engine, cookie);
    },
    buffer_copy(...copy: Parameters<Capabilities["bufferCopy"]>) {
      const rowBytes = copy[6] >>> 0;
      const rows = copy[7] >>> 0;
      if (rowBytes * rows > BUFFER_COPY_BYTES_MAX || rows > BUFFER_COPY_BYTES_MAX) {
        throw new ModuleFault(shim("FAULT_CAPABILITY"));
      }
      pay(self, chargeOfRows(rowBytes, rows));
      return capabilities.bufferCopy(...copy);
    },
  };
}

/** [ptr, ptr + len) of the module's memory, at most one transfer; paid for. */
function takeBytes(self: Self, ptr: number, len: number): Uint8Array {
  const memory = self.memory();
  if (len > TRANSFER_BYTES_MAX || ptr + len > memory.length) throw new ModuleFault(shim("FAULT_CAPABILITY"));
  pay(self, chargeOf(len));
  return memory.subarray(ptr, ptr + len);
}

/** Who cannot pay is out of fuel, before anything is done. */
function pay(self: Self, units: number): void {
  const fuel = self.fuel();
  fuel.value = fuel.value < units ? -1 : fuel.value - units;
  if (fuel.value < 0) throw new ModuleFault(shim("FAULT_FUEL"));
}
