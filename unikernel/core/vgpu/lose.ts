// SPDX-License-Identifier: MIT
//
// Losing a vGPU: its module or its guest asked for something that cannot be. From now on its reads are all ones, its
// writes vanish, its interrupts and pictures stop; ranges and RAM stay until it is detached. The reason stands in
// xenstore and in the trace. Nobody else notices.

import { ERROR_BYTES_MAX, VGPUS_MAX } from "../limits";
import { logLine, logSend } from "../log";
import { TEXT_HEADER_BYTES, Text, textAt } from "../text";
import { TRACE_LOST, traceEvent } from "../trace/ring";
import { scanoutsOff } from "../display/scanout";
import { statusChanged } from "../control/wish";
import { workCancel } from "../work/work";
import { VGPU_LOST, Vgpu, advance, putVgpu } from "./vgpu";

const TEXT_BYTES: u32 = ERROR_BYTES_MAX + TEXT_HEADER_BYTES;
const REASONS: usize = memory.data(VGPUS_MAX * TEXT_BYTES, 8);

/** Why a vGPU was lost. */
export function reasonOf(index: u32): Text {
  return changetype<Text>(REASONS + index * TEXT_BYTES);
}

/** Opens the sentence; the caller adds what happened, then calls lose(). */
export function loseWords(vgpu: Vgpu): Text {
  return putVgpu(textAt(REASONS + vgpu.index * TEXT_BYTES, TEXT_BYTES), vgpu);
}

export function lose(vgpu: Vgpu, what: u64, where: u64): void {
  advance(vgpu, VGPU_LOST);
  scanoutsOff(vgpu);
  workCancel(vgpu);
  traceEvent(vgpu.domid, vgpu.number, TRACE_LOST, what, where);
  logSend(logLine().put("lost: ").copy(reasonOf(vgpu.index)));
  statusChanged(vgpu.domid, vgpu.number);
}
