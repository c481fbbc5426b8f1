// SPDX-License-Identifier: MIT
//
// Books about guests whose devices go wrong again and again. What is counted, and how often it may happen within the
// window, stands in one table; who reaches a limit is in quarantine: what works goes on, but resets and attaches are
// refused in words until the operator lifts it. Books are by domid, because a guest's vGPUs come and go, and outlive a
// restart in place. A guest cannot lift it, nor reach it for another.

import { GUESTS_MAX, QUARANTINE_WINDOW_MS_MAX, THRESHOLD_MAX } from "../limits";
import { logLine, logSend } from "../log";
import { shim_time_ns } from "../../abi/shim";
import { Text, equals } from "../text";
import { TRACE_NO_VGPU, TRACE_QUARANTINE, traceEvent } from "../trace/ring";
import { guestFind } from "./guest";

export const THRESHOLD_FAULTS: u32 = 0; // calls of a module that ended in a fault
export const THRESHOLD_INTERRUPT_STORMS: u32 = 1; // of these: more interrupts than promised
export const THRESHOLD_RESETS: u32 = 2; // resets asked for by the operator or a tool of his
export const THRESHOLD_REFUSED: u32 = 3; // what a vGPU asked for and did not get
export const THRESHOLDS: u32 = 4;

//             how many within the window lead to quarantine; 0: not looked at
const LIMITS: usize = memory.data<u32>([
/* faults */           8,
/* interrupt_storms */ 3,
/* resets */           0,
/* refused */          0,
]);

export function thresholdName(which: u32): string {
  switch (which) {
    case THRESHOLD_FAULTS: return "faults";
    case THRESHOLD_INTERRUPT_STORMS: return "interrupt_storms";
    case THRESHOLD_RESETS: return "resets";
    default: return "refused";
  }
}

let windowMs: u64 = 60_000;

@unmanaged
class Book {
  used: u32;
  domid: u32;
  quarantined: u32; // QUARANTINE_*, or QUARANTINE_BY + the threshold
  untold: u32; // its node is out of date
  since: u64; // start of the window, ns
  faults: u32; // one for each threshold, in their order
  storms: u32;
  resets: u32;
  refused: u32;
}
export const BOOK_BYTES: u32 = 40;
const AT_COUNTS: usize = 24;

const QUARANTINE_NONE: u32 = 0;
const QUARANTINE_OPERATOR: u32 = 1;
const QUARANTINE_BY: u32 = 2;

export const BOOKS_BYTES: u32 = GUESTS_MAX * BOOK_BYTES;
const BOOKS: usize = memory.data(BOOKS_BYTES, 8);

let changed: bool = false; // since the books were saved
let untold: bool = false; // some node is out of date

function bookAt(i: u32): Book {
  if (offsetof<Book>() != BOOK_BYTES || offsetof<Book>("faults") != AT_COUNTS) ERROR("Book");
  return changetype<Book>(BOOKS + i * BOOK_BYTES);
}

@inline
function countIn(book: Book, which: u32): usize {
  return changetype<usize>(book) + AT_COUNTS + which * 4;
}

function find(domid: u32): Book | null {
  for (let i: u32 = 0; i < GUESTS_MAX; i++) if (bookAt(i).used && bookAt(i).domid == domid) return bookAt(i);
  return null;
}

/** A new one; the oldest that matters least makes room: not in quarantine, else of a guest that has no vGPU. */
function open(domid: u32): Book | null {
  let best: Book | null = null;
  for (let i: u32 = 0; i < GUESTS_MAX; i++) {
    const book = bookAt(i);
    if (book.used && book.quarantined && guestFind(book.domid) != null) continue;
    if (best == null || worth(book) < worth(best)) best = book;
  }
  if (best == null) return null;
  memory.fill(changetype<usize>(best), 0, BOOK_BYTES);
  best.used = 1;
  best.domid = domid;
  best.since = shim_time_ns();
  return best;
}

function worth(book: Book): u64 {
  return !book.used ? 0 : (book.since >> 1) | (book.quarantined != 0 ? (<u64>1) << 63 : 1);
}

// --- counting ---

/** Something happened that a guest should not make happen often. */
export function quarantineCount(domid: u32, which: u32): void {
  const limit = load<u32>(LIMITS + which * 4);
  if (which == THRESHOLD_REFUSED && limit == 0) return; // the one that a guest can make happen at every access
  let book = find(domid);
  if (book == null) book = open(domid);
  if (book == null) return;
  expire(book);
  const count = load<u32>(countIn(book, which)) + 1;
  if (count != 0) store<u32>(countIn(book, which), count);
  changed = true;
  if (limit != 0 && count >= limit && !book.quarantined) confine(book, QUARANTINE_BY + which, count);
}

