// SPDX-License-Identifier: MIT
//
// Isolation without a pattern to look for: an input is played twice, with another secret in one guest's memory and
// writes. Whatever the other guests see must be the same, byte for byte.

import type { TraceRecord } from "../../trace/record.js";
import { takeEntries } from "../journal.js";
import { createMachine, type Machine, type MachineOptions } from "../play/machine.js";
import { play } from "../play/operation.js";

/** What each guest but `secretive` saw, as text. */
function seenByOthers(options: MachineOptions, records: readonly TraceRecord[], secretive: number): string[] {
  const machine = createMachine({ ...options, checkers: [] });
  machine.world.journal = { entries: [] };
  const seen: string[] = [];
  for (const one of records) {
    try {
      play(machine, one);
    } catch {
      break; // a breach of another kind: not this checker's to tell
    }
    collect(machine, secretive, seen);
  }
  return seen;
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
  const [a, b] = [0, 1].map((salt) => seenByOthers({ ...options, salt, saltOf: secretive }, records, secretive));
  const i = (a as string[]).findIndex((line, at) => line !== b?.[at]);
  if (i < 0 && a?.length === b?.length) return undefined;
  return `the secret of guest ${secretive} shows: "${a?.[i] ?? "nothing more"}" or "${b?.[i] ?? "nothing more"}"`;
}
