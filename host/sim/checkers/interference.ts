// SPDX-License-Identifier: MIT
//
// Isolation without a pattern to look for: an input is played twice, with another secret in one guest's memory and
// writes. Whatever the other guests see must be the same, byte for byte.
//
// An input may plan that the nth call of a kind fails, or that we panic in it. What a guest does with its own secret
// (an address, a command) decides how many calls are made for it, and so, where such a plan counts calls, whose call it
// strikes: the plan carries the secret, nothing of ours does. From the first plan that strikes elsewhere on, the two
// runs are runs of two different inputs, and nothing is compared.

import type { TraceRecord } from "../../trace/record.js";
import { takeEntries } from "../journal.js";
import { createMachine, type Machine, type MachineOptions } from "../play/machine.js";
import { play } from "../play/operation.js";

interface Seen {
  /** What each guest but the secretive one saw, as text. */
  lines: string[];
  /** Plans that struck, and how many lines there were before that operation. */
  struck: { what: string; after: number }[];
}

function seenByOthers(options: MachineOptions, records: readonly TraceRecord[], secretive: number): Seen {
  const machine = createMachine({ ...options, checkers: [] });
  machine.world.journal = { entries: [] };
  const seen: Seen = { lines: [], struck: [] };
  for (const [operation, one] of records.entries()) {
    const after = seen.lines.length;
    try {
      play(machine, one);
    } catch {
      break; // a breach of another kind: not this checker's to tell
    }
    const fresh = machine.world.faults.struck.slice(seen.struck.length);
    seen.struck.push(...fresh.map((what) => ({ what: `${operation} ${what}`, after })));
    collect(machine, secretive, seen.lines);
  }
  return seen;
}

/** So many lines of both come of the same input. */
function comparable(a: Seen, b: Seen): number {
  const most = Math.max(a.struck.length, b.struck.length);
  for (let i = 0; i < most; i++) {
    if (a.struck[i]?.what === b.struck[i]?.what) continue;
    return Math.min(a.struck[i]?.after ?? Number.POSITIVE_INFINITY, b.struck[i]?.after ?? Number.POSITIVE_INFINITY);
  }
  return Number.POSITIVE_INFINITY;
}

function collect(machine: Machine, secretive: number, seen: string[]): void {
  const { journal } = machine.world;
  const hidden = machine.guests.get(secretive)?.domain.domid;
  for (const entry of journal === undefined ? [] : takeEntries(journal)) {
    if (!("domid" in entry) || entry.domid === hidden) continue;
    if (entry.kind === "answered") seen.push(`${entry.domid} answered ${entry.read ? entry.data : ""}`);
    if (entry.kind === "wrote")
      seen.push(`${entry.domid} wrote ${entry.gpa} ${Buffer.from(entry.bytes).toString("hex")}`);
    if (entry.kind === "interrupt") seen.push(`${entry.domid} interrupt ${entry.address} ${entry.data}`);
    if (entry.kind === "gave") seen.push(`${entry.domid} gave ${entry.gfn}`);
  }
}

/** Words when a guest other than `secretive` can tell which secret that one has. */
export function interference(
  options: MachineOptions,
  records: readonly TraceRecord[],
  secretive: number,
): string | undefined {
  const [a, b] = [0, 1].map((salt) => seenByOthers({ ...options, salt, saltOf: secretive }, records, secretive)) as [
    Seen,
    Seen,
  ];
  const end = comparable(a, b);
  const [one, other] = [a.lines.slice(0, end), b.lines.slice(0, end)];
  const i = one.findIndex((line, at) => line !== other[at]);
  if (i < 0 && one.length === other.length) return undefined;
  return `the secret of guest ${secretive} shows: "${one[i] ?? "nothing more"}" or "${other[i] ?? "nothing more"}"`;
}
