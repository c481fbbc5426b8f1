// SPDX-License-Identifier: MIT
//
// A record as campaigns and mutators see it: eight words of 32 bits (host/trace/record.ts draws it).

export const RECORD_WORDS = 8;
export const WORD_KIND = 2; // domid u16, vgpu u8, kind u8
export const WORD_SIZE = 3; // flags u8 (the BAR), size u8, count u16
export const WORD_ADDR = 4;
export const WORD_DATA = 6;
