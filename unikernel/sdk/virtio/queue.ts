// SPDX-License-Identifier: MIT
//
// Split virtqueues (virtio 1.2, 2.7), the device's side: take chains from the available ring, put them into the used
// ring, and be called, or call, only when that is needed (event index, or the two flags).
//
//   driver ──available ring──> queueTake ──> Chain ... work ... ──> queuePut ──(queuePublish)──> used ring ──> driver
//
// The rings lie in guest memory and are hostile: every index is read once and judged. What cannot be (an index that
// jumps further than the ring is long, a head outside it, a chain that chain.ts refuses) is TAKE_BROKEN: the device
// then asks for a reset, and takes nothing more from anybody.

import * as V from "../../abi/virtio";
import { CHAINS_MAX, Chain, chainAt, chainTake } from "./chain";
import { isRange, readWord16, wordRead, writeGuest, writeWord16 } from "./guest";

export const QUEUES_MAX: u32 = CHAINS_MAX;

export const TAKE_EMPTY: u32 = 0;
export const TAKE_CHAIN: u32 = 1;
export const TAKE_BROKEN: u32 = 2;

@unmanaged
export class Queue {
  number: u32;
  size_max: u32; // what the device offers; a power of two
  size: u32; // what the driver chose
  vector: u32; // MSI-X, or VIRTIO_MSI_NO_VECTOR
  enabled: u32;
  event_index: u32; // negotiated
  indirect: u32; // negotiated
  // free-running, 16 bits count
  next_avail: u32; // the chain to take next
  known_avail: u32; // the driver's index as it was read last
  used: u32;
  published: u32; // `used` as the driver has been shown it
  signalled: u32; // `used` when the driver was called, or decided not to be
  descriptors: u64; // gpa of the three parts
  available_ring: u64;
  used_ring: u64;
}
const QUEUE_BYTES: u32 = 80;

const QUEUES: usize = memory.data(QUEUES_MAX * QUEUE_BYTES, 8);
const element: usize = memory.data(8, 8);

export function queueAt(number: u32): Queue {
  if (offsetof<Queue>() > QUEUE_BYTES) ERROR("QUEUE_BYTES");
  return changetype<Queue>(QUEUES + number * QUEUE_BYTES);
}

export function queueReset(number: u32, size_max: u32): void {
  const queue = queueAt(number);
  memory.fill(changetype<usize>(queue), 0, QUEUE_BYTES);
  queue.number = number;
  queue.size_max = size_max;
  queue.size = size_max;
  queue.vector = V.VIRTIO_MSI_NO_VECTOR;
}

/** The driver has set size and addresses. False: the three parts cannot lie there. */
export function queueEnable(queue: Queue, event_index: bool, indirect: bool): bool {
  const entries = queue.size;
  if (entries == 0 || entries > queue.size_max || (entries & (entries - 1)) != 0) return false;
  if (queue.descriptors & (V.VRING_DESC_ALIGN_SIZE - 1)) return false;
  if (queue.available_ring & (V.VRING_AVAIL_ALIGN_SIZE - 1)) return false;
  if (queue.used_ring & (V.VRING_USED_ALIGN_SIZE - 1)) return false;
  if (!isRange(queue.descriptors, entries * V.VRING_DESC_BYTES)) return false;
  if (!isRange(queue.available_ring, V.VRING_RING + entries * 2 + 2)) return false;
  if (!isRange(queue.used_ring, V.VRING_RING + entries * V.VRING_USED_ELEM_BYTES + 2)) return false;
  queue.event_index = event_index ? 1 : 0;
  queue.indirect = indirect ? 1 : 0;
  queue.enabled = 1;
  return true;
}

/** Whether there is a chain to take. */
export function queueLook(queue: Queue): u32 {
  if (!queue.enabled) return TAKE_EMPTY;
  if (queue.next_avail != queue.known_avail) return TAKE_CHAIN;
  if (!readWord16(queue.available_ring + V.VRING_IDX)) return TAKE_BROKEN;
  const waiting = (wordRead() - queue.next_avail) & 0xffff;
  if (waiting > queue.size) return TAKE_BROKEN;
  queue.known_avail = wordRead();
  return waiting == 0 ? TAKE_EMPTY : TAKE_CHAIN;
}

/** The next chain, in the queue's own record. */
export function queueTake(queue: Queue): u32 {
  const look = queueLook(queue);
  if (look != TAKE_CHAIN) return look;
  const slot = queue.next_avail & (queue.size - 1);
  if (!readWord16(queue.available_ring + V.VRING_RING + slot * 2)) return TAKE_BROKEN;
  const head = wordRead();
  if (!chainTake(chainOf(queue), queue.descriptors, queue.size, head, queue.indirect != 0)) return TAKE_BROKEN;
  queue.next_avail = (queue.next_avail + 1) & 0xffff;
  return TAKE_CHAIN;
}

/** The chain that queueTake took last. */
export function chainOf(queue: Queue): Chain {
  return chainAt(queue.number);
}

/** The chain goes back to the driver, with what was written into it; shown at the next queuePublish. */
export function queuePut(queue: Queue, chain: Chain): bool {
  const slot = queue.used & (queue.size - 1);
  store<u32>(element, chain.head);
  store<u32>(element, chain.written, 4);
  queue.used = (queue.used + 1) & 0xffff;
  return writeGuest(queue.used_ring + V.VRING_RING + slot * V.VRING_USED_ELEM_BYTES, element, 8);
}

export const PUBLISH_QUIET: u32 = 0;
export const PUBLISH_CALL: u32 = 1;
export const PUBLISH_BROKEN: u32 = 2;

/** Show the driver what was put. PUBLISH_CALL: it wants an interrupt for that. */
export function queuePublish(queue: Queue): u32 {
  if (queue.used == queue.published) return PUBLISH_QUIET;
  if (!writeWord16(queue.used_ring + V.VRING_IDX, queue.used)) return PUBLISH_BROKEN;
  queue.published = queue.used;
  const old = queue.signalled;
  queue.signalled = queue.used;
  if (!queue.event_index) {
    if (!readWord16(queue.available_ring)) return PUBLISH_BROKEN;
    return wordRead() & V.VRING_AVAIL_F_NO_INTERRUPT ? PUBLISH_QUIET : PUBLISH_CALL;
  }
  if (!readWord16(queue.available_ring + V.VRING_RING + queue.size * 2)) return PUBLISH_BROKEN;
  return crossed(wordRead(), queue.used, old) ? PUBLISH_CALL : PUBLISH_QUIET;
}

/** Did the index pass `event` on its way from `old` to `now`? 2.7.7.2, vring_need_event; all of them wrap at 2^16. */
@inline
function crossed(event: u32, now: u32, old: u32): bool {
  return ((now - event - 1) & 0xffff) < ((now - old) & 0xffff);
}

/** "Do not notify": we are looking anyway. With the event index the one that stands there is passed already. */
export function queueMute(queue: Queue): bool {
  if (!queue.enabled || queue.event_index) return true;
  return writeWord16(queue.used_ring, V.VRING_USED_F_NO_NOTIFY);
}

/** "Notify of the next chain." What came before the driver could see this is found by one more queueLook. */
export function queueListen(queue: Queue): bool {
  if (!queue.enabled) return true;
  if (!queue.event_index) return writeWord16(queue.used_ring, 0);
  const avail_event = queue.used_ring + V.VRING_RING + queue.size * V.VRING_USED_ELEM_BYTES;
  return writeWord16(avail_event, queue.next_avail);
}
