// SPDX-License-Identifier: MIT
//
// Books about guests whose devices go wrong again and again: what happened within the window, by threshold.ts's table,
// and what followed. Books are by domid, because a guest's vGPUs come and go, and outlive a restart in place. A guest
// cannot lift what follows, nor reach it for another.
//
//   warn        said, counted, shown          ┐ over when a window has passed
//   throttle    the same, and throttle.ts     ┘ without another breach
//   quarantine  resets and attaches are refused in words, what works goes on; over when the operator says so

import { shim_time_ns } from "../../abi/shim";
import { GUESTS_MAX } from "../limits";
import { logLine, logSend } from "../log";
import { Text } from "../text";
import { wakeBy } from "../timer";
import { TRACE_NO_VGPU, TRACE_QUARANTINE, TRACE_THROTTLE, TRACE_WARN, traceEvent } from "../trace/ring";
import { guestFind } from "./guest";
import {
  ACTION_QUARANTINE, ACTION_THROTTLE, TABLE_BYTES, THRESHOLDS, THRESHOLD_REFUSED, settingName, tableRestore, tableSave,
  thresholdAction, thresholdLimit, windowMs,
} from "./threshold";
import { throttleGuest } from "./throttle";

@unmanaged
class Book {
  used: u8;
  untold: u8; // NODE_*: out of date
  quarantined: u8; // QUARANTINE_*, or QUARANTINE_BY + the threshold
  warned: u8; // a bit for each threshold
  throttled: u8;
  spare: u8;
  warnings: u16; // so far
  domid: u32;
  limit: u32; // that led to quarantine
  since: u64; // start of the window, ns
  until: u64; // when warnings and throttling are over, ns
  count0: u32; // one for each threshold, in their order
  count1: u32;
  count2: u32;
  count3: u32;
  count4: u32;
  count5: u32;
}
export const BOOK_BYTES: u32 = 56;
const AT_COUNTS: usize = 32;

const QUARANTINE_NONE: u32 = 0;
const QUARANTINE_OPERATOR: u32 = 1;
const QUARANTINE_BY: u32 = 2;

/** quarantine/<guest> and breach/<guest> */
export const NODE_QUARANTINE: u32 = 1;
export const NODE_BREACH: u32 = 2;

/** The books, and behind them the table of thresholds when they are saved. */
export const BOOKS_BYTES: u32 = GUESTS_MAX * BOOK_BYTES + TABLE_BYTES;
const BOOKS: usize = memory.data(BOOKS_BYTES, 8);

let changed: bool = false; // since the books were saved
let untold: bool = false; // some node is out of date
let watched: bool = false; // some warning or throttling will be over

function bookAt(i: u32): Book {
  if (offsetof<Book>() != BOOK_BYTES || offsetof<Book>("count0") != AT_COUNTS) ERROR("Book");
  if (THRESHOLDS > 6) ERROR("a count, and a bit of a byte, for each threshold");
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
    if (book.used && matters(book) && guestFind(book.domid) != null) continue;
    if (best == null || worth(book) < worth(best)) best = book;
  }
  if (best == null) return null;
  memory.fill(changetype<usize>(best), 0, BOOK_BYTES);
  best.used = 1;
  best.domid = domid;
  best.since = shim_time_ns();
  return best;
}

@inline
function matters(book: Book): bool {
  return (book.quarantined | book.throttled) != 0;
}

function worth(book: Book): u64 {
  return !book.used ? 0 : (book.since >> 1) | (matters(book) ? (<u64>1) << 63 : 1);
}

// --- counting ---

/** Something happened that a guest should not make happen often. */
export function quarantineCount(domid: u32, which: u32): void {
  const limit = thresholdLimit(which);
  if (which == THRESHOLD_REFUSED && limit == 0) return; // the one that a guest can make happen at every access
  let book = find(domid);
  if (book == null) book = open(domid);
  if (book == null) return;
  expire(book);
  const count = load<u32>(countIn(book, which)) + 1;
  if (count != 0) store<u32>(countIn(book, which), count);
  changed = true;
  if (limit != 0 && count >= limit) breach(book, which, count);
}

