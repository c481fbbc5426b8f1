// SPDX-License-Identifier: MIT
//
// What gb-draw's picture (native/guest/pattern.c) comes to in each mode: CRC-32 over its packed rows. One value for
// every kind of guest, so that "the same picture" is more than "the same on both sides".

export const PATTERN_CRC32: Record<string, string> = { "1024x768": "a30f9316", "1280x720": "567fc28c" };
