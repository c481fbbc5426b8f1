// SPDX-License-Identifier: MIT
//
// quarantine/<guest>: why that guest is in quarantine, in words; no node: it is not. breach/<guest>: what it is warned
// or throttled for, the same way.

import { XS_RM, XS_WRITE } from "../../abi/xen/xs_wire";
import { NUL } from "../text";
import {
  NODE_BREACH, isThrottled, isWarned, putBreach, putQuarantine, quarantineTold, quarantineUntold, quarantined,
  untoldNode,
} from "../vgpu/quarantine";
import { putBase } from "./node";
import { JOB_RM, JOB_WRITE, message, send } from "./xenstore";

/** Sends one message. 1: sent, 0: nothing to send, -1: not now. */
export function quarantinePump(): i32 {
  const domid = quarantineUntold();
  if (domid < 0) return 0;
  const node = untoldNode;
  if (!(node == NODE_BREACH ? sendBreach(domid) : sendQuarantine(domid))) return -1;
  quarantineTold(domid, node);
  return 1;
}

function sendQuarantine(domid: u32): bool {
  const payload = putBase(message()).put("quarantine/").number(domid).byte(NUL);
  if (!quarantined(domid)) return send(XS_RM, payload, JOB_RM, 0);
  return send(XS_WRITE, putQuarantine(payload, domid), JOB_WRITE, 0);
}

function sendBreach(domid: u32): bool {
  const payload = putBase(message()).put("breach/").number(domid).byte(NUL);
  if (!isThrottled(domid) && !isWarned(domid)) return send(XS_RM, payload, JOB_RM, 0);
  return send(XS_WRITE, putBreach(payload, domid), JOB_WRITE, 0);
}
