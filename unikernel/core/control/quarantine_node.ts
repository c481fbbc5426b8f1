// SPDX-License-Identifier: MIT
//
// quarantine/<guest>: why that guest is in quarantine, in words; no node: it is not.

import { XS_RM, XS_WRITE } from "../../abi/xen/xs_wire";
import { NUL } from "../text";
import { putQuarantine, quarantineTold, quarantineUntold, quarantined } from "../vgpu/quarantine";
import { putBase } from "./node";
import { JOB_RM, JOB_WRITE, message, send } from "./xenstore";

/** Sends one message. 1: sent, 0: nothing to send, -1: not now. */
export function quarantinePump(): i32 {
  const domid = quarantineUntold();
  if (domid < 0) return 0;
  const payload = putBase(message()).put("quarantine/").number(domid).byte(NUL);
  const sent = quarantined(domid)
    ? send(XS_WRITE, putQuarantine(payload, domid), JOB_WRITE, 0)
    : send(XS_RM, payload, JOB_RM, 0);
  if (!sent) return -1;
  quarantineTold(domid);
  return 1;
}
