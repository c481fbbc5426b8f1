// SPDX-License-Identifier: MIT
//
// The parameters' numbers: their places in manifest.json (test/pipeline holds the two together).

export const PARAM_VRAM_BYTES: u32 = 0;
export const PARAM_WIDTH: u32 = 1;
export const PARAM_HEIGHT: u32 = 2;
