// SPDX-License-Identifier: MIT
//
// A xenstored for two: the driver domain by wire messages, Dom0 by function calls. Answers and watch events queue up in
// the order in which xenstored sends them. No permissions, no transactions: nobody here uses them.

import {
  XS_DIRECTORY,
  XS_ERROR,
  XS_MKDIR,
  XS_READ,
  XS_RM,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
} from "../../unikernel/abi/xen/xs_wire.js";

export interface Message {
  type: number;
  reqId: number;
  payload: Uint8Array;
}

export interface Xenstore {
  home: string;
  /** Absolute path -> value; parents are there as well. */
  nodes: Map<string, string>;
  watches: { path: string; shown: string; token: string }[];
  /** From the driver domain, not looked at yet. */
  incoming: Message[];
  /** To the driver domain. */
  outgoing: Message[];
  /** Refuse the next message of this type, with this error. */
  refuse?: { type: number; error: string } | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

export function createXenstore(home: string): Xenstore {
  return { home, nodes: new Map([[home, ""]]), watches: [], incoming: [], outgoing: [] };
}

// --- Dom0's side: paths relative to the driver domain's directory ---

function absolute(store: Xenstore, path: string): string {
  return path.startsWith("/") ? path : `${store.home}/${path}`;
}

export function storeRead(store: Xenstore, path: string): string | undefined {
  return store.nodes.get(absolute(store, path));
}

export function storeWrite(store: Xenstore, path: string, value: string): void {
  const full = absolute(store, path);
  for (let i = full.indexOf("/", 1); i > 0; i = full.indexOf("/", i + 1)) {
    if (!store.nodes.has(full.slice(0, i))) store.nodes.set(full.slice(0, i), "");
  }
  store.nodes.set(full, value);
  fire(store, full);
}

export function storeRemove(store: Xenstore, path: string): boolean {
  const full = absolute(store, path);
  if (!store.nodes.has(full)) return false;
  for (const one of [...store.nodes.keys()]) if (one.startsWith(`${full}/`)) store.nodes.delete(one);
  store.nodes.delete(full);
  fire(store, full);
  for (const watch of store.watches) if (watch.path.startsWith(`${full}/`)) event(store, watch.shown, watch.token);
  return true;
}

export function storeList(store: Xenstore, path: string): string[] {
  const prefix = `${absolute(store, path)}/`;
  const names = [...store.nodes.keys()].filter(
    (one) => one.startsWith(prefix) && !one.slice(prefix.length).includes("/"),
  );
  return names.map((one) => one.slice(prefix.length));
}

function fire(store: Xenstore, full: string): void {
  for (const watch of store.watches) {
    if (full !== watch.path && !full.startsWith(`${watch.path}/`)) continue;
    event(store, watch.shown + full.slice(watch.path.length), watch.token);
  }
}

function event(store: Xenstore, path: string, token: string): void {
  store.outgoing.push({ type: XS_WATCH_EVENT, reqId: 0, payload: encoder.encode(`${path}\0${token}\0`) });
}

// --- the daemon ---

/** Handles one message of the driver domain; false when there is none. */
export function storeStep(store: Xenstore): boolean {
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
  handle(store, message, path, rest);
  return true;
}

function handle(store: Xenstore, message: Message, path: string, rest: string): void {
  const full = absolute(store, path);
  switch (message.type) {
    case XS_READ: {
      const value = store.nodes.get(full);
      return value === undefined ? answerError(store, message, "ENOENT") : answer(store, message, value);
    }
    case XS_DIRECTORY: {
      if (!store.nodes.has(full)) return answerError(store, message, "ENOENT");
      const names = storeList(store, path);
      return answer(store, message, names.map((one) => `${one}\0`).join(""));
    }
    case XS_WRITE:
      answer(store, message, "OK\0");
      return storeWrite(store, path, rest);
    case XS_MKDIR:
      answer(store, message, "OK\0");
      if (!store.nodes.has(full)) storeWrite(store, path, "");
      return;
    case XS_RM:
      if (!store.nodes.has(full) && !store.nodes.has(full.slice(0, full.lastIndexOf("/")))) {
        return answerError(store, message, "ENOENT");
      }
      answer(store, message, "OK\0");
      storeRemove(store, path);
      return;
    case XS_WATCH: {
      const token = rest.replace(/\0$/, "");
      if (store.watches.some((one) => one.path === full && one.token === token)) {
        return answerError(store, message, "EEXIST");
      }
      store.watches.push({ path: full, shown: path, token });
      answer(store, message, "OK\0");
      return event(store, path, token);
    }
    default:
      answerError(store, message, "ENOSYS");
  }
}

function answer(store: Xenstore, message: Message, text: string): void {
  store.outgoing.push({ type: message.type, reqId: message.reqId, payload: encoder.encode(text) });
}

function answerError(store: Xenstore, message: Message, error: string): void {
  store.outgoing.push({ type: XS_ERROR, reqId: message.reqId, payload: encoder.encode(`${error}\0`) });
}
