// SPDX-License-Identifier: MIT
//
// What happened in the simulated machine, in order, for checkers to read after each step. Written only while somebody
// listens: a world without a journal pays nothing.

export type Entry =
  /** An ioreq slot changed its state (xen/hvm/ioreq.h, STATE_*). */
  | { kind: "slot"; domid: number; server: number; vcpu: number; from: number; to: number; by: "xen" | "us" }
  /** A vCPU stops and waits for an answer. */
  | { kind: "asked"; domid: number; vcpu: number; ask: number }
  /** It goes on; `data` is what it read. `lost`: its server went away before anybody answered. */
  | { kind: "answered"; domid: number; vcpu: number; ask: number; read: boolean; data: bigint; lost: boolean }
  /** The mediator wrote into guest memory. */
  | { kind: "wrote"; domid: number; gpa: bigint; bytes: Uint8Array }
  /** The mediator gave the guest a page. */
  | { kind: "gave"; domid: number; gfn: bigint; page: Uint8Array }
  /** The mediator raised an interrupt in the guest. */
  | { kind: "interrupt"; domid: number; address: bigint; data: number }
  /** The core begins to answer a request. `claimed`: some byte of it lies in a range of the guest's server. */
  | { kind: "serving"; domid: number; claimed: boolean }
  /** Its answer; `size` bytes count. */
  | { kind: "served"; domid: number; claimed: boolean; read: boolean; size: number; data: bigint }
  /** A module instance was called; `data` is what a write brought. */
  | {
      kind: "called";
      handle: number;
      tag: number;
      entry: number;
      fault: number;
      fuel: number;
      budget: number;
      data?: bigint;
    }
  /** A module asked for an interrupt; `promised`: so many a second, by its manifest. */
  | { kind: "raised"; handle: number; tag: number; answer: number; ns: bigint; promised: number }
  /** A module named a scanout, of as many as its manifest has. */
  | { kind: "showed"; tag: number; scanout: number; scanouts: number; answer: number }
  /** The mediator wrote a node, or (no value) removed it. */
  | { kind: "node"; path: string; value: string | undefined }
  /** Bytes came into pages that another domain may read. */
  | { kind: "shared"; from: number | undefined; offset: number; bytes: Uint8Array }
  /** The clock moved. */
  | { kind: "time"; ns: bigint }
  /** The driver domain panicked and started anew. */
  | { kind: "restarted"; mode: number }
  /** A guest died. */
  | { kind: "died"; domid: number };

export interface Journal {
  entries: Entry[];
}

/** The entries since the last call. */
export function takeEntries(journal: Journal): Entry[] {
  const { entries } = journal;
  journal.entries = [];
  return entries;
}
