// SPDX-License-Identifier: MIT
//
// Where the host puts an input: as many records as a trace file may have.

/** docs/TRACE.md. */
const RECORDS_MAX: u32 = 65536;
export const RECORD_BYTES: u32 = 32;

export const INPUT_AT: usize = memory.data(RECORDS_MAX * RECORD_BYTES, 8);

export function inputAt(): usize {
  return INPUT_AT;
}
