// SPDX-License-Identifier: MIT
//
// Transactions of xenstored (tools/xenstore/xenstored_transaction.c): a view of the tree as it was, and an end that is
// refused with EAGAIN when a node that was looked at or written has changed since.

import { dropNode, fire, putNode, type Xenstore } from "./xenstore.js";

export interface Transaction {
  nodes: Map<string, string>;
  /** store.changes when it began. */
  begun: number;
  touched: Set<string>;
  /** In order; no value: removed. */
  writes: { path: string; value: string | undefined }[];
}

/** quota_max_transaction: a domain's transactions at a time. */
export const TRANSACTIONS_MAX = 10;

/** Its number, or an error's name. */
export function beginTransaction(store: Xenstore): number | string {
  if (store.transactions.size >= TRANSACTIONS_MAX) return "ENOSPC";
  const id = Math.max(0, ...store.transactions.keys()) + 1;
  const { changes: begun } = store;
  store.transactions.set(id, { nodes: new Map(store.nodes), begun, touched: new Set(), writes: [] });
  return id;
}

export function writeInTransaction(transaction: Transaction, path: string, value: string | undefined): void {
  transaction.touched.add(path);
  transaction.writes.push({ path, value });
  if (value === undefined) dropNode(transaction.nodes, path);
  else putNode(transaction.nodes, path, value);
}

/** An error's name; "" when it is done. */
export function endTransaction(store: Xenstore, id: number, commit: boolean): string {
  const transaction = store.transactions.get(id);
  if (transaction === undefined) return "ENOENT";
  store.transactions.delete(id);
  if (!commit) return "";
  const stale = [...transaction.touched].some((path) => (store.changed.get(path) ?? 0) > transaction.begun);
  if (stale) return "EAGAIN";
  for (const { path, value } of transaction.writes) {
    if (value === undefined) dropNode(store.nodes, path);
    else putNode(store.nodes, path, value);
    fire(store, path);
  }
  return "";
}
