// SPDX-License-Identifier: MIT
//
// What a driver does, written down as an input of the fuzzer while it does it: below the driver stands the module with
// the mediator of test/virtio, between them this. Accesses, what the driver writes into its memory, and whatever the
// mediator does by itself become records; answers stay with the reads, so `replayCalls` holds the fuzzer's world
// against the mediator's.

import {
  encodeRecords,
  KIND_CALL_EVENT,
  KIND_CALL_READ,
  KIND_CALL_WORK_DONE,
  KIND_CALL_WRITE,
  KIND_MEMORY,
  record,
  type TraceRecord,
} from "../../host/trace/index.js";
import { EVENT_POLL } from "../../unikernel/abi/module.js";
import { type Bus, Ram } from "../virtio/bus.js";
import { createMediator, type Mediator, RAM_BYTES, RAM_FIRST } from "../virtio/mediator.js";

const WORD = 8;

export interface Recording {
  bus: Bus;
  mediator: Mediator;
  records: TraceRecord[];
  bytes(): Uint8Array;
}

export function recording(params: Record<string, number> = {}): Recording {
  const mediator = createMediator(params);
  const records: TraceRecord[] = [];
  const write = (gpa: bigint, bytes: Uint8Array): boolean => {
    records.push(...changes(mediator.ram.bytes(gpa, bytes.length), gpa, bytes));
    mediator.ram.fill(gpa, bytes);
    return true;
  };
  const read = (gpa: bigint, length: number): Uint8Array => mediator.ram.bytes(gpa, length);
  const bus: Bus = {
    ram: new Ram({ read, write }, RAM_FIRST, BigInt(RAM_BYTES)),
    read(bar, offset, size) {
      const data = mediator.read(bar, offset, size);
      records.push(record({ kind: KIND_CALL_READ, flags: bar, size, count: 1, addr: BigInt(offset), data }));
      return data;
    },
    write(bar, offset, size, value) {
      const data = BigInt.asUintN(8 * size, BigInt(value));
      records.push(record({ kind: KIND_CALL_WRITE, flags: bar, size, addr: BigInt(offset), data }));
      mediator.write(bar, offset, size, value);
    },
    settle() {
      for (;;) {
        if (mediator.work()) records.push(record({ kind: KIND_CALL_WORK_DONE }));
        else if (mediator.poll()) {
          const data = mediator.isPolled() ? 0n : 1n;
          records.push(record({ kind: KIND_CALL_EVENT, addr: BigInt(EVENT_POLL), data }));
        } else return;
      }
    },
    interrupts: () => mediator.interrupts(),
  };
  return { bus, mediator, records, bytes: () => encodeRecords(records) };
}

/** Of a write the words that change something. */
function changes(old: Uint8Array, gpa: bigint, bytes: Uint8Array): TraceRecord[] {
  const out: TraceRecord[] = [];
  for (let at = 0; at < bytes.length; at += WORD) {
    const part = bytes.subarray(at, at + WORD);
    if (Buffer.compare(part, old.subarray(at, at + WORD)) === 0) continue;
    const data = part.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    out.push(record({ kind: KIND_MEMORY, size: part.length, addr: gpa + BigInt(at), data }));
  }
  return out;
}
