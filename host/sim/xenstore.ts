// SPDX-License-Identifier: MIT
//
// The xenstore tree and its watches; Dom0's side by function calls, the driver domain's in xenstored.ts. Events queue
// up in the order in which xenstored sends them.

import { XS_WATCH_EVENT } from "../../unikernel/abi/xen/xs_wire.js";
import type { Transaction } from "./transaction.js";

export interface Message {
  type: number;
  reqId: number;
  /** 0: no transaction. */
  txId?: number;
  payload: Uint8Array;
}

export interface Xenstore {
  home: string;
  /** Absolute path -> value; parents are there as well. */
  nodes: Map<string, string>;
  /** Absolute path -> what the driver domain wrote there last and did not remove, whoever wrote over it since. */
  said: Map<string, string>;
  /** Absolute path -> when it changed last; also of nodes that are gone. */
  changed: Map<string, number>;
  changes: number;
  watches: { path: string; shown: string; token: string }[];
  transactions: Map<number, Transaction>;
  /** From the driver domain, not looked at yet. */
  incoming: Message[];
  /** To the driver domain. */
  outgoing: Message[];
  /** Refuse the next message of this type, with this error. */
  refuse?: { type: number; error: string } | undefined;
}

const encoder = new TextEncoder();

export function createXenstore(home: string): Xenstore {
  return {
    home,
    nodes: new Map([[home, ""]]),
    said: new Map(),
    changed: new Map(),
    changes: 0,
    watches: [],
    transactions: new Map(),
    incoming: [],
    outgoing: [],
  };
}

export function absolute(store: Xenstore, path: string): string {
  return path.startsWith("/") ? path : `${store.home}/${path}`;
}

export function parentOf(full: string): string {
  return full.slice(0, full.lastIndexOf("/"));
}

// --- Dom0's side: paths relative to the driver domain's directory ---

export function storeRead(store: Xenstore, path: string): string | undefined {
  return store.nodes.get(absolute(store, path));
}

/** Also inside a transaction's nodes, then without anybody being told. */
export function putNode(nodes: Map<string, string>, full: string, value: string): void {
  for (let i = full.indexOf("/", 1); i > 0; i = full.indexOf("/", i + 1)) {
    if (!nodes.has(full.slice(0, i))) nodes.set(full.slice(0, i), "");
  }
  nodes.set(full, value);
}

export function dropNode(nodes: Map<string, string>, full: string): boolean {
  if (!nodes.has(full)) return false;
  for (const one of [...nodes.keys()]) if (one.startsWith(`${full}/`)) nodes.delete(one);
  return nodes.delete(full);
}

export function storeWrite(store: Xenstore, path: string, value: string): void {
  const full = absolute(store, path);
  putNode(store.nodes, full, value);
  fire(store, full);
}

export function storeRemove(store: Xenstore, path: string): boolean {
  const full = absolute(store, path);
  const below = [...store.nodes.keys()].filter((one) => one.startsWith(`${full}/`));
  if (!dropNode(store.nodes, full)) return false;
  for (const one of below) note(store, one);
  fire(store, full);
  for (const watch of store.watches) if (watch.path.startsWith(`${full}/`)) event(store, watch.shown, watch.token);
  return true;
}

export function namesBelow(nodes: ReadonlyMap<string, string>, full: string): string[] {
  const prefix = `${full}/`;
  const below = [...nodes.keys()].filter((one) => one.startsWith(prefix) && !one.slice(prefix.length).includes("/"));
  return below.map((one) => one.slice(prefix.length));
}

export function storeList(store: Xenstore, path: string): string[] {
  return namesBelow(store.nodes, absolute(store, path));
}

// --- watches ---

function note(store: Xenstore, full: string): void {
  store.changed.set(full, ++store.changes);
}

/** The node changed: whoever watches it, or something above it, is told. */
export function fire(store: Xenstore, full: string): void {
  note(store, full);
  for (const watch of store.watches) {
    if (full !== watch.path && !full.startsWith(`${watch.path}/`)) continue;
    event(store, watch.shown + full.slice(watch.path.length), watch.token);
  }
}

export function event(store: Xenstore, path: string, token: string): void {
  store.outgoing.push({ type: XS_WATCH_EVENT, reqId: 0, payload: encoder.encode(`${path}\0${token}\0`) });
}
