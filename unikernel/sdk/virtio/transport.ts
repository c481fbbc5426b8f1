// SPDX-License-Identifier: MIT
//
// Virtio over PCI, modern (virtio 1.2, 4.1): the common configuration structure, ISR status, notifications, and who the
// driver and the device agree to be. One `trap` BAR of 4 KiB holds everything; notifications can come by a second way,
// an I/O BAR, which costs the guest 60 % of a memory access. The device's manifest says so with `pciCapabilities`
// (VIRTIO_PCI_CAP_*), in these offsets:
//
//   BAR registers   0x000 common | 0x100 ISR | 0x200 device configuration | 0x300 notifications (multiplier 0)
//   BAR doorbell    0x0 notifications (multiplier 0): the number that is written names the queue
//
// There are no callbacks (modules have no tables): transportWrite() answers what happened, the device does its part.
// Trusts nothing: fields take only what the specification lets a driver write at that time, the rest is ignored.

import * as V from "../../abi/virtio";
import { irq_raise } from "../capability";
import { OPEN_BUS, inWindow, loadSized } from "../registers";
import { QUEUES_MAX, Queue, queueAt, queueEnable, queueReset } from "./queue";

export const COMMON_AT: u32 = 0x000;
export const ISR_AT: u32 = 0x100;
export const DEVICE_AT: u32 = 0x200;
export const DEVICE_BYTES_MAX: u32 = 0x100;
export const NOTIFY_AT: u32 = 0x300;
const NOTIFY_BYTES: u32 = 4;

/** What transportWrite() saw; the argument stands above bit 8. */
export const HAPPENED_NOTHING: u32 = 0;
/** The driver wrote 0 to the status: all is as after attach; the device resets itself, too. */
export const HAPPENED_RESET: u32 = 1;
/** DRIVER_OK: queues may be used from now on. */
export const HAPPENED_LIVE: u32 = 2;
/** The queue of that number has something; the device is live. */
export const HAPPENED_NOTIFY: u32 = 3;
/** A write into the device's configuration, at that offset. */
export const HAPPENED_DEVICE: u32 = 4;

let queues: u32 = 0;
let queueSizes: u32 = 0; // log2 of each queue's size, a byte each
let vectors: u32 = 0;
let offered: u64 = 0;

let status: u32 = 0;
let accepted: u64 = 0;
let offeredSelect: u32 = 0;
let acceptedSelect: u32 = 0;
let queueSelect: u32 = 0;
let configVector: u32 = 0;
let generation: u32 = 0;
let isr: u32 = 0;

const image: usize = memory.data(56, 8);

/** Once, at attach: up to four queues with log2 of their sizes in the bytes of `sizes`, MSI-X vectors, feature bits. */
export function transportInit(queue_count: u32, sizes: u32, vector_count: u32, features: u64): void {
  queues = min<u32>(queue_count, QUEUES_MAX);
  queueSizes = sizes;
  vectors = vector_count;
  offered = features | ((<u64>1) << V.VIRTIO_F_VERSION_1) |
    (1 << V.VIRTIO_RING_F_INDIRECT_DESC) | (1 << V.VIRTIO_RING_F_EVENT_IDX);
  transportPowerOn();
}

/** As out of the box: nothing is left, not even how often the configuration changed. */
export function transportPowerOn(): void {
  generation = 0;
  transportReset();
}

/** The driver begins anew. What it read of the configuration before may still be on its way: `generation` goes on. */
export function transportReset(): void {
  status = 0;
  accepted = 0;
  offeredSelect = 0;
  acceptedSelect = 0;
  queueSelect = 0;
  configVector = V.VIRTIO_MSI_NO_VECTOR;
  isr = 0;
  for (let i: u32 = 0; i < queues; i++) queueReset(i, 1 << ((queueSizes >> (8 * i)) & 0xff));
}

/** DRIVER_OK, and nothing has gone wrong since. */
export function isLive(): bool {
  return (status & V.VIRTIO_CONFIG_S_DRIVER_OK) != 0 && (status & V.VIRTIO_CONFIG_S_NEEDS_RESET) == 0;
}

/** Feature `bit` was offered, accepted and confirmed. */
export function hasFeature(bit: u32): bool {
  return (status & V.VIRTIO_CONFIG_S_FEATURES_OK) != 0 && ((accepted >> bit) & 1) != 0;
}

// --- what the device does to the driver ---

/** Call the driver for a queue. */
export function interruptQueue(queue: Queue): void {
  if (queue.vector != V.VIRTIO_MSI_NO_VECTOR) irq_raise(queue.vector);
  else isr |= V.VIRTIO_PCI_ISR_QUEUE;
}

