// SPDX-License-Identifier: MIT
//
// xenstored as the driver domain meets it: wire messages, answers and errors in its order, with the quotas and the
// permissions of an unprivileged domain (tools/xenstore of Xen 4.17, its defaults).

import {
  XENSTORE_ABS_PATH_MAX,
  XS_DIRECTORY,
  XS_ERROR,
  XS_MKDIR,
  XS_READ,
  XS_RM,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WRITE,
} from "../../unikernel/abi/xen/xs_wire.js";
import { beginTransaction, endTransaction, type Transaction, writeInTransaction } from "./transaction.js";
import {
  absolute,
  dropNode,
  event,
  type Message,
  namesBelow,
  parentOf,
  storeRemove,
  storeWrite,
  type Xenstore,
} from "./xenstore.js";

/** quota_max_entry_size: a node with its header, permissions and the names below it. */
export const NODE_BYTES_MAX = 2048;
const NODE_HEADER_BYTES = 24 + 8;
/** quota_nb_entry_per_domain, quota_nb_watch_per_domain. */
export const NODES_MAX = 1000;
export const WATCHES_MAX = 128;

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

/** Handles one message of the driver domain; false when there is none. */
export function storeStep(store: Xenstore, told?: (path: string, value: string | undefined) => void): boolean {
  const message = store.incoming.shift();
  if (message === undefined) return false;
  if (store.refuse?.type === message.type) {
    answerError(store, message, store.refuse.error);
    store.refuse = undefined;
    return true;
  }
  const text = decoder.decode(message.payload);
  const nul = text.indexOf("\0");
  const path = nul < 0 ? text : text.slice(0, nul);
  const rest = nul < 0 ? "" : text.slice(nul + 1);
  handle(store, message, path, rest, told);
  return true;
}

type Told = ((path: string, value: string | undefined) => void) | undefined;

function handle(store: Xenstore, message: Message, path: string, rest: string, told: Told): void {
  const transaction = message.txId ? store.transactions.get(message.txId) : undefined;
  if (message.txId && transaction === undefined) return answerError(store, message, "ENOENT");
  switch (message.type) {
    case XS_READ:
    case XS_DIRECTORY:
      return look(store, message, absolute(store, path), transaction);
    case XS_WRITE:
    case XS_MKDIR:
    case XS_RM:
      return change(store, message, absolute(store, path), rest, transaction, told);
    case XS_WATCH:
      return watch(store, message, path, rest.replace(/\0$/, ""));
    case XS_UNWATCH:
      return unwatch(store, message, absolute(store, path), rest.replace(/\0$/, ""));
    case XS_TRANSACTION_START: {
      const id = beginTransaction(store);
      return typeof id === "string" ? answerError(store, message, id) : answer(store, message, `${id}\0`);
    }
    case XS_TRANSACTION_END: {
      const error = endTransaction(store, message.txId ?? 0, path === "T");
      return error === "" ? answer(store, message, "OK\0") : answerError(store, message, error);
    }
    default:
      answerError(store, message, "ENOSYS");
  }
}

function look(store: Xenstore, message: Message, full: string, transaction: Transaction | undefined): void {
  const nodes = transaction?.nodes ?? store.nodes;
  transaction?.touched.add(full);
  const value = nodes.get(full);
  if (!isPath(full)) return answerError(store, message, "EINVAL");
  if (!full.startsWith(store.home)) return answerError(store, message, "EACCES");
  if (value === undefined) return answerError(store, message, "ENOENT");
  if (message.type === XS_READ) return answer(store, message, value);
  const names = namesBelow(nodes, full);
  answer(store, message, names.map((one) => `${one}\0`).join(""));
}

function change(
  store: Xenstore,
  message: Message,
  full: string,
  rest: string,
  transaction: Transaction | undefined,
  told: Told,
): void {
  const nodes = transaction?.nodes ?? store.nodes;
  const removes = message.type === XS_RM;
  const there = nodes.has(full);
  if (removes) dropNode(store.said, full);
  const error = refusal(store, nodes, message.type, full, rest);
  if (error !== "") return answerError(store, message, error);
  answer(store, message, "OK\0");
  if ((removes && !there) || (message.type === XS_MKDIR && there)) return;
  const value = removes ? undefined : message.type === XS_MKDIR ? "" : rest;
  if (value !== undefined) store.said.set(full, value);
  told?.(full, value);
  if (transaction !== undefined) writeInTransaction(transaction, full, value);
  else if (value === undefined) storeRemove(store, full);
  else storeWrite(store, full, value);
}

function isPath(full: string): boolean {
  return /^\/[-\w/@.:+]*[-\w@.:+]$/.test(full) && !full.includes("//") && full.length <= XENSTORE_ABS_PATH_MAX;
}

/** The error's name; "" when the domain may. */
function refusal(store: Xenstore, nodes: Map<string, string>, type: number, full: string, value: string): string {
  if (!isPath(full)) return "EINVAL";
  if (!full.startsWith(`${store.home}/data/`) && full !== `${store.home}/data`) return "EACCES";
  if (type === XS_RM) return nodes.has(full) || nodes.has(parentOf(full)) ? "" : "ENOENT";
  if (type === XS_MKDIR && nodes.has(full)) return "";
  if (nodeBytes(nodes, full, value) >= NODE_BYTES_MAX) return "ENOSPC";
  return nodes.has(full) ? "" : roomFor(store, nodes, full);
}

function nodeBytes(nodes: Map<string, string>, full: string, value: string): number {
  const names = namesBelow(nodes, full).reduce((sum, one) => sum + one.length + 1, 0);
  return NODE_HEADER_BYTES + value.length + names;
}

/** A new node, and those above it that are missing: the first that exists gets one name more. */
function roomFor(store: Xenstore, nodes: Map<string, string>, full: string): string {
  let above = parentOf(full);
  let name = full.slice(above.length + 1);
  let more = 1;
  for (; !nodes.has(above); above = parentOf(above), more++) name = above.slice(parentOf(above).length + 1);
  if (nodeBytes(nodes, above, nodes.get(above) ?? "") + name.length + 1 >= NODE_BYTES_MAX) return "ENOSPC";
  const own = [...nodes.keys()].filter((one) => one.startsWith(`${store.home}/data`)).length;
  return own + more > NODES_MAX ? "ENOSPC" : "";
}

function watch(store: Xenstore, message: Message, path: string, token: string): void {
  const full = absolute(store, path);
  if (!isPath(full)) return answerError(store, message, "EINVAL");
  if (store.watches.some((one) => one.path === full && one.token === token)) {
    return answerError(store, message, "EEXIST");
  }
  if (store.watches.length >= WATCHES_MAX) return answerError(store, message, "E2BIG");
  store.watches.push({ path: full, shown: path, token });
  answer(store, message, "OK\0");
  event(store, path, token);
}

function unwatch(store: Xenstore, message: Message, full: string, token: string): void {
  const i = store.watches.findIndex((one) => one.path === full && one.token === token);
  if (i < 0) return answerError(store, message, "ENOENT");
  store.watches.splice(i, 1);
  answer(store, message, "OK\0");
}

function answer(store: Xenstore, message: Message, text: string): void {
  store.outgoing.push({ type: message.type, reqId: message.reqId, payload: encoder.encode(text) });
}

function answerError(store: Xenstore, message: Message, error: string): void {
  store.outgoing.push({ type: XS_ERROR, reqId: message.reqId, payload: encoder.encode(`${error}\0`) });
}
