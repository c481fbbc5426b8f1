// SPDX-License-Identifier: MIT
//
// For the tests of the checkers: what they find wrong, in words; a guest that has asked.

import * as assert from "uvu/assert";
import { type Ioreq, post } from "../../host/sim/guest.js";
import { Breach, inspect, type Machine } from "../../host/sim/play/machine.js";
import { play } from "../../host/sim/play/operation.js";
import { IOREQ_TYPE_COPY } from "../../unikernel/abi/xen/ioreq.js";
import { BAR, found, twoGuests } from "./machine.js";

/** The breach that inspecting, or the end, finds; by checker, and its words. */
export function breached(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Breach) return error.message;
    throw error;
  }
  return "nothing";
}

export const breach = (machine: Machine, atRest = false): string => breached(() => inspect(machine, atRest));
export const word = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);

export const request: Ioreq = { type: IOREQ_TYPE_COPY, addr: BAR, size: 4, read: true };

export function asked(): Machine & ReturnType<typeof twoGuests> {
  const machine = twoGuests();
  for (const one of found(0)) play(machine, one);
  assert.ok(post(machine.world, machine.first.domain, 0, request));
  return machine;
}
