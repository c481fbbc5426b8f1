// SPDX-License-Identifier: MIT
//
// The simulator's own kinds of trace record, 0xe0 to 0xff (docs/SIMULATOR.md): what Dom0, Xen and fate do. In such
// inputs `domid` is the number of a guest (0 to 3) and `vgpu` of an ioreq is the vCPU.

import { KIND_CONFIG, KIND_MEMORY, KIND_MMIO, KIND_PIO, KIND_TEXT, KIND_TIME } from "../../trace/record.js";

export const KIND_ATTACH = 0xe0;
export const KIND_DETACH = 0xe1;
export const KIND_REQUEST = 0xe2;
export const KIND_FAIL = 0xe3;
export const KIND_PANIC = 0xe4;
export const KIND_DIE = 0xe5;
export const KIND_BIRTH = 0xe6;
export const KIND_BALLOON = 0xe7;
export const KIND_PAUSE = 0xe8;
export const KIND_STEP = 0xe9;
export const KIND_NODE = 0xea;
export const KIND_SHARE = 0xeb;
export const KIND_VANISH = 0xec;

// --- flags ---
/** Of any record of Dom0's: the driver domain is not given time to answer. Of an ioreq: the vCPU is not waited for. */
export const FLAG_LATER = 0x80;
/**
 * Of an ioreq that writes, and of KIND_MEMORY: the data carries the guest's secret. Of one that reads: its slot holds
 * what nobody sent (leftover.ts).
 */
export const FLAG_SECRET = 0x40;
/** Of an ioreq: the guest's server gets it whatever its ranges are. */
export const FLAG_PAST = 0x20;
export const ATTACH_HVM = 1;
export const ATTACH_SLOT = 2;
export const ATTACH_PARAM = 4;
/** The specification is text number `count`, whatever it says. */
export const ATTACH_TEXT = 8;
export const BALLOON_IN = 1;
export const PAUSE_ON = 1;
export const NODE_WRITE = 1;
export const SHARE_MAP = 1;
export const BIRTH_FOREIGN = 4;

export const GUESTS = 4;
export const VCPUS_MAX = 4;

/** What the fuzzer may make up, by name. */
export const OPERATIONS: readonly (readonly [kind: number, name: string])[] = [
  [KIND_PIO, "pio"],
  [KIND_MMIO, "mmio"],
  [KIND_CONFIG, "config"],
  [0x07, "timeoffset"],
  [0x08, "invalidate"],
  [KIND_MEMORY, "memory"],
  [KIND_TIME, "time"],
  [KIND_TEXT, "text"],
  [KIND_ATTACH, "attach"],
  [KIND_DETACH, "detach"],
  [KIND_REQUEST, "request"],
  [KIND_FAIL, "fail"],
  [KIND_PANIC, "panic"],
  [KIND_DIE, "die"],
  [KIND_BIRTH, "birth"],
  [KIND_BALLOON, "balloon"],
  [KIND_PAUSE, "pause"],
  [KIND_STEP, "step"],
  [KIND_NODE, "node"],
  [KIND_SHARE, "share"],
  [KIND_VANISH, "vanish"],
];

export function operationName(kind: number): string {
  return OPERATIONS.find(([one]) => one === kind)?.[1] ?? `kind 0x${kind.toString(16)}`;
}

/** Verbs of KIND_REQUEST, by its flags; N is `vgpu`, S `size`, ADDR and DATA the record's. */
export const REQUESTS = [
  "stat",
  "stat G N",
  "reset G N",
  "crc G N S",
  "read G N S ADDR DATA",
  "release",
  "trace ADDR DATA",
];

/** Nodes of KIND_NODE, by `size`; below data/glovebox, G and N as above. */
export const NODES = [
  "vgpu/G/N",
  "vgpu/G",
  "vgpu",
  "vgpu/G/N/state",
  "vgpu/G/N/error",
  "vgpu/G/N/bdf",
  "request",
  "reply",
  "state",
  "module",
  "vgpu/nobody/1",
  "vgpu/99999999/0",
];
