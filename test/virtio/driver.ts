// SPDX-License-Identifier: MIT
//
// A driver of the virtio GPU, from the specification, with Linux' order of accesses (drivers/virtio/virtio_pci_modern,
// drivers/gpu/drm/virtio of 6.1): reset, features, queues, DRIVER_OK, then commands on the control queue.

import * as V from "../../unikernel/abi/virtio.js";
import * as G from "../../unikernel/modules/virtio-gpu/protocol.js";
import type { Bus } from "./bus.js";
import { type Piece, Virtqueue } from "./virtqueue.js";

export const BAR_REGISTERS = 0;
export const BAR_DOORBELL = 2;
const DEVICE_AT = 0x200;
const NOTIFY_AT = 0x300;

export const CONTROL = 0;
export const CURSOR = 1;

export const bit = (number: number): bigint => 1n << BigInt(number);
export const FEATURES_LINUX =
  bit(V.VIRTIO_F_VERSION_1) |
  bit(V.VIRTIO_RING_F_INDIRECT_DESC) |
  bit(V.VIRTIO_RING_F_EVENT_IDX) |
  bit(G.VIRTIO_GPU_F_EDID) |
  bit(G.VIRTIO_GPU_F_RESOURCE_BLOB);

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Answer {
  type: number;
  bytes: Uint8Array;
  written: number;
}

export class Driver {
  queues: Virtqueue[] = [];
  features = 0n;
  /** Notify by the I/O BAR, as Linux does, or by memory. */
  byPort = true;
  private readonly request: bigint;
  private readonly response: bigint;

  constructor(readonly bus: Bus) {
    this.request = bus.ram.pages(4);
    this.response = bus.ram.pages(1);
  }

  get(offset: number, size: number): number {
    return Number(this.bus.read(BAR_REGISTERS, offset, size));
  }

  set(offset: number, size: number, value: number | bigint): void {
    this.bus.write(BAR_REGISTERS, offset, size, value);
  }

  status(): number {
    return this.get(V.VIRTIO_PCI_COMMON_STATUS, 1);
  }

  addStatus(bits: number): void {
    this.set(V.VIRTIO_PCI_COMMON_STATUS, 1, this.status() | bits);
  }

  reset(): void {
    this.set(V.VIRTIO_PCI_COMMON_STATUS, 1, 0);
    if (this.status() !== 0) throw new Error("the device does not come out of its reset");
    this.queues = [];
  }

