// SPDX-License-Identifier: MIT
//
// No word of one guest's secret (play/secret.ts) reaches another: not by an answer, its memory, a node of its own, a
// picture or an interrupt; and a page that the mediator gives holds nothing of anybody. Nothing that nobody sent
// (leftover.ts) reaches a guest or a module either. What a module or the core made
// out of a secret does not look like it any more: for that, interference.ts runs an input twice.

import type { Entry } from "../journal.js";
import { LEFTOVER } from "../leftover.js";
import { GUESTS } from "../play/kinds.js";
import type { Guest, Machine } from "../play/machine.js";
import { holdsSecret } from "../play/secret.js";
import type { Checker } from "./checker.js";

export function isolation(): Checker {
  return {
    name: "isolation",
    entry(machine, entry) {
      if (entry.kind === "gave" && !isEmpty(entry.page)) {
        return `guest ${entry.domid}: the page given to it at gfn 0x${entry.gfn.toString(16)} is not empty`;
      }
      if (entry.kind === "called" && holdsSecret(u64(entry.data ?? 0n), LEFTOVER)) {
        return `the module of vGPU ${entry.tag} was given what nobody sent`;
      }
      const seen = seenBy(entry);
      if (seen === undefined) return undefined;
      if (holdsSecret(seen.bytes, LEFTOVER)) return `guest ${seen.domid} ${seen.how} with what nobody sent`;
      const whose = strangers(machine, seen.domid).find((one) => holdsSecret(seen.bytes, one.secret));
      if (whose !== undefined && saidItself(machine, seen.domid, whose.secret)) return undefined;
      return whose && `guest ${seen.domid} ${seen.how} with data of guest ${whose.domain.domid}`;
    },
  };
}

/** Secrets fill whole pages, so the beginning tells. */
const SAMPLE = new Uint8Array(64);

function isEmpty(page: Uint8Array): boolean {
  return Buffer.compare(page.subarray(0, SAMPLE.length), SAMPLE) === 0;
}

/** What a guest sees by that, if it sees anything. */
function seenBy(entry: Entry): { domid: number; bytes: Uint8Array; how: string } | undefined {
  if (entry.kind === "answered") return { domid: entry.domid, bytes: u64(entry.data), how: "was answered" };
  if (entry.kind === "wrote") return { domid: entry.domid, bytes: entry.bytes, how: "has memory written" };
  if (entry.kind === "interrupt") {
    const bytes = Buffer.concat([u64(entry.address), u64(BigInt(entry.data))]);
    return { domid: entry.domid, bytes, how: "was interrupted" };
  }
  if (entry.kind === "shared" && entry.from !== undefined) {
    return { domid: entry.from, bytes: entry.bytes, how: "has its picture mixed" };
  }
  if (entry.kind !== "node" || entry.value === undefined) return undefined;
  const domid = Number(/\/vgpu\/(\d+)\//.exec(entry.path)?.[1] ?? Number.NaN);
  return Number.isNaN(domid) ? undefined : { domid, bytes: Buffer.from(entry.value, "latin1"), how: "has a node" };
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}

/** A fuzzer learns what the core compares, so an input may have a guest say another's secret: then nobody told it. */
function saidItself(machine: Machine, domid: number, secret: number): boolean {
  const number = [...machine.guests.values()].find((one) => one.domain.domid === domid)?.number;
  return machine.played.some(
    ({ domid: from, addr, data }) =>
      from % GUESTS === number && holdsSecret(Buffer.concat([u64(addr), u64(data)]), secret),
  );
}

function strangers(machine: Machine, domid: number): Guest[] {
  return [...machine.guests.values()].filter((one) => one.domain.domid !== domid);
}
