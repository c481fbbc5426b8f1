// SPDX-License-Identifier: MIT
//
// Our end of the xenstore connection: sends messages without waiting, remembers what each was for until its answer
// comes. xenstored answers one connection in order; an answer that matches nothing is counted and dropped.

import { shim_time_ns, shim_xenstore_send } from "../../abi/shim";
import { XEN_EAGAIN } from "../../abi/xen/errno";
import { XENSTORE_MESSAGE_BYTES } from "../limits";
import { logLine, logSend } from "../log";
import { TEXT_HEADER_BYTES, Text, textAt } from "../text";
import { wakeBy } from "../timer";

/** What a message was sent for; the meaning of `index` depends on it. */
export const JOB_NONE: u32 = 0;
export const JOB_WRITE: u32 = 1; // fire and forget
export const JOB_RM: u32 = 2; // the same; a node that is not there is fine
export const JOB_WATCH: u32 = 3;
export const JOB_READ_REQUEST: u32 = 4;
export const JOB_SCAN: u32 = 5; // directory of all guests
export const JOB_SCAN_GUEST: u32 = 6; // directory of one; index: domid
export const JOB_READ_WISH: u32 = 7; // index: the wish
export const JOB_WRITE_ERROR: u32 = 8; // the node that would tell of a failure

@unmanaged
class Sent {
  req_id: u32;
  job: u32;
  index: u32;
}
const SENT_BYTES: u32 = 12;
/** Messages under way: each has at least a 16-byte header in a ring of 1024, and answers take room as well. */
const SENT_MAX: u32 = 16;

const SENT: usize = memory.data(SENT_MAX * SENT_BYTES, 8);
const MESSAGE_BYTES: u32 = XENSTORE_MESSAGE_BYTES + TEXT_HEADER_BYTES;
const MESSAGE: usize = memory.data(MESSAGE_BYTES, 8);

/** When the ring is full and no answer is due that would wake us, look again after this. */
const RETRY_NS: u64 = 10_000_000;

let oldest: u32 = 0;
let underway: u32 = 0;
let last_id: u32 = 0;
let dropped: u64 = 0;

export function xenstoreDropped(): u64 {
  return dropped;
}

@inline
function sentAt(i: u32): Sent {
  return changetype<Sent>(SENT + ((oldest + i) % SENT_MAX) * SENT_BYTES);
}

/** After a restart: answers to what was sent before carry numbers that match nothing. */
export function xenstoreEpoch(restarts: u32): void {
  last_id = restarts << 20;
}

/** The text to build the next payload in. */
export function message(): Text {
  return textAt(MESSAGE, MESSAGE_BYTES);
}

/** False: not now (try again after the next event). A message that can never be sent counts as sent. */
export function send(type: u32, payload: Text, job: u32, index: u32): bool {
  if (underway == SENT_MAX) return false;
  const id = last_id + 1;
  const result = shim_xenstore_send(type, id, <u32>payload.bytes, payload.length);
  if (result == -XEN_EAGAIN) {
    if (underway == 0) wakeBy(shim_time_ns() + RETRY_NS);
    return false;
  }
  last_id = id;
  if (result < 0) {
    dropped++;
    logSend(logLine().put("xenstore: message of type ").number(type).put(" not sent, error ").signed(result));
    return true;
  }
  const sent = sentAt(underway++);
  sent.req_id = id;
  sent.job = job;
  sent.index = index;
  return true;
}

/** The index of the message that was answered last by answered(). */
export let answeredIndex: u32 = 0;

/** The job that this answer belongs to; JOB_NONE for an answer to nothing. */
export function answered(req_id: u32): u32 {
  if (underway == 0 || sentAt(0).req_id != req_id) {
    dropped++;
    return JOB_NONE;
  }
  const sent = sentAt(0);
  oldest = (oldest + 1) % SENT_MAX;
  underway--;
  answeredIndex = sent.index;
  return sent.job;
}
