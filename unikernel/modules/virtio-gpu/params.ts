// SPDX-License-Identifier: MIT
//
// The parameters' numbers: their places in manifest.json (test/virtio holds the two together).

export const PARAM_OUTPUTS: u32 = 0;
/** Of output 0, and of outputs 2 and 3. */
export const PARAM_WIDTH: u32 = 1;
export const PARAM_HEIGHT: u32 = 2;
/** Of output 1. */
export const PARAM_WIDTH1: u32 = 3;
export const PARAM_HEIGHT1: u32 = 4;
/** Of the BAR in which 2D resources lie. */
export const PARAM_MEMORY_BYTES: u32 = 5;
/** Whether resources may lie in guest memory and be shown from there. */
export const PARAM_BLOB: u32 = 6;
/** How long the rings are looked at after the last work before the guest has to notify again. */
export const PARAM_POLL_US: u32 = 7;
