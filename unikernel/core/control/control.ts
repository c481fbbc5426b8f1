// SPDX-License-Identifier: MIT
//
// The control plane's way in: a message from xenstore, and the pump that sends what must be sent.
//
//   watch event ──> which node? ──> a bit: read it     pump: domain's bits, guests to scan, wishes' bits
//   answer ──> what was it for? ──> request, specification, directory listing

import { XENSTORE_PAYLOAD_MAX, XS_DIRECTORY, XS_ERROR, XS_WATCH_EVENT } from "../../abi/xen/xs_wire";
import { WISHES_MAX } from "../limits";
import { logLine, logSend } from "../log";
import { PANIC_XENSTORE_LENGTH, check } from "../panic";
import { NUL, SLASH, Text, WORDS_BYTES, Words, equals, fieldLength, parsed, startsWith } from "../text";
import { replacesSettle } from "../vgpu/replace";
import { DOMID_END } from "./arguments";
import { domainError, domainFailed, domainPump, domainReadRequest, domainScan } from "./domain";
import { putBase } from "./node";
import { quarantinePump } from "./quarantine_node";
import { requestAnswered } from "./request";
import { wishAnswered, wishRead, wishesPump, wishesRead } from "./wish";
import {
  JOB_READ_REQUEST,
  JOB_READ_WISH,
  JOB_SCAN,
  JOB_SCAN_GUEST,
  JOB_WATCH,
  JOB_WRITE,
  answered,
  answeredIndex,
  message,
  send,
} from "./xenstore";

/** The shim puts payloads here. */
export const XENSTORE_BUFFER: usize = memory.data(XENSTORE_PAYLOAD_MAX, 8);

const WORDS: usize = memory.data(WORDS_BYTES, 8);
/** Guests whose directory is to be listed: as many as there can be specifications. */
const GUESTS: usize = memory.data(WISHES_MAX * 4, 8);
let guests: u32 = 0;

// --- in ---

export function controlMessage(type: u32, req_id: u32, length: u32): void {
  check(length <= <u32>XENSTORE_PAYLOAD_MAX, PANIC_XENSTORE_LENGTH, length);
  if (type == XS_WATCH_EVENT) watchEvent(fieldLength(XENSTORE_BUFFER, length));
  else answer(answered(req_id), type == XS_ERROR, length);
  controlPump();
}

/** data/glovebox/{request, vgpu[/<guest>[/<n>]]}; what lies deeper is our own writing. */
function watchEvent(length: u32): void {
  if (equals(XENSTORE_BUFFER, length, "data/glovebox/request")) return domainReadRequest();
  if (!startsWith(XENSTORE_BUFFER, length, "data/glovebox/vgpu")) return;
  const prefix: u32 = 18;
  const words = changetype<Words>(WORDS).open(XENSTORE_BUFFER + prefix, length - prefix);
  if (!words.next(SLASH)) return everything();
  if (!isDomid(words)) return;
  const domid = <u32>parsed;
  if (!words.next(SLASH)) return oneGuest(domid);
  if (!isNumber(words)) return;
  const number = <u32>parsed;
  if (!words.next(SLASH)) wishRead(domid, number);
}

function everything(): void {
  wishesRead(u32.MAX_VALUE);
  domainScan();
}

function oneGuest(domid: u32): void {
  wishesRead(domid);
  scanGuest(domid);
}

function isDomid(words: Words): bool {
  return (words.number() && parsed < DOMID_END) || notOurs(words);
}

function isNumber(words: Words): bool {
  return (words.number() && parsed <= 0xffff) || notOurs(words);
}

function notOurs(words: Words): bool {
  const line = logLine().put("control: \"").quote(words.at, min<u32>(words.length, 32));
  logSend(line.put("\" is no guest and no vGPU number"));
  return false;
}

function scanGuest(domid: u32): void {
  for (let i: u32 = 0; i < guests; i++) if (load<u32>(GUESTS + i * 4) == domid) return;
  if (guests < WISHES_MAX) store<u32>(GUESTS + guests++ * 4, domid);
  else logSend(logLine().put("control: guest ").number(domid).put(" not looked at, limit ").number(WISHES_MAX));
}

function answer(job: u32, is_error: bool, length: u32): void {
  const index = answeredIndex;
  const useful: u32 = is_error ? 0 : length; // what cannot be read counts as not there
  switch (job) {
    case JOB_WRITE: return writeAnswered(is_error, length);
    case JOB_WATCH: return watchAnswered(is_error, length);
    case JOB_READ_REQUEST: return requestAnswered(XENSTORE_BUFFER, useful);
    case JOB_READ_WISH: return wishAnswered(index, XENSTORE_BUFFER, useful);
    case JOB_SCAN: return listGuests(useful);
    case JOB_SCAN_GUEST: return listNumbers(index, useful);
    default: // JOB_RM, or an answer to nothing
  }
}

function writeAnswered(is_error: bool, length: u32): void {
  if (!is_error) return;
  const name = fieldLength(XENSTORE_BUFFER, length);
  domainError().put("xenstore refused a node of this domain: ").quote(XENSTORE_BUFFER, name);
  quoteError(logLine().put("control: xenstore refused a write: "), length);
}

/** After a restart our watches are there already. */
function watchAnswered(is_error: bool, length: u32): void {
  if (!is_error || startsWith(XENSTORE_BUFFER, length, "EEXIST")) return;
  quoteError(domainFailed().put("no watch on the control tree: "), length);
}

/** The error's name, as xenstored says it. */
function quoteError(text: Text, length: u32): void {
  logSend(text.quote(XENSTORE_BUFFER, fieldLength(XENSTORE_BUFFER, length)));
}

/** Directory listings are NUL-terminated names. */
function listGuests(length: u32): void {
  const words = changetype<Words>(WORDS).open(XENSTORE_BUFFER, length);
  while (words.next(NUL)) if (isDomid(words)) scanGuest(<u32>parsed);
}

function listNumbers(domid: u32, length: u32): void {
  const words = changetype<Words>(WORDS).open(XENSTORE_BUFFER, length);
  while (words.next(NUL)) if (isNumber(words)) wishRead(domid, <u32>parsed);
}

// --- out ---

/** Sends until there is nothing to send or no room. */
export function controlPump(): void {
  replacesSettle();
  let sent = 1;
  while (sent == 1) {
    sent = domainPump();
    if (sent == 0) sent = quarantinePump();
    if (sent == 0) sent = scanPump();
    if (sent == 0) sent = wishesPump();
  }
}

function scanPump(): i32 {
  if (guests == 0) return 0;
  const domid = load<u32>(GUESTS + (guests - 1) * 4);
  const path = putBase(message()).put("vgpu/").number(domid).byte(NUL);
  if (!send(XS_DIRECTORY, path, JOB_SCAN_GUEST, domid)) return -1;
  guests--;
  return 1;
}
