// SPDX-License-Identifier: MIT
//
// An input of the simulator (a find of `fuzz --core`), played step by step with all checkers on: what each step did,
// and what was breached.

import { decodeRecords, type Trace, type TraceRecord } from "../../trace/index.js";
import { type Finding, lookTwice, runInput, storyOf } from "../fuzz/input.js";
import { operationName } from "../play/kinds.js";
import type { MachineOptions } from "../play/machine.js";
import type { Replay } from "./core.js";

/** Kinds from 0xe0 on are the simulator's own: no recording has them. */
export function isInput(trace: Trace): boolean {
  return decodeRecords(trace.records).some((one) => one.kind >= 0xe0);
}

function describeOperation({ domid, vgpu, kind, flags, size, count, addr, data }: TraceRecord): string {
  const numbers = Object.entries({ vgpu, flags, size, count, addr, data }).filter(([, value]) => BigInt(value) !== 0n);
  const words = numbers.map(([name, value]) => `${name}=0x${value.toString(16)}`);
  return [`guest ${domid}`, operationName(kind), ...words].join(" ");
}

export function replayInput(options: MachineOptions, trace: Trace, until = Number.POSITIVE_INFINITY): Replay {
  const records = decodeRecords(trace.records).slice(0, until);
  const found: Finding | undefined = runInput(options, records) ?? lookTwice(options, records);
  const steps = records.map((one, record) => ({
    record,
    timeNs: one.timeNs,
    what: describeOperation(one),
    ...(found?.operation === record ? { note: found.words } : {}),
  }));
  return { steps, compared: records.length, unknown: 0, skipped: 0, difference: found && storyOf(found, records) };
}
