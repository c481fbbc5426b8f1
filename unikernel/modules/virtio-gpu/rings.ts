// SPDX-License-Identifier: MIT
//
// Serving the two queues: when a doorbell rings, and without doorbells as long as there is work.
//
//   LISTENING ──doorbell──> POLLING ──nothing came for poll_us──> LISTENING
//                            │   ^
//                            └───┘ EVENT_POLL: take what is there, in bounded portions
//
// While POLLING, the guest is told that it need not notify; so a guest that draws without pause traps hardly ever, and
// an idle one costs nothing (docs/decisions/0015). A broken ring ends in DEVICE_NEEDS_RESET.

import { param, poll } from "../../sdk/capability";
import {
  PUBLISH_BROKEN, PUBLISH_CALL, Queue, TAKE_BROKEN, TAKE_EMPTY, chainOf, queueAt, queueListen, queueLook, queueMute,
  queuePublish, queuePut, queueTake,
} from "../../sdk/virtio/queue";
import { interruptQueue, isLive, needsReset } from "../../sdk/virtio/transport";
import { budgetLeft, budgetOpen, budgetTake } from "./budget";
import { controlBegin, controlCancel, controlForget, controlGoOn, isControlUnderWay } from "./control";
import { cursorCommand } from "./cursor";
import { UNDONE, writeResponse } from "./message";
import { PARAM_POLL_US } from "./params";

export const QUEUE_CONTROL: u32 = 0;
export const QUEUE_CURSOR: u32 = 1;
const QUEUES: u32 = 2;

/** Two indexes, header, body, response, used ring: what a plain command reaches for. */
const COMMAND_UNITS: u32 = 8;
/** "At least once more": there is work left. */
const AGAIN_NS: u64 = 1;

let muted: bool = false;
let broken: bool = false;
let worked: bool = false;

/** The driver has begun anew: what was under way never comes to an end. */
export function ringsReset(): void {
  controlCancel();
  poll(0);
}

export function ringsForget(): void {
  controlForget();
  muted = false;
}

/** `last`: nothing has come for as long as we asked to be called. */
export function ringsServe(last: bool): void {
  if (!isLive()) return;
  if (!muted) mute();
  budgetOpen();
  broken = false;
  worked = false;
  serveCursor();
  serveControl();
  publish(queueAt(QUEUE_CURSOR));
  publish(queueAt(QUEUE_CONTROL));
  if (broken) return stop();
  if (isControlUnderWay() || !budgetLeft()) {
    poll(AGAIN_NS);
    return;
  }
  const poll_ns = param(PARAM_POLL_US) * 1000;
  if (worked && poll_ns != 0) poll(poll_ns);
  else if (last || worked) listen();
}

function stop(): void {
  controlCancel();
  poll(0);
  needsReset();
}

function mute(): void {
  muted = true;
  for (let i: u32 = 0; i < QUEUES; i++) if (!queueMute(queueAt(i))) broken = true;
}

/** A chain that came before the guest could see that we listen has no doorbell: look once more. */
function listen(): void {
  muted = false;
  poll(0);
  for (let i: u32 = 0; i < QUEUES; i++) {
    if (!queueListen(queueAt(i))) return stop();
    const look = queueLook(queueAt(i));
    if (look == TAKE_BROKEN) return stop();
    if (look != TAKE_EMPTY) poll(AGAIN_NS);
  }
}

/** True: there is a chain, and budget for it. */
function take(queue: Queue): bool {
  if (!budgetLeft() || broken) return false;
  const taken = queueTake(queue);
  if (taken == TAKE_BROKEN) broken = true;
  if (taken == TAKE_BROKEN || taken == TAKE_EMPTY) return false;
  budgetTake(COMMAND_UNITS + chainOf(queue).pieces);
  worked = true;
  return true;
}

function serveCursor(): void {
  const queue = queueAt(QUEUE_CURSOR);
  while (take(queue)) {
    cursorCommand(chainOf(queue));
    if (!queuePut(queue, chainOf(queue))) broken = true;
  }
}

function serveControl(): void {
  const queue = queueAt(QUEUE_CONTROL);
  if (isControlUnderWay()) {
    worked = true;
    if (!finish(queue, controlGoOn(chainOf(queue)))) return;
  }
  while (take(queue)) if (!finish(queue, controlBegin(chainOf(queue)))) return;
}

/** False: the command is not done yet. */
function finish(queue: Queue, answer: u32): bool {
  if (answer == UNDONE) return false;
  const chain = chainOf(queue);
  if (!writeResponse(chain, answer) || !queuePut(queue, chain)) broken = true;
  return true;
}

function publish(queue: Queue): void {
  const answer = queuePublish(queue);
  if (answer == PUBLISH_BROKEN) broken = true;
  if (answer == PUBLISH_CALL) interruptQueue(queue);
}
