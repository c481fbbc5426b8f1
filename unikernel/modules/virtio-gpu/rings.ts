// SPDX-License-Identifier: MIT
//
// Serving the two queues: when a doorbell rings, and without doorbells as long as there is work. Each queue for itself:
//
//   LISTENING ──doorbell──> POLLED ──nothing came for poll_us──> LISTENING
//                            │   ^
//                            └───┘ EVENT_POLL: take what is there, in bounded portions
//
// While it is POLLED, the guest is told that it need not notify; so a guest that draws without pause hardly traps, and
// an idle one costs nothing (docs/decisions/0015). While a command waits for the engine its queue is neither looked at
// nor listened to: work_done takes up the queue where it stopped, and opens the window of polling anew. A broken ring
// ends in DEVICE_NEEDS_RESET.

import { WORK_CANCELLED } from "../../abi/module";
import { param, poll } from "../../sdk/capability";
import {
  PUBLISH_BROKEN, PUBLISH_CALL, Queue, TAKE_BROKEN, TAKE_EMPTY, chainOf, queueAt, queueListen, queueLook, queueMute,
  queuePublish, queuePut, queueTake,
} from "../../sdk/virtio/queue";
import { interruptQueue, isLive, needsReset } from "../../sdk/virtio/transport";
import { isBackingUnderWay } from "./backing";
import { budgetLeft, budgetOpen, budgetTake } from "./budget";
import { controlBegin, controlCancel, controlForget, controlGoOn } from "./control";
import { cursorCommand } from "./cursor";
import { UNDONE, writeResponse } from "./message";
import { PARAM_POLL_US } from "./params";
import { isFlushUnderWay, isWorkloadUnderWay, workloadEnd } from "./workload";

export const QUEUE_CONTROL: u32 = 0;
export const QUEUE_CURSOR: u32 = 1;
const QUEUES: u32 = 2;

/** Two indexes, header, body, response, used ring: what a plain command reaches for. */
const COMMAND_UNITS: u32 = 8;
/** "At least once more": there is work left. */
const AGAIN_NS: u64 = 1;

/** Which queues are POLLED, a bit each. */
let polled: u32 = 0;
let broken: bool = false;
let worked: bool = false;

/** The driver has begun anew: what was under way never comes to an end. */
export function ringsReset(): void {
  controlCancel();
  poll(0);
}

export function ringsForget(): void {
  controlForget();
  polled = 0;
}

/** DRIVER_OK: a driver may have filled its rings before it said so. */
export function ringsBegin(): void {
  open();
  for (let i: u32 = 0; i < QUEUES; i++) mute(i);
  serve(true);
}

/** A doorbell. */
export function ringsNotified(queue: u32): void {
  open();
  mute(queue);
  serve(true);
}

/** `last`: nothing has come for as long as we asked to be called. */
export function ringsPolled(last: bool): void {
  if (!isLive()) return;
  open();
  serve(last);
}

/** The engine is done with something. Before a reset it tells what it will not do: that answers nobody. */
export function ringsWorkDone(cookie: u64, status: u32): void {
  if (!isLive() || status == WORK_CANCELLED) return;
  const answer = workloadEnd(cookie, status);
  if (answer == UNDONE) return;
  open();
  worked = true;
  finish(queueAt(QUEUE_CONTROL), answer);
  serve(false);
}

function open(): void {
  budgetOpen();
  broken = false;
  worked = false;
}

@inline
function bitOf(queue: u32): u32 {
  return 1 << queue;
}

function mute(queue: u32): void {
  if (polled & bitOf(queue)) return;
  polled |= bitOf(queue);
  if (!queueMute(queueAt(queue))) broken = true;
}

function serve(last: bool): void {
  if (polled & bitOf(QUEUE_CURSOR)) serveCursor();
  if (polled & bitOf(QUEUE_CONTROL)) serveControl();
  publish(queueAt(QUEUE_CURSOR));
  // The end of a flush is near, and most drivers wait for that: one interrupt for it and for what came before.
  if (!isFlushUnderWay()) publish(queueAt(QUEUE_CONTROL));
  if (broken) stop();
  else if (isBackingUnderWay()) poll(AGAIN_NS);
  else rest(last);
}

function stop(): void {
  controlCancel();
  poll(0);
  needsReset();
}

/** There is nothing more to take, or there is no budget for it. */
function rest(last: bool): void {
  const looked = isWorkloadUnderWay() ? polled & ~bitOf(QUEUE_CONTROL) : polled;
  const poll_ns = param(PARAM_POLL_US) * 1000;
  if (looked == 0) poll(0);
  else if (worked && poll_ns != 0) poll(poll_ns);
  else if (!budgetLeft()) poll(AGAIN_NS);
  else if (last || worked) listen(looked);
}

/** A chain that came before the guest could see that we listen has no doorbell: look once more. */
function listen(queues: u32): void {
  poll(0);
  for (let i: u32 = 0; i < QUEUES; i++) {
    if (!(queues & bitOf(i))) continue;
    polled &= ~bitOf(i);
    if (!queueListen(queueAt(i))) return stop();
    const look = queueLook(queueAt(i));
    if (look == TAKE_EMPTY) continue;
    mute(i);
    if (look == TAKE_BROKEN || broken) return stop();
    poll(AGAIN_NS);
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
  if (isBackingUnderWay()) {
    worked = true;
    if (!finish(queue, controlGoOn(chainOf(queue)))) return;
  }
  while (!isWorkloadUnderWay() && take(queue)) if (!finish(queue, controlBegin(chainOf(queue)))) return;
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