function expire(book: Book): void {
  const now = shim_time_ns();
  if (now - book.since <= windowMs() * 1_000_000) return;
  book.since = now;
  forgetCounts(book);
}

function forgetCounts(book: Book): void {
  memory.fill(countIn(book, 0), 0, THRESHOLDS * 4);
}

/** The threshold is reached, or passed again. */
function breach(book: Book, which: u32, count: u32): void {
  const action = thresholdAction(which);
  if (action == ACTION_QUARANTINE) {
    if (!book.quarantined) confine(book, QUARANTINE_BY + which, count);
    return;
  }
  book.until = shim_time_ns() + windowMs() * 1_000_000;
  watched = true;
  wakeBy(book.until);
  const bit: u32 = 1 << which;
  if (action == ACTION_THROTTLE) throttle(book, bit, which, count);
  else warn(book, bit, which, count);
}

function warn(book: Book, bit: u32, which: u32, count: u32): void {
  if (book.warned & bit) return;
  book.warned |= <u8>bit;
  said(book, TRACE_WARN, which, count);
}

function throttle(book: Book, bit: u32, which: u32, count: u32): void {
  const before: u32 = book.throttled;
  if (before & bit) return;
  book.throttled |= <u8>bit;
  if (before == 0) throttleGuest(book.domid);
  said(book, TRACE_THROTTLE, which, count);
}

/** For the operator: log, trace and node. */
function said(book: Book, kind: u32, which: u32, count: u32): void {
  if (book.warnings != u16.MAX_VALUE) book.warnings++;
  tell(book, NODE_BREACH);
  traceEvent(book.domid, TRACE_NO_VGPU, kind, which + 1, count);
  logSend(putBreachOf(logLine().put("guest ").number(book.domid).put(" is "), book));
}

function confine(book: Book, why: u32, count: u32): void {
  book.quarantined = <u8>why;
  book.limit = count;
  tell(book, NODE_QUARANTINE);
  traceEvent(book.domid, TRACE_NO_VGPU, TRACE_QUARANTINE, why, count);
  logSend(putWhy(logLine().put("guest ").number(book.domid).put(" is in quarantine: "), book));
}

function tell(book: Book, node: u32): void {
  book.untold |= <u8>node;
  untold = true;
  changed = true;
}

// --- the end of it ---

/** The timer rang, or something else happened: whose warnings and throttling are over? */
export function quarantineTime(): void {
  if (!watched) return;
  const now = shim_time_ns();
  watched = false;
  for (let i: u32 = 0; i < GUESTS_MAX; i++) {
    const book = bookAt(i);
    if (!book.used || book.until == 0) continue;
    if (book.until <= now) relax(book);
    else {
      watched = true;
      wakeBy(book.until);
    }
  }
}

