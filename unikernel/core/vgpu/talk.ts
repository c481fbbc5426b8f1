// SPDX-License-Identifier: MIT
//
// A module's words for the log: a few lines a second and vGPU, printable characters only, with its name before them.

import { MANIFEST_CAPABILITIES } from "../../abi/manifest";
import { CAPABILITY_LOG, CAPABILITY_OK, CAPABILITY_REFUSED } from "../../abi/module";
import { CAPABILITY_FATAL, shim_time_ns } from "../../abi/shim";
import { LOG_BYTES_MAX, LOG_LINES_PER_SECOND } from "../limits";
import { logLine, logSend } from "../log";
import { VGPU_LOG_DROPPED, countVgpu } from "../trace/counters";
import { manifest } from "./module";
import { Vgpu, putVgpu, vgpuAt } from "./vgpu";

/** The shim puts the module's text here. */
export const LOG_BUFFER: usize = memory.data(LOG_BYTES_MAX, 8);

export function talk(tag: u32, length: u32): i32 {
  const vgpu = vgpuAt(tag);
  if (!(load<u32>(manifest(vgpu.module), MANIFEST_CAPABILITIES) & CAPABILITY_LOG)) return CAPABILITY_FATAL;
  if (length > LOG_BYTES_MAX) return CAPABILITY_FATAL;
  if (!mayTalk(vgpu)) {
    countVgpu(tag, VGPU_LOG_DROPPED, 1);
    return CAPABILITY_REFUSED;
  }
  logSend(putVgpu(logLine(), vgpu).quote(LOG_BUFFER, length));
  return CAPABILITY_OK;
}

function mayTalk(vgpu: Vgpu): bool {
  const second = shim_time_ns() / 1_000_000_000;
  if (vgpu.log_second != second) {
    vgpu.log_second = second;
    vgpu.log_lines = 0;
  }
  return vgpu.log_lines++ < LOG_LINES_PER_SECOND;
}
