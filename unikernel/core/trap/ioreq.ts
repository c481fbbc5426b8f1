// SPDX-License-Identifier: MIT
//
// A trap comes in: one ioreq, already a private copy of the shim's. Follow it from here: rep.ts (items) -> access.ts
// (one item, who is meant) -> region.ts, config.ts -> the vGPU. Xen's record is not believed further than it must be:
// an unknown type, size or count is answered with all ones.

import { XEN_DMOP_IO_RANGE_MEMORY, XEN_DMOP_IO_RANGE_PCI, XEN_DMOP_IO_RANGE_PORT } from "../../abi/xen/dm_op";
import {
  IOREQ_TYPE_COPY,
  IOREQ_TYPE_INVALIDATE,
  IOREQ_TYPE_PCI_CONFIG,
  IOREQ_TYPE_PIO,
  IOREQ_TYPE_TIMEOFFSET,
} from "../../abi/xen/ioreq";
import { PANIC_GUEST_INDEX, check } from "../panic";
import { GUEST_INVALIDATES, GUEST_TIMEOFFSETS, countGuest, countTrap } from "../trace/counters";
import { TRACE_NO_VGPU, trace, traceAnswer, traceNothing } from "../trace/ring";
import { doorbell } from "../vgpu/doorbell";
import { Guest, guestAt } from "../vgpu/guest";
import { nextTrap, trapVgpu } from "../vgpu/vgpu";
import { isCf8 } from "./cf8";
import { repAccess } from "./rep";
import { unclaimedRead } from "./unclaimed";

export function onIoreq(tag: u32, type: u32, flags: u32, addr: u64, data: u64, count: u32, size: u32): u64 {
  const guest = guestAt(tag);
  check(guest.used != 0, PANIC_GUEST_INDEX, tag);
  nextTrap();
  doorbell(guest, countTrap(tag));
  const is_noise = type == IOREQ_TYPE_PIO && isCf8(guest, addr);
  const record = is_noise ? traceNothing() : trace(guest.domid, TRACE_NO_VGPU, type, flags, size, count, addr, data);
  const answer = dispatch(guest, type, flags, addr, data, count, size);
  traceAnswer(record, trapVgpu(), answer);
  return answer;
}

function dispatch(guest: Guest, type: u32, flags: u32, addr: u64, data: u64, count: u32, size: u32): u64 {
  switch (type) {
    case IOREQ_TYPE_COPY: return repAccess(guest, XEN_DMOP_IO_RANGE_MEMORY, flags, addr, data, count, size);
    case IOREQ_TYPE_PIO: return repAccess(guest, XEN_DMOP_IO_RANGE_PORT, flags, addr, data, count, size);
    case IOREQ_TYPE_PCI_CONFIG: return repAccess(guest, XEN_DMOP_IO_RANGE_PCI, flags, addr, data, count, size);
    case IOREQ_TYPE_TIMEOFFSET: // the guest set its clock: nothing here depends on it
      countGuest(guest.index, GUEST_TIMEOFFSETS, 1);
      return data;
    case IOREQ_TYPE_INVALIDATE: // guest memory moved: the shim has forgotten its mappings
      countGuest(guest.index, GUEST_INVALIDATES, 1);
      return data;
    default:
      return unclaimedRead(guest, 8);
  }
}
