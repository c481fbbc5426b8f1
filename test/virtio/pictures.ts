// SPDX-License-Identifier: MIT
//
// For the tests of the virtio GPU's commands: a driver that lives, patterns in a guest's pages, what is shown of them;
// the answers of the specification by short names.

import { crc32 } from "../../host/sim/crc32.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import type { Ram } from "./bus.js";
import * as D from "./driver.js";
import { createMediator, type Mediator } from "./mediator.js";
import type { Piece } from "./virtqueue.js";

export const OK = G.VIRTIO_GPU_RESP_OK_NODATA;
export const UNSPEC = G.VIRTIO_GPU_RESP_ERR_UNSPEC;
export const MEMORY = G.VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
export const SCANOUT = G.VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
export const RESOURCE = G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
export const PARAMETER = G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;

export function live(params: Record<string, number> = {}) {
  const mediator = createMediator(params);
  return { mediator, driver: new D.Driver(mediator).start(), ram: mediator.ram };
}

export const rect = (x: number, y: number, width: number, height: number): D.Rect => ({ x, y, width, height });

/** Pages of the guest, last first, as a scatter list; and a pattern in them. */
export function scattered(ram: Ram, bytes: number, seed = 1): { list: Piece[]; pattern: Uint8Array } {
  const pages = Math.ceil(bytes / 4096);
  const first = ram.pages(pages);
  const pattern = Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 0xff);
  const list: Piece[] = [];
  for (let i = 0; i < pages; i++) {
    const gpa = first + BigInt((pages - 1 - i) * 4096);
    const part = pattern.subarray(i * 4096, (i + 1) * 4096);
    ram.fill(gpa, part);
    list.push({ gpa, bytes: part.length });
  }
  return { list, pattern };
}

/** What a scanout shows, row by row. */
export function shown(mediator: Mediator, number: number): number {
  const scanout = mediator.scanouts[number];
  if (scanout === undefined) return -1;
  let crc = 0;
  for (let row = 0; row < scanout.height; row++) {
    const bytes = mediator.buffers.read(scanout.buffer, scanout.offset + row * scanout.stride, scanout.width * 4);
    crc = crc32(bytes ?? new Uint8Array(), crc);
  }
  return crc;
}

export function part(pattern: Uint8Array, stride: number, { x, y, width, height }: D.Rect): number {
  let crc = 0;
  for (let row = y; row < y + height; row++) {
    crc = crc32(pattern.subarray(row * stride + x * 4, row * stride + (x + width) * 4), crc);
  }
  return crc;
}
