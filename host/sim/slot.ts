// SPDX-License-Identifier: MIT
//
// One slot of an ioreq page, and who may do what to it (xen/common/ioreq.c, native/xen/slot.h):
//
//   NONE ──Xen──> READY ──we──> INPROCESS ──we──> RESP_READY ──Xen──> NONE
//
// Only forward. A step that its doer must not do makes Xen crash the guest (XSA-262), so it is done and told; whoever
// looks at the journal decides what it was.

import {
  STATE_IOREQ_INPROCESS,
  STATE_IOREQ_NONE,
  STATE_IOREQ_READY,
  STATE_IORESP_READY,
} from "../../unikernel/abi/xen/ioreq.js";
import type { Ioreq } from "./guest.js";

export interface Slot {
  state: number;
  /** The guest's port, as Xen publishes it when the server is enabled. */
  eport: number;
  request: Ioreq;
  data: bigint;
}

export function createSlot(): Slot {
  return { state: STATE_IOREQ_NONE, eport: 0, request: { type: 0, addr: 0n, size: 0 }, data: 0n };
}

const STEPS: Record<"xen" | "us", readonly (readonly [number, number])[]> = {
  xen: [
    [STATE_IOREQ_NONE, STATE_IOREQ_READY],
    [STATE_IORESP_READY, STATE_IOREQ_NONE],
  ],
  us: [
    [STATE_IOREQ_READY, STATE_IOREQ_INPROCESS],
    [STATE_IOREQ_INPROCESS, STATE_IORESP_READY],
  ],
};

/** May `by` take a slot from one state to the other? */
export function isStep(by: "xen" | "us", from: number, to: number): boolean {
  return STEPS[by].some(([a, b]) => a === from && b === to);
}
