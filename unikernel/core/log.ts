// SPDX-License-Identifier: MIT
//
// The domain's console: one line at a time, built in one static text.

import { shim_log } from "../abi/shim";
import { LOG_BYTES_MAX } from "./limits";
import { TEXT_HEADER_BYTES, Text, textAt } from "./text";

const LINE: usize = memory.data(LOG_BYTES_MAX + TEXT_HEADER_BYTES, 8);

export function logLine(): Text {
  return textAt(LINE, LOG_BYTES_MAX + TEXT_HEADER_BYTES);
}

export function logSend(line: Text): void {
  shim_log(<u32>line.bytes, line.length);
}