function relax(book: Book): void {
  const was: u32 = book.throttled;
  book.warned = 0;
  book.throttled = 0;
  book.until = 0;
  tell(book, NODE_BREACH);
  if (was) throttleGuest(book.domid);
  traceEvent(book.domid, TRACE_NO_VGPU, was ? TRACE_THROTTLE : TRACE_WARN, 0, 0);
  logSend(logLine().put("guest ").number(book.domid).put(was ? " is not throttled any more" : ": warning is over"));
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

/** False: nothing had followed. The books begin anew. */
export function quarantineLift(domid: u32): bool {
  const book = find(domid);
  if (book == null || (!book.quarantined && book.until == 0)) return false;
  forgetCounts(book);
  changed = true;
  if (book.until != 0) relax(book);
  if (!book.quarantined) return true;
  book.quarantined = <u8>QUARANTINE_NONE;
  tell(book, NODE_QUARANTINE);
  traceEvent(domid, TRACE_NO_VGPU, TRACE_QUARANTINE, QUARANTINE_NONE, 0);
  logSend(logLine().put("guest ").number(domid).put(" is out of quarantine"));
  return true;
}

/** The table is another one now. */
export function thresholdsChanged(): void {
  changed = true;
}

// --- words ---

export function quarantined(domid: u32): bool {
  const book = find(domid);
  return book != null && book.quarantined != 0;
}

export function isThrottled(domid: u32): bool {
  const book = find(domid);
  return book != null && book.throttled != 0;
}

export function isWarned(domid: u32): bool {
  const book = find(domid);
  return book != null && book.warned != 0;
}

/** How often its breaches were said. */
export function warningsOf(domid: u32): u32 {
  const book = find(domid);
  return book == null ? 0 : book.warnings;
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
  text.number(book.limit).put(" ").put(settingName(book.quarantined - QUARANTINE_BY));
  return text.put(" within ").number(windowMs()).put(" ms");
}

/** "throttled: 3 doorbell_storms within 60000 ms", or "warned: ..."; nothing when there is no breach. */
export function putBreach(text: Text, domid: u32): Text {
  const book = find(domid);
  return book == null ? text : putBreachOf(text, book);
}

function putBreachOf(text: Text, book: Book): Text {
  if (book.throttled != 0) putReached(text.put("throttled: "), book.throttled);
  if (book.throttled != 0 && book.warned != 0) text.put("; ");
  if (book.warned != 0) putReached(text.put("warned: "), book.warned);
  return text;
}

function putReached(text: Text, bits: u32): void {
  for (let which: u32 = 0; bits != 0; which++, bits >>= 1) {
    if (bits & 1) text.number(thresholdLimit(which)).put(" ").put(settingName(which)).put(bits != 1 ? ", " : "");
  }
  text.put(" within ").number(windowMs()).put(" ms");
}

/** "guest 7 is in quarantine (...): gbctl release 7" */
export function putRefusal(text: Text, domid: u32): Text {
  putQuarantine(text.put("guest ").number(domid).put(" is in quarantine ("), domid);
  return text.put("): \"gbctl release ").number(domid).put("\" lifts it");
}

// --- nodes: which guest's are out of date ---

/** The domid; -1: none. untoldNode says which of its nodes. */
export function quarantineUntold(): i32 {
  if (!untold) return -1;
  for (let i: u32 = 0; i < GUESTS_MAX; i++) {
    const book = bookAt(i);
    if (!book.used || !book.untold) continue;
    untoldNode = <u32>book.untold & (0 - <u32>book.untold);
    return <i32>book.domid;
  }
  untold = false;
  return -1;
}

export let untoldNode: u32 = 0;

export function quarantineTold(domid: u32, node: u32): void {
  const book = find(domid);
  if (book != null) book.untold &= ~<u8>node;
}

// --- across a restart ---

@inline
export function booksChanged(): bool {
  return changed;
}

export function booksTake(): usize {
  changed = false;
  tableSave(BOOKS + GUESTS_MAX * BOOK_BYTES);
  return BOOKS;
}

/** What was saved stands at booksTake() if it is `good`; what makes no sense is forgotten; everything is told again. */
export function booksRestored(good: bool, domid_end: u64): void {
  if (good) tableRestore(BOOKS + GUESTS_MAX * BOOK_BYTES);
  for (let i: u32 = 0; i < GUESTS_MAX; i++) {
    const book = bookAt(i);
    if (good && makesSense(book, domid_end)) tell(book, NODE_QUARANTINE | NODE_BREACH);
    else memory.fill(changetype<usize>(book), 0, BOOK_BYTES);
    if (book.until != 0) watched = true;
  }
  quarantineTime();
}

function makesSense(book: Book, domid_end: u64): bool {
  if (book.used != 1 || book.domid >= <u32>domid_end || book.quarantined >= QUARANTINE_BY + THRESHOLDS) return false;
  const bits: u32 = book.warned | book.throttled;
  return bits >> THRESHOLDS == 0 && (bits != 0) == (book.until != 0);
}
