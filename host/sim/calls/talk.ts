// SPDX-License-Identifier: MIT
//
// Life, time, talk: panic, log, clock, timer, figures, xenstore's transport.

import { XEN_EAGAIN, XEN_EINVAL } from "../../../unikernel/abi/xen/errno.js";
import { XENSTORE_PAYLOAD_MAX, XENSTORE_RING_SIZE, XSD_SOCKMSG_BYTES } from "../../../unikernel/abi/xen/xs_wire.js";
import { shim } from "../contract.js";
import type { World } from "../world.js";
import { CorePanic, coreBytes, type Imports, MISUSE, type ShimState } from "./state.js";

export function talkImports(world: () => World, state: ShimState): Imports {
  return {
    panic(code: number, detail: bigint) {
      throw new CorePanic(code, BigInt.asUintN(64, detail));
    },
    log(at: number, length: number) {
      if (length > shim("SHIM_LOG_BYTES_MAX")) throw new CorePanic(MISUSE, BigInt(length));
      world().console.push(Buffer.from(coreBytes(world(), at, length)).toString("latin1"));
    },
    command_line(at: number, max: number) {
      const text = Buffer.from(world().commandLine).subarray(0, max);
      coreBytes(world(), at, max).set(text);
      return text.length;
    },
    time_ns: () => world().timeNs,
    wall_ns: () => world().timeNs,
    set_timer(deadline: bigint) {
      state.deadlineNs = deadline;
    },
    set_busy_wait(ns: bigint) {
      state.busyNs = ns;
    },
    stat(which: number) {
      if (which === shim("STAT_RESTARTS")) return BigInt(state.restart.count);
      if (which === shim("STAT_RUN_NS")) return world().timeNs; // nobody else wants the processor
      return which === shim("STAT_PANIC_NS") ? state.restart.ns : BigInt(which + 1);
    },
    xenstore_send(type: number, reqId: number, at: number, length: number) {
      if (length > XENSTORE_PAYLOAD_MAX) return -XEN_EINVAL;
      const waiting = world().store.incoming.reduce((sum, one) => sum + XSD_SOCKMSG_BYTES + one.payload.length, 0);
      if (waiting > XENSTORE_RING_SIZE) return -XEN_EAGAIN;
      world().store.incoming.push({ type, reqId, payload: coreBytes(world(), at, length).slice() });
      return 0;
    },
  };
}
