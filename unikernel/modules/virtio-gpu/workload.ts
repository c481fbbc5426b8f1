// SPDX-License-Identifier: MIT
//
// The engine's part of a command: a transfer is a copy, a flush a fence behind the copies. There is one at a time, as
// there is one command at a time; it ends by work_done, and then the command is answered.
//
//   NONE ──begin──> QUEUED ──work_done, our cookie──> NONE, answered
//             └──no room──> HELD ──any work_done──> asked for again
//
// Each asking has a cookie of its own. What the engine still does for a command that was forgotten (a reset, a broken
// ring) ends with a cookie that nobody waits for; such leftovers are why there may be no room.

import { CAPABILITY_BUSY, CAPABILITY_OK, ENGINE_COPY, WORK_OK } from "../../abi/module";
import * as G from "./protocol";
import { work_fence } from "../../sdk/capability";
import { UNDONE } from "./message";
import { flushShow } from "./scanouts";
import { transferSubmit } from "./transfer";

const NONE: u32 = 0;
const HELD: u32 = 1;
const QUEUED: u32 = 2;

export const WORKLOAD_TRANSFER: u32 = 0;
export const WORKLOAD_FLUSH: u32 = 1;

let state: u32 = 0; // NONE
let kind: u32 = 0; // WORKLOAD_*
let cookie: u64 = 0; // of the last asking; never goes back, not even at a reset

export function workloadForget(): void {
  state = NONE;
}

export function isWorkloadUnderWay(): bool {
  return state != NONE;
}

/** What comes next is the end of a flush, which takes the engine no time. */
export function isFlushUnderWay(): bool {
  return state != NONE && kind == WORKLOAD_FLUSH;
}

/** UNDONE, or the response that refuses. */
export function workloadBegin(wanted: u32): u32 {
  kind = wanted;
  return ask();
}

function ask(): u32 {
  cookie++;
  const answer = kind == WORKLOAD_FLUSH ? work_fence(ENGINE_COPY, cookie) : transferSubmit(cookie);
  state = answer == CAPABILITY_OK ? QUEUED : answer == CAPABILITY_BUSY ? HELD : NONE;
  return state == NONE ? G.VIRTIO_GPU_RESP_ERR_UNSPEC : UNDONE;
}

/** A workload is over: the response of the command under way, or UNDONE when that goes on waiting. */
export function workloadEnd(whose: u64, status: u32): u32 {
  if (state == HELD) return ask();
  if (state != QUEUED || whose != cookie) return UNDONE;
  state = NONE;
  if (status != WORK_OK) return G.VIRTIO_GPU_RESP_ERR_UNSPEC;
  if (kind == WORKLOAD_FLUSH) flushShow();
  return G.VIRTIO_GPU_RESP_OK_NODATA;
}
