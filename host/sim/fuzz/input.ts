// SPDX-License-Identifier: MIT
//
// One input, played from a fresh machine to the end with all checkers on; what it breached, if anything, in one line.

import type { TraceRecord } from "../../trace/record.js";
import { allCheckers } from "../checkers/all.js";
import { interference } from "../checkers/interference.js";
import { finish } from "../play/finish.js";
import { GUESTS, operationName } from "../play/kinds.js";
import { Breach, createMachine, type MachineOptions } from "../play/machine.js";
import { play } from "../play/operation.js";

export interface Finding {
  checker: string;
  words: string;
  /** The record after which it was noticed; the number of records when it was at the end. */
  operation: number;
}

/** What makes two findings one: who noticed it, and the words without their numbers. */
export function keyOf(finding: Finding): string {
  return `${finding.checker}: ${finding.words.replace(/0x[0-9a-f]+|\d+/g, "N")}`;
}

export function storyOf(finding: Finding, records: readonly TraceRecord[]): string {
  const at = records[finding.operation];
  const when = at === undefined ? "at the end" : `after ${operationName(at.kind)}, operation ${finding.operation}`;
  return `${finding.checker} ${when}: ${finding.words}`;
}

export function runInput(options: MachineOptions, records: readonly TraceRecord[]): Finding | undefined {
  const machine = createMachine({ ...options, checkers: options.checkers ?? allCheckers() });
  let operation = 0;
  try {
    for (; operation < records.length; operation++) play(machine, records[operation] as TraceRecord);
    finish(machine);
    return undefined;
  } catch (error) {
    return findingOf(error, operation);
  }
}

export function findingOf(error: unknown, operation: number): Finding {
  if (error instanceof Breach) return { ...error.violation, operation };
  const { message } = error as Error;
  if (error instanceof WebAssembly.RuntimeError) {
    return { checker: "panic", words: `the core trapped: ${message}`, operation };
  }
  return { checker: "liveness", words: message, operation };
}

/** The second look: does any guest's secret show to another? */
export function lookTwice(options: MachineOptions, records: readonly TraceRecord[]): Finding | undefined {
  return lookAtGuests(options, records, guestsOf(records));
}

export function guestsOf(records: readonly TraceRecord[]): number[] {
  return [...new Set(records.map((one) => one.domid % GUESTS))];
}

/** Two runs for each guest that is looked at. */
export function lookAtGuests(
  options: MachineOptions,
  records: readonly TraceRecord[],
  guests: readonly number[],
): Finding | undefined {
  for (const guest of guests) {
    const words = interference(options, records, guest);
    if (words !== undefined) return { checker: "interference", words, operation: records.length };
  }
  return undefined;
}

/** The shortest input that is left when records are taken out as long as the same is found. */
export function minimize(
  options: MachineOptions,
  records: readonly TraceRecord[],
  key: string,
  run = runInput,
): TraceRecord[] {
  let best = [...records];
  for (let piece = best.length; piece >= 1; piece = piece === 1 ? 0 : Math.ceil(piece / 2)) {
    for (let at = 0; at < best.length; ) {
      const less = [...best.slice(0, at), ...best.slice(at + piece)];
      const found = run(options, less);
      if (found !== undefined && keyOf(found) === key) best = less;
      else at += piece;
    }
    if (piece === 1) break;
  }
  return best;
}
