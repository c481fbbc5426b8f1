// SPDX-License-Identifier: MIT
//
// The parameters' numbers: their places in manifest.json (test/virtio holds the two together).

export const PARAM_OUTPUTS: u32 = 0;
/** Of output 0. */
export const PARAM_WIDTH: u32 = 1;
export const PARAM_HEIGHT: u32 = 2;
export const PARAM_WIDTH1: u32 = 3;
export const PARAM_HEIGHT1: u32 = 4;
/** Of the BAR in which 2D resources lie. */
export const PARAM_MEMORY_BYTES: u32 = 5;
/** Whether resources may lie in guest memory and be shown from there. */
export const PARAM_BLOB: u32 = 6;
/** How long the rings are looked at after the last work before the guest has to notify again. */
export const PARAM_POLL_US: u32 = 7;
export const PARAM_WIDTH2: u32 = 8;
export const PARAM_HEIGHT2: u32 = 9;
export const PARAM_WIDTH3: u32 = 10;
export const PARAM_HEIGHT3: u32 = 11;

/** Of that output; its height comes next. */
export function widthParam(output: u32): u32 {
  switch (output) {
    case 0: return PARAM_WIDTH;
    case 1: return PARAM_WIDTH1;
    case 2: return PARAM_WIDTH2;
    default: return PARAM_WIDTH3;
  }
}