/** The device's configuration has changed. */
export function interruptConfig(): void {
  generation = (generation + 1) & 0xff;
  if (!(status & V.VIRTIO_CONFIG_S_DRIVER_OK)) return;
  if (configVector != V.VIRTIO_MSI_NO_VECTOR) irq_raise(configVector);
  else isr |= V.VIRTIO_PCI_ISR_CONFIG;
}

/** The driver broke a ring: nothing more is taken until it resets us (2.1.2). */
export function needsReset(): void {
  if (status & V.VIRTIO_CONFIG_S_NEEDS_RESET) return;
  status |= V.VIRTIO_CONFIG_S_NEEDS_RESET;
  interruptConfig();
}

// --- registers ---

/** Not the device's configuration: that is the device's to answer. */
export function transportRead(offset: u32, size: u32): u64 {
  if (inWindow(V.VIRTIO_PCI_COMMON_BYTES, offset - COMMON_AT, size)) return readCommon(offset - COMMON_AT, size);
  if (offset == ISR_AT) return takeIsr();
  if (inWindow(NOTIFY_BYTES, offset - NOTIFY_AT, size)) return 0;
  return OPEN_BUS;
}

/** Reading clears (4.1.4.5). */
function takeIsr(): u64 {
  const value = isr;
  isr = 0;
  return value;
}

function readCommon(offset: u32, size: u32): u64 {
  store<u32>(image, offeredSelect, V.VIRTIO_PCI_COMMON_DFSELECT);
  store<u32>(image, wordOf(offered, offeredSelect), V.VIRTIO_PCI_COMMON_DF);
  store<u32>(image, acceptedSelect, V.VIRTIO_PCI_COMMON_GFSELECT);
  store<u32>(image, wordOf(accepted, acceptedSelect), V.VIRTIO_PCI_COMMON_GF);
  store<u16>(image, <u16>configVector, V.VIRTIO_PCI_COMMON_MSIX);
  store<u16>(image, <u16>queues, V.VIRTIO_PCI_COMMON_NUMQ);
  store<u8>(image, <u8>status, V.VIRTIO_PCI_COMMON_STATUS);
  store<u8>(image, <u8>generation, V.VIRTIO_PCI_COMMON_CFGGENERATION);
  store<u16>(image, <u16>queueSelect, V.VIRTIO_PCI_COMMON_Q_SELECT);
  if (queueSelect < queues) readQueue(queueAt(queueSelect));
  else memory.fill(image + V.VIRTIO_PCI_COMMON_Q_SIZE, 0, V.VIRTIO_PCI_COMMON_BYTES - V.VIRTIO_PCI_COMMON_Q_SIZE);
  return loadSized(image + offset, size);
}

function readQueue(queue: Queue): void {
  store<u16>(image, <u16>queue.size, V.VIRTIO_PCI_COMMON_Q_SIZE);
  store<u16>(image, <u16>queue.vector, V.VIRTIO_PCI_COMMON_Q_MSIX);
  store<u16>(image, <u16>queue.enabled, V.VIRTIO_PCI_COMMON_Q_ENABLE);
  store<u16>(image, 0, V.VIRTIO_PCI_COMMON_Q_NOFF);
  store<u64>(image, queue.descriptors, V.VIRTIO_PCI_COMMON_Q_DESCLO);
  store<u64>(image, queue.available_ring, V.VIRTIO_PCI_COMMON_Q_AVAILLO);
  store<u64>(image, queue.used_ring, V.VIRTIO_PCI_COMMON_Q_USEDLO);
}

/** Features come in words of 32; there are two. */
@inline
function wordOf(features: u64, select: u32): u32 {
  return select < 2 ? <u32>(features >> (32 * select)) : 0;
}

/** HAPPENED_*. The value's bits above `size` bytes mean nothing. */
export function transportWrite(offset: u32, size: u32, value: u64): u32 {
  const low = size < 4 ? <u32>value & ((1 << (8 * size)) - 1) : <u32>value;
  if (offset - COMMON_AT < <u32>V.VIRTIO_PCI_COMMON_BYTES) return writeCommon(offset - COMMON_AT, size, low, value);
  if (offset - DEVICE_AT < DEVICE_BYTES_MAX) return HAPPENED_DEVICE | ((offset - DEVICE_AT) << 8);
  if (offset == NOTIFY_AT) return doorbell(low);
  return HAPPENED_NOTHING;
}

/** A notification that came by either way: the driver wrote the queue's number. */
export function doorbell(queue: u32): u32 {
  return isLive() && queue < queues ? HAPPENED_NOTIFY | (queue << 8) : HAPPENED_NOTHING;
}

