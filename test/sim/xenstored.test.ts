// SPDX-License-Identifier: MIT
//
// The simulated xenstored: what a domain may write, its quotas, watches, transactions that meet a change.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { TRANSACTIONS_MAX } from "../../host/sim/transaction.js";
import { createXenstore, storeRead, storeRemove, storeWrite, type Xenstore } from "../../host/sim/xenstore.js";
import { NODES_MAX, storeStep, WATCHES_MAX } from "../../host/sim/xenstored.js";
import {
  XS_DIRECTORY,
  XS_ERROR,
  XS_MKDIR,
  XS_READ,
  XS_RM,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
} from "../../unikernel/abi/xen/xs_wire.js";

const HOME = "/local/domain/3";

/** The answer, errors as `!NAME`; events go to `events`. */
function say(store: Xenstore, type: number, text: string, txId = 0): string {
  store.incoming.push({ type, reqId: 1, txId, payload: Buffer.from(text) });
  storeStep(store);
  const i = store.outgoing.findIndex((one) => one.type !== XS_WATCH_EVENT);
  const [answer] = store.outgoing.splice(i, 1);
  const words = Buffer.from(answer?.payload ?? []).toString();
  return answer?.type === XS_ERROR ? `!${words.slice(0, -1)}` : words;
}

const events = (store: Xenstore): string[] =>
  store.outgoing.splice(0).map((one) => Buffer.from(one.payload).toString().split("\0")[0] ?? "");

test("a domain writes below its own data and nowhere else", () => {
  const store = createXenstore(HOME);
  assert.is(say(store, XS_WRITE, "data/a/b\0value"), "OK\0");
  assert.is(say(store, XS_READ, "data/a/b\0"), "value");
  assert.is(say(store, XS_DIRECTORY, "data/a\0"), "b\0");
  for (const path of ["name", "/local/domain/0/x", "/local/domain/33/data/x", "device"]) {
    assert.is(say(store, XS_WRITE, `${path}\0x`), "!EACCES", path);
    assert.is(say(store, XS_RM, `${path}\0`), "!EACCES", path);
  }
  assert.is(say(store, XS_READ, "/local/domain/0/x\0"), "!EACCES");
  assert.is(say(store, XS_WRITE, "data//x\0x"), "!EINVAL");
  assert.is(say(store, XS_WRITE, "data/\x01\0x"), "!EINVAL");
  assert.is(say(store, XS_MKDIR, "data/a\0"), "OK\0");
  assert.is(storeRead(store, "data/a/b"), "value", "a node that is there stays as it is");
});

test("a node has 2048 bytes with its header and the names below it", () => {
  const store = createXenstore(HOME);
  assert.is(say(store, XS_WRITE, `data/a\0${"x".repeat(2048 - 33)}`), "OK\0");
  assert.is(say(store, XS_WRITE, `data/b\0${"x".repeat(2048 - 32)}`), "!ENOSPC");
  assert.is(say(store, XS_WRITE, "data/a/b\0"), "!ENOSPC", "a name more does not fit");
  storeWrite(store, "data/huge", "x".repeat(3000));
  assert.is(say(store, XS_WRITE, "data/huge/state\0ready"), "!ENOSPC", "Dom0 may, the domain may not");
});

test("quotas: nodes, watches, transactions", () => {
  const store = createXenstore(HOME);
  say(store, XS_WRITE, "data/x\0");
  let made = 2; // data and data/x
  for (let dir = 0; made < NODES_MAX; dir++) {
    for (let i = 0; i < 200 && made < NODES_MAX - 1; i++, made++) {
      if (i === 0) made++;
      assert.is(say(store, XS_WRITE, `data/d${dir}/${i}\0`), "OK\0", `${made}`);
    }
    if (made >= NODES_MAX - 1) break;
  }
  while (say(store, XS_WRITE, `data/y${made}\0`) === "OK\0") made++;
  assert.is(made, NODES_MAX);
  for (let i = 0; i < WATCHES_MAX; i++) assert.is(say(store, XS_WATCH, `data\0${i}\0`), "OK\0");
  assert.is(say(store, XS_WATCH, "data\0more\0"), "!E2BIG");
  assert.is(say(store, XS_WATCH, "data\x005\0"), "!EEXIST");
  assert.is(say(store, XS_UNWATCH, "data\x005\0"), "OK\0");
  assert.is(say(store, XS_UNWATCH, "data\x005\0"), "!ENOENT");
  for (let i = 0; i < TRANSACTIONS_MAX; i++) assert.match(say(store, XS_TRANSACTION_START, "\0"), /^\d+\0$/);
  assert.is(say(store, XS_TRANSACTION_START, "\0"), "!ENOSPC");
});

test("a watch fires at once, for changes below, and when something above it goes", () => {
  const store = createXenstore(HOME);
  say(store, XS_WATCH, "data/a\0t\0");
  storeWrite(store, "data/a/b/c", "1");
  storeWrite(store, "data/ab", "1");
  storeRemove(store, "data");
  assert.equal(events(store), ["data/a", "data/a/b/c", "data/a"]);
});

test("a transaction shows the tree as it was, and is refused when what it touched has changed", () => {
  const store = createXenstore(HOME);
  storeWrite(store, "data/a", "1");
  const begin = () => Number.parseInt(say(store, XS_TRANSACTION_START, "\0"), 10);
  const id = begin();
  assert.is(say(store, XS_WRITE, "data/b\0inside", id), "OK\0");
  assert.is(say(store, XS_READ, "data/b\0"), "!ENOENT", "not seen outside");
  assert.is(say(store, XS_READ, "data/b\0", id), "inside");
  assert.is(say(store, XS_TRANSACTION_END, "T\0", id), "OK\0");
  assert.is(storeRead(store, "data/b"), "inside");
  const stale = begin();
  say(store, XS_READ, "data/a\0", stale);
  storeWrite(store, "data/a", "2");
  assert.is(say(store, XS_READ, "data/a\0", stale), "1");
  assert.is(say(store, XS_TRANSACTION_END, "T\0", stale), "!EAGAIN");
  const dropped = begin();
  say(store, XS_RM, "data/a\0", dropped);
  assert.is(say(store, XS_TRANSACTION_END, "F\0", dropped), "OK\0");
  assert.is(storeRead(store, "data/a"), "2");
  assert.is(say(store, XS_READ, "data/a\0", 99), "!ENOENT", "no such transaction");
});

test.run();
