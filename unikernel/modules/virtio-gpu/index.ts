// SPDX-License-Identifier: MIT
//
// The virtio GPU (virtio 1.2, 5.7), 2D: what Linux' virtio_gpu drives as it stands.
//
//   BAR 0  trap, memory  0x000 common | 0x100 ISR | 0x200 device configuration | 0x300 doorbell
//   BAR 1  msix          vector 0 configuration, 1 and 2 the queues, as the driver likes
//   BAR 2  trap, I/O     doorbell
//   BAR 4  ram           the pixels of 2D resources
//
// Trusts nothing that a guest writes, in registers, rings or commands: each number is read once, judged, then used. A
// command that cannot be done is answered with the specification's error, a ring that cannot be asks for a reset.
// Promises: every access is answered in bounded time; a reset forgets everything at once; nothing that a guest makes
// takes the mediator's memory; no pixel is ever copied through this module's memory.

import { EVENT_OUTPUT, EVENT_POLL } from "../../abi/module";
import { VIRTIO_GPU_F_EDID, VIRTIO_GPU_F_RESOURCE_BLOB } from "./protocol";
import { param } from "../../sdk/capability";
import { OPEN_BUS } from "../../sdk/registers";
import * as T from "../../sdk/virtio/transport";
import { configRead, configWrite, outputChange, outputsInit, outputsReset } from "./outputs";
import { PARAM_BLOB, PARAM_MEMORY_BYTES } from "./params";
import { isMemorySize } from "./pixels";
import { resourcesForget, resourcesFree } from "./resources";
import { ringsBegin, ringsForget, ringsNotified, ringsPolled, ringsReset, ringsWorkDone } from "./rings";
import { scanoutsForget, scanoutsOff } from "./scanouts";

const BAR_REGISTERS: u32 = 0;
const BAR_DOORBELL: u32 = 2;

const QUEUES: u32 = 2;
/** Log2 of their sizes: control 256, so that a long scatter list needs no indirect table; cursor 16. */
const QUEUE_SIZES: u32 = 0x0408;
const VECTORS: u32 = 3;

/** Why attach refuses: its answer. */
const REFUSED_MEMORY_SIZE: i32 = 1;

export function attach(): i32 {
  if (!isMemorySize(param(PARAM_MEMORY_BYTES))) return REFUSED_MEMORY_SIZE;
  const blob: u64 = param(PARAM_BLOB) != 0 ? 1 << VIRTIO_GPU_F_RESOURCE_BLOB : 0;
  T.transportInit(QUEUES, QUEUE_SIZES, VECTORS, (1 << VIRTIO_GPU_F_EDID) | blob);
  outputsInit();
  return 0;
}

export function reset(): void {
  T.transportPowerOn();
  forget();
  outputsInit();
}

/** Of the driver: what it made is given back. Scanouts first: what they show goes next. */
function driverReset(): void {
  ringsReset();
  scanoutsOff();
  resourcesFree();
  forget();
}

/** Nothing is left of the driver. The mediator has taken back what it had given, or was told to. */
function forget(): void {
  ringsForget();
  scanoutsForget();
  resourcesForget();
  outputsReset();
}

export function bar_read(bar: u32, offset: u32, size: u32): u64 {
  if (bar == BAR_DOORBELL) return 0;
  if (bar != BAR_REGISTERS) return OPEN_BUS;
  if (offset - T.DEVICE_AT < T.DEVICE_BYTES_MAX) return configRead(offset - T.DEVICE_AT, size);
  return T.transportRead(offset, size);
}

export function bar_write(bar: u32, offset: u32, size: u32, value: u64): void {
  let happened = T.HAPPENED_NOTHING;
  if (bar == BAR_DOORBELL && offset == 0) happened = T.doorbell(<u32>value & 0xffff);
  if (bar == BAR_REGISTERS) happened = T.transportWrite(offset, size, value);
  switch (happened & 0xff) {
    case T.HAPPENED_RESET: driverReset(); break;
    case T.HAPPENED_LIVE: ringsBegin(); break;
    case T.HAPPENED_NOTIFY: ringsNotified(happened >> 8); break;
    case T.HAPPENED_DEVICE: configWrite(happened >> 8, size, value); break;
    default: break;
  }
}

export function event(kind: u32, argument: u64): void {
  if (kind == EVENT_POLL) ringsPolled(argument != 0);
  if (kind == EVENT_OUTPUT) outputChange(<u32>(argument >> 32), <u32>argument & 0xffff, <u32>(argument >> 16) & 0xffff);
}

export function work_done(cookie: u64, status: u32): void {
  ringsWorkDone(cookie, status);
}