function writeCommon(offset: u32, size: u32, low: u32, value: u64): u32 {
  if (offset == V.VIRTIO_PCI_COMMON_STATUS && size == 1) return writeStatus(low);
  if (size == 4) writeSelect(offset, low);
  if (size == 2) writeWord(offset, low);
  if (queueSelect < queues) writeAddress(queueAt(queueSelect), offset, size, value);
  return HAPPENED_NOTHING;
}

function writeSelect(offset: u32, value: u32): void {
  if (offset == V.VIRTIO_PCI_COMMON_DFSELECT) offeredSelect = value;
  if (offset == V.VIRTIO_PCI_COMMON_GFSELECT) acceptedSelect = value;
  if (offset == V.VIRTIO_PCI_COMMON_GF) accept(value);
}

/** Until FEATURES_OK (3.1.1). What was not offered is kept, too, and makes FEATURES_OK fail. */
function accept(word: u32): void {
  if (acceptedSelect >= 2 || (status & V.VIRTIO_CONFIG_S_FEATURES_OK) != 0) return;
  const shift = 32 * acceptedSelect;
  accepted = (accepted & ~((<u64>u32.MAX_VALUE) << shift)) | ((<u64>word) << shift);
}

/** Bits are only ever added, but by 0, which is the reset. */
function writeStatus(value: u32): u32 {
  if (value == 0) {
    transportReset();
    return HAPPENED_RESET;
  }
  const old = status;
  let added = value & (V.VIRTIO_CONFIG_S_ACKNOWLEDGE | V.VIRTIO_CONFIG_S_DRIVER | V.VIRTIO_CONFIG_S_DRIVER_OK |
    V.VIRTIO_CONFIG_S_FEATURES_OK | V.VIRTIO_CONFIG_S_FAILED);
  if (!featuresFit()) added &= ~V.VIRTIO_CONFIG_S_FEATURES_OK;
  status |= added;
  if (!(status & V.VIRTIO_CONFIG_S_FEATURES_OK)) status &= ~V.VIRTIO_CONFIG_S_DRIVER_OK;
  return status & ~old & V.VIRTIO_CONFIG_S_DRIVER_OK ? HAPPENED_LIVE : HAPPENED_NOTHING;
}

function featuresFit(): bool {
  return (accepted & ~offered) == 0 && ((accepted >> V.VIRTIO_F_VERSION_1) & 1) != 0;
}

function writeWord(offset: u32, value: u32): void {
  if (offset == V.VIRTIO_PCI_COMMON_MSIX) configVector = vectorOf(value);
  if (offset == V.VIRTIO_PCI_COMMON_Q_SELECT) queueSelect = value;
  if (queueSelect >= queues) return;
  const queue = queueAt(queueSelect);
  if (offset == V.VIRTIO_PCI_COMMON_Q_MSIX) queue.vector = vectorOf(value);
  if (queue.enabled) return;
  if (offset == V.VIRTIO_PCI_COMMON_Q_SIZE) queue.size = value;
  if (offset == V.VIRTIO_PCI_COMMON_Q_ENABLE && value == 1) enable(queue);
}

/** A vector that we do not have reads back as none, by which the driver notices (4.1.5.1.2). */
@inline
function vectorOf(value: u32): u32 {
  return value < vectors ? value : V.VIRTIO_MSI_NO_VECTOR;
}

function enable(queue: Queue): void {
  if (!(status & V.VIRTIO_CONFIG_S_FEATURES_OK)) return;
  const event_index = hasFeature(V.VIRTIO_RING_F_EVENT_IDX);
  if (!queueEnable(queue, event_index, hasFeature(V.VIRTIO_RING_F_INDIRECT_DESC))) needsReset();
}

/** Three addresses of 64 bits, written whole or in halves, until the queue is enabled. */
function writeAddress(queue: Queue, offset: u32, size: u32, value: u64): void {
  if (queue.enabled || offset < <u32>V.VIRTIO_PCI_COMMON_Q_DESCLO || (size != 4 && size != 8)) return;
  if ((offset & (size - 1)) != 0) return;
  const field = (offset - V.VIRTIO_PCI_COMMON_Q_DESCLO) >> 3;
  const shift: u64 = offset & 4 ? 32 : 0;
  const mask: u64 = size == 8 ? u64.MAX_VALUE : (<u64>u32.MAX_VALUE) << shift;
  if (field == 0) queue.descriptors = merge(queue.descriptors, mask, value << shift);
  if (field == 1) queue.available_ring = merge(queue.available_ring, mask, value << shift);
  if (field == 2) queue.used_ring = merge(queue.used_ring, mask, value << shift);
}

@inline
function merge(old: u64, mask: u64, value: u64): u64 {
  return (old & ~mask) | (value & mask);
}