function expire(book: Book): void {
  const now = shim_time_ns();
  if (now - book.since <= windowMs * 1_000_000) return;
  book.since = now;
  memory.fill(countIn(book, 0), 0, THRESHOLDS * 4);
}

function confine(book: Book, why: u32, count: u32): void {
  book.quarantined = why;
  tell(book);
  traceEvent(book.domid, TRACE_NO_VGPU, TRACE_QUARANTINE, why, count);
  logSend(putWhy(logLine().put("guest ").number(book.domid).put(" is in quarantine: "), book));
}

function tell(book: Book): void {
  book.untold = 1;
  untold = true;
  changed = true;
}

// --- the operator ---

/** False: it is already, or there is no room for a book. */
export function quarantineImpose(domid: u32): bool {
  let book = find(domid);
  if (book == null) book = open(domid);
  if (book == null || book.quarantined) return false;
  confine(book, QUARANTINE_OPERATOR, 0);
  return true;
}

/** False: it was not. The books begin anew. */
export function quarantineLift(domid: u32): bool {
  const book = find(domid);
  if (book == null || !book.quarantined) return false;
  book.quarantined = QUARANTINE_NONE;
  memory.fill(countIn(book, 0), 0, THRESHOLDS * 4);
  tell(book);
  traceEvent(domid, TRACE_NO_VGPU, TRACE_QUARANTINE, QUARANTINE_NONE, 0);
  logSend(logLine().put("guest ").number(domid).put(" is out of quarantine"));
  return true;
}

/** "faults" and its like; false: no such threshold, or beyond what makes sense. */
export function thresholdSet(name: usize, length: u32, value: u64): bool {
  if (equals(name, length, "window_ms")) {
    if (value == 0 || value > QUARANTINE_WINDOW_MS_MAX) return false;
    windowMs = value;
    return true;
  }
  for (let which: u32 = 0; which < THRESHOLDS; which++) {
    if (!equals(name, length, thresholdName(which))) continue;
    if (value > THRESHOLD_MAX) return false;
    store<u32>(LIMITS + which * 4, <u32>value);
    return true;
  }
  return false;
}

// --- words ---

export function quarantined(domid: u32): bool {
  const book = find(domid);
  return book != null && book.quarantined != 0;
}

/** What happened within the window that runs. */
export function quarantineCounted(domid: u32, which: u32): u32 {
  const book = find(domid);
  if (book == null) return 0;
  expire(book);
  return load<u32>(countIn(book, which));
}

/** "8 faults within 60000 ms", or "the operator said so" */
export function putQuarantine(text: Text, domid: u32): Text {
  const book = find(domid);
  return book == null ? text : putWhy(text, book);
}

function putWhy(text: Text, book: Book): Text {
  if (book.quarantined == QUARANTINE_OPERATOR) return text.put("the operator said so");
  const which = book.quarantined - QUARANTINE_BY;
  text.number(load<u32>(LIMITS + which * 4)).put(" ").put(thresholdName(which));
  return text.put(" within ").number(windowMs).put(" ms");
}

/** "guest 7 is in quarantine (...): gbctl release 7" */
export function putRefusal(text: Text, domid: u32): Text {
  putQuarantine(text.put("guest ").number(domid).put(" is in quarantine ("), domid);
  return text.put("): \"gbctl release ").number(domid).put("\" lifts it");
}

// --- nodes: which guest's is out of date ---

/** -1: none. */
export function quarantineUntold(): i32 {
  if (!untold) return -1;
  for (let i: u32 = 0; i < GUESTS_MAX; i++) if (bookAt(i).used && bookAt(i).untold) return <i32>bookAt(i).domid;
  untold = false;
  return -1;
}

export function quarantineTold(domid: u32): void {
  const book = find(domid);
  if (book != null) book.untold = 0;
}

// --- across a restart ---

@inline
export function booksChanged(): bool {
  return changed;
}

export function booksTake(): usize {
  changed = false;
  return BOOKS;
}

/** What was saved stands at booksTake() if it is `good`; what makes no sense is forgotten; everything is told again. */
export function booksRestored(good: bool, domid_end: u64): void {
  for (let i: u32 = 0; i < GUESTS_MAX; i++) {
    const book = bookAt(i);
    const known = book.used == 1 && book.domid < <u32>domid_end && book.quarantined < QUARANTINE_BY + THRESHOLDS;
    if (good && known) tell(book);
    else memory.fill(changetype<usize>(book), 0, BOOK_BYTES);
  }
}
