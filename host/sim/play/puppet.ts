// SPDX-License-Identifier: MIT
//
// A module that does whatever the guest writes: each capability with any argument, each fault, and every shape of
// state. The worst neighbour that a core can have, and it fits on a page. Its RAM is small so that inputs run fast.
//
//   BAR 0, 256 bytes: 0x00 COMMAND  0x08 to 0x38 arguments of 64 bits  0x40 the last answer  0x48 ... kept as written
//   COMMAND 1 irq_raise(a)  2 scanout_set(a .. g)  3 scanout_flush(a .. e)  4 log  5 fault a  6 attach fails next time
//   7 buffer_create({a, b})  8 buffer_read(a, b) to 0x48  9 buffer_write(a, b) from there  10 buffer_destroy(a)
//   11 guest_read(a) to 0x48  12 guest_write(a) from there  13 work_fence(0, a)
//   BAR 2: 64 KiB of RAM, moved by param. BAR 4: MSI-X.

import { LIST_ENTRY_BYTES } from "../../../unikernel/abi/module.js";
import { encodeManifest, type Manifest } from "../../pipeline/manifest.js";
import { shim } from "../contract.js";
import { type Capabilities, ModuleFault, type Script, type SimModule, scriptedModule } from "../module.js";

/** Few, so that a short input can break the promise. */
const PUPPET_INTERRUPTS = 8;

export const PUPPET: Manifest = {
  name: "puppet",
  version: "0.1.0",
  abi: 1,
  role: "device",
  vendor: "0xfffe",
  device: "0x7070",
  subsystemVendor: "0xfffe",
  subsystem: "0x0003",
  class: "0x038000",
  revision: 1,
  capabilities: ["irq", "scanout", "log", "memory", "buffer", "work"],
  bars: [
    { index: 0, kind: "trap", space: "memory32", size: 0x100 },
    { index: 1, kind: "trap", space: "io", size: 0x10 },
    { index: 2, kind: "ram", space: "memory64", prefetchable: true, sizeParam: "ram_bytes" },
    { index: 4, kind: "msix", space: "memory32", size: 0x1000 },
  ],
  interrupts: { msi: 4, msix: 3, msixBar: 4, intx: true },
  memoryPages: 1,
  scanouts: 2,
  fuel: { attach: 1000, reset: 1000, barRead: 1000, barWrite: 1000, event: 1000, workDone: 1000 },
  quotas: { interruptsPerSecond: PUPPET_INTERRUPTS, buffers: 4, bufferBytes: 0x4000, bufferPieces: 16, workloads: 4 },
  params: [{ name: "ram_bytes", default: 0x4000, min: 0x1000, max: 0x100000 }],
};

const COMMAND = 0x00;
const ARGUMENTS = 0x08;
const ANSWER = 0x40;
const DATA = 0x48;
const DATA_BYTES = 8;
const BAR_BYTES = 0x100;

export function puppet(): SimModule {
  return scriptedModule(new Uint8Array(encodeManifest(PUPPET)), script);
}

function script(capabilities: Capabilities): Script {
  const file = Buffer.alloc(BAR_BYTES);
  let refuses = 0;
  const at = (offset: number, size: number) => Math.min(offset, BAR_BYTES - size);
  return {
    attach: () => refuses,
    reset: () => void file.fill(0),
    barRead(_bar, offset, size) {
      const from = at(offset, size);
      return BigInt(
        `0x${Buffer.from(file.subarray(from, from + size))
          .reverse()
          .toString("hex")}`,
      );
    },
    barWrite(_bar, offset, size, value) {
      const word = Buffer.alloc(8);
      word.writeBigUInt64LE(BigInt.asUintN(64, value));
      word.copy(file, at(offset, size), 0, size);
      if (offset !== COMMAND) return;
      if (file[COMMAND] === 6) refuses = 1;
      else file.writeBigInt64LE(BigInt(obey(capabilities, file)), ANSWER);
    },
    event: () => {},
  };
}

function obey(capabilities: Capabilities, file: Buffer): number {
  const u64 = (i: number) => file.readBigUInt64LE(ARGUMENTS + 8 * i);
  const u32 = (i: number) => file.readUInt32LE(ARGUMENTS + 8 * i);
  const data = file.subarray(DATA, DATA + DATA_BYTES);
  switch (file[COMMAND]) {
    case 1:
      return capabilities.irqRaise(u32(0));
    case 2:
      return capabilities.scanoutSet(u32(0), u32(1), BigInt.asIntN(64, u64(2)), u32(3), u32(4), u32(5), u32(6));
    case 3:
      return capabilities.scanoutFlush(u32(0), u32(1), u32(2), u32(3), u32(4));
    case 4:
      return capabilities.log(file.subarray(ARGUMENTS, ARGUMENTS + 16));
    case 5:
      throw new ModuleFault(1 + (u32(0) % shim("FAULT_CAPABILITY")), 1);
    case 7:
      return capabilities.bufferCreate(file.subarray(ARGUMENTS, ARGUMENTS + LIST_ENTRY_BYTES));
    case 8:
      return capabilities.bufferRead(u32(0), u64(1), data);
    case 9:
      return capabilities.bufferWrite(u32(0), u64(1), data);
    case 10:
      return capabilities.bufferDestroy(u32(0));
    case 11:
      return capabilities.guestRead(u64(0), data);
    case 12:
      return capabilities.guestWrite(u64(0), data);
    case 13:
      return capabilities.workFence(0, u64(0));
    default:
      return 0;
  }
}