  offered(): bigint {
    this.set(V.VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
    const low = this.get(V.VIRTIO_PCI_COMMON_DF, 4);
    this.set(V.VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
    return BigInt(low) | (BigInt(this.get(V.VIRTIO_PCI_COMMON_DF, 4)) << 32n);
  }

  /** Whether FEATURES_OK stood. */
  negotiate(wanted: bigint): boolean {
    this.features = this.offered() & wanted;
    this.accept(this.features);
    this.addStatus(V.VIRTIO_CONFIG_S_FEATURES_OK);
    return (this.status() & V.VIRTIO_CONFIG_S_FEATURES_OK) !== 0;
  }

  accept(features: bigint): void {
    this.set(V.VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
    this.set(V.VIRTIO_PCI_COMMON_GF, 4, features & 0xffffffffn);
    this.set(V.VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
    this.set(V.VIRTIO_PCI_COMMON_GF, 4, features >> 32n);
  }

  private has(feature: number): boolean {
    return (this.features & bit(feature)) !== 0n;
  }

  /** vp_active_vq; the vector of a queue is its number plus 1. */
  setUpQueue(number: number, size?: number): Virtqueue {
    this.set(V.VIRTIO_PCI_COMMON_Q_SELECT, 2, number);
    const most = this.get(V.VIRTIO_PCI_COMMON_Q_SIZE, 2);
    const queue = new Virtqueue(
      this.bus.ram,
      size ?? most,
      this.has(V.VIRTIO_RING_F_EVENT_IDX),
      this.has(V.VIRTIO_RING_F_INDIRECT_DESC),
    );
    this.set(V.VIRTIO_PCI_COMMON_Q_SIZE, 2, queue.size);
    this.setAddress(V.VIRTIO_PCI_COMMON_Q_DESCLO, queue.descriptors);
    this.setAddress(V.VIRTIO_PCI_COMMON_Q_AVAILLO, queue.available);
    this.setAddress(V.VIRTIO_PCI_COMMON_Q_USEDLO, queue.used);
    this.set(V.VIRTIO_PCI_COMMON_Q_MSIX, 2, number + 1);
    if (this.get(V.VIRTIO_PCI_COMMON_Q_MSIX, 2) !== number + 1) throw new Error("no vector for the queue");
    this.queues[number] = queue;
    return queue;
  }

  private setAddress(field: number, gpa: bigint): void {
    this.set(field, 4, gpa & 0xffffffffn);
    this.set(field + 4, 4, gpa >> 32n);
  }

  /** From reset to DRIVER_OK. */
  start(wanted = FEATURES_LINUX, controlSize?: number): this {
    this.reset();
    this.addStatus(V.VIRTIO_CONFIG_S_ACKNOWLEDGE);
    this.addStatus(V.VIRTIO_CONFIG_S_DRIVER);
    if (!this.negotiate(wanted)) throw new Error("FEATURES_OK did not stand");
    this.set(V.VIRTIO_PCI_COMMON_MSIX, 2, 0);
    if (this.get(V.VIRTIO_PCI_COMMON_MSIX, 2) !== 0) throw new Error("no vector for the configuration");
    this.setUpQueue(CONTROL, controlSize);
    this.setUpQueue(CURSOR);
    for (const number of [CONTROL, CURSOR]) {
      this.set(V.VIRTIO_PCI_COMMON_Q_SELECT, 2, number);
      this.set(V.VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    }
    this.addStatus(V.VIRTIO_CONFIG_S_DRIVER_OK);
    return this;
  }

  /** virtio_cread of 32 bits: again while the generation changes. */
  config(offset: number): number {
    for (;;) {
      const before = this.get(V.VIRTIO_PCI_COMMON_CFGGENERATION, 1);
      const value = this.get(DEVICE_AT + offset, 4);
      if (this.get(V.VIRTIO_PCI_COMMON_CFGGENERATION, 1) === before) return value;
    }
  }

  setConfig(offset: number, value: number): void {
    this.set(DEVICE_AT + offset, 4, value);
  }

  notify(queue: number): void {
    if (this.byPort) this.bus.write(BAR_DOORBELL, 0, 2, queue);
    else this.set(NOTIFY_AT, 2, queue);
  }

  /** Show what was added; a doorbell only when the device asked for it. */
  kick(queue: number): boolean {
    const wanted = (this.queues[queue] as Virtqueue).show();
    if (wanted) this.notify(queue);
    return wanted;
  }

  /** Bytes into the request area, one piece for each page. */
  putRequest(bytes: Uint8Array): Piece[] {
    const at = bytes.length <= 16384 ? this.request : this.bus.ram.pages(Math.ceil(bytes.length / 4096));
    this.bus.ram.fill(at, bytes);
    const pieces: Piece[] = [];
    for (let done = 0; done < bytes.length; done += 4096) {
      pieces.push({ gpa: at + BigInt(done), bytes: Math.min(4096, bytes.length - done) });
    }
    return pieces;
  }

  /** A command and its response, to the end. */
  send(bytes: Uint8Array, responseBytes = 1056, pieces = this.putRequest(bytes)): Answer {
    const queue = this.queues[CONTROL] as Virtqueue;
    this.bus.ram.fill(this.response, new Uint8Array(4096));
    const head = queue.add(pieces, [{ gpa: this.response, bytes: responseBytes }]);
    this.kick(CONTROL);
    this.bus.settle();
    const [done] = queue.collect();
    if (done === undefined) throw new Error("the command did not come back");
    if (done.head !== head) throw new Error(`chain ${done.head} came back for ${head}`);
    const answer = this.bus.ram.bytes(this.response, Math.max(responseBytes, 4));
    return { type: new DataView(answer.buffer).getUint32(0, true), bytes: answer, written: done.written };
  }

  sendCursor(bytes: Uint8Array): void {
    const queue = this.queues[CURSOR] as Virtqueue;
    queue.add(this.putRequest(bytes), []);
    this.kick(CURSOR);
    this.bus.settle();
    if (queue.collect().length !== 1) throw new Error("the cursor command did not come back");
  }
}

// --- commands, as bytes ---

/** A command of `bytes` bytes with words at offsets; bigints are 64 bits. */
export function command(
  type: number,
  bytes: number,
  fields: [number, number | bigint][] = [],
  fence?: bigint,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  view.setUint32(0, type, true);
  if (fence !== undefined) {
    view.setUint32(G.HEADER_FLAGS, G.VIRTIO_GPU_FLAG_FENCE, true);
    view.setBigUint64(G.HEADER_FENCE_ID, fence, true);
  }
  for (const [offset, value] of fields) {
    if (typeof value === "bigint") view.setBigUint64(offset, BigInt.asUintN(64, value), true);
    else view.setUint32(offset, value >>> 0, true);
  }
  return new Uint8Array(view.buffer);
}

const rectFields = (at: number, { x, y, width, height }: Rect): [number, number][] => [
  [at, x],
  [at + 4, y],
  [at + 8, width],
  [at + 12, height],
];

export const create2d = (id: number, width: number, height: number, format = G.VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM) =>
  command(G.VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, G.CREATE_2D_BYTES, [
    [G.CREATE_2D_RESOURCE, id],
    [G.CREATE_2D_FORMAT, format],
    [G.CREATE_2D_WIDTH, width],
    [G.CREATE_2D_HEIGHT, height],
  ]);

export const simple = (type: number, id: number) => command(type, G.SIMPLE_BYTES, [[G.SIMPLE_ID, id]]);
export const unref = (id: number) => simple(G.VIRTIO_GPU_CMD_RESOURCE_UNREF, id);
export const detach = (id: number) => simple(G.VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING, id);
export const getEdid = (scanout: number) => simple(G.VIRTIO_GPU_CMD_GET_EDID, scanout);
export const getDisplayInfo = () => command(G.VIRTIO_GPU_CMD_GET_DISPLAY_INFO, G.HEADER_BYTES);

function entriesAt(at: number, entries: readonly Piece[]): [number, number | bigint][] {
  return entries.flatMap(({ gpa, bytes }, i): [number, number | bigint][] => [
    [at + i * 16, gpa],
    [at + i * 16 + 8, bytes],
  ]);
}

export const attach = (id: number, entries: readonly Piece[], count = entries.length) =>
  command(G.VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, G.ATTACH_BYTES + entries.length * 16, [
    [G.ATTACH_RESOURCE, id],
    [G.ATTACH_ENTRIES, count],
    ...entriesAt(G.ATTACH_BYTES, entries),
  ]);

export const createBlob = (id: number, size: bigint, entries: readonly Piece[], kind = G.VIRTIO_GPU_BLOB_MEM_GUEST) =>
  command(G.VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB, G.BLOB_BYTES + entries.length * 16, [
    [G.BLOB_RESOURCE, id],
    [G.BLOB_MEM, kind],
    [32, 2], // VIRTGPU_BLOB_FLAG_USE_SHAREABLE
    [G.BLOB_ENTRIES, entries.length],
    [G.BLOB_SIZE, size],
    ...entriesAt(G.BLOB_BYTES, entries),
  ]);

export const setScanout = (scanout: number, id: number, rect: Rect) =>
  command(G.VIRTIO_GPU_CMD_SET_SCANOUT, G.SET_SCANOUT_BYTES, [
    ...rectFields(G.SET_SCANOUT_RECT, rect),
    [G.SET_SCANOUT_SCANOUT, scanout],
    [G.SET_SCANOUT_RESOURCE, id],
  ]);

export const setScanoutBlob = (
  scanout: number,
  id: number,
  rect: Rect,
  picture: { width: number; height: number; stride: number; offset?: number; format?: number },
) =>
  command(G.VIRTIO_GPU_CMD_SET_SCANOUT_BLOB, G.SCANOUT_BLOB_BYTES, [
    ...rectFields(G.SET_SCANOUT_RECT, rect),
    [G.SET_SCANOUT_SCANOUT, scanout],
    [G.SET_SCANOUT_RESOURCE, id],
    [G.SCANOUT_BLOB_WIDTH, picture.width],
    [G.SCANOUT_BLOB_HEIGHT, picture.height],
    [G.SCANOUT_BLOB_FORMAT, picture.format ?? G.VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM],
    [G.SCANOUT_BLOB_STRIDE, picture.stride],
    [G.SCANOUT_BLOB_OFFSET, picture.offset ?? 0],
  ]);

export const transfer = (id: number, rect: Rect, offset: number | bigint, fence?: bigint) =>
  command(
    G.VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
    G.TRANSFER_BYTES,
    [...rectFields(G.TRANSFER_RECT, rect), [G.TRANSFER_OFFSET, BigInt(offset)], [G.TRANSFER_RESOURCE, id]],
    fence,
  );

export const flush = (id: number, rect: Rect, fence?: bigint) =>
  command(
    G.VIRTIO_GPU_CMD_RESOURCE_FLUSH,
    G.FLUSH_BYTES,
    [...rectFields(G.FLUSH_RECT, rect), [G.FLUSH_RESOURCE, id]],
    fence,
  );

export const cursor = (type: number, scanout: number, x: number, y: number, id: number, hotX: number, hotY: number) =>
  command(type, G.CURSOR_BYTES, [
    [G.CURSOR_SCANOUT, scanout],
    [G.CURSOR_X, x],
    [G.CURSOR_Y, y],
    [G.CURSOR_RESOURCE, id],
    [G.CURSOR_HOT_X, hotX],
    [G.CURSOR_HOT_Y, hotY],
  ]);
