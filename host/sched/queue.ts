// SPDX-License-Identifier: MIT
//
// Events in the order of their times; those of one moment in the order in which they were put in.

interface Entry<T> {
  time: number;
  serial: number;
  what: T;
}

export interface EventQueue<T> {
  heap: Entry<T>[];
  serial: number;
}

export function createQueue<T>(): EventQueue<T> {
  return { heap: [], serial: 0 };
}

/** Infinity when nothing is to come. */
export function nextTime<T>(queue: EventQueue<T>): number {
  return queue.heap[0]?.time ?? Number.POSITIVE_INFINITY;
}

const before = <T>(a: Entry<T>, b: Entry<T>): boolean => a.time < b.time || (a.time === b.time && a.serial < b.serial);

export function put<T>(queue: EventQueue<T>, time: number, what: T): void {
  const { heap } = queue;
  const entry = { time, serial: queue.serial++, what };
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Entry<T>;
    if (before(above, entry)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = entry;
}

export function take<T>(queue: EventQueue<T>): T | undefined {
  const { heap } = queue;
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top?.what;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Entry<T>, heap[child] as Entry<T>)) child++;
    if (!before(heap[child] as Entry<T>, last)) break;
    heap[at] = heap[child] as Entry<T>;
    at = child;
  }
  heap[at] = last;
  return top.what;
}
