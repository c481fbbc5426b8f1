// SPDX-License-Identifier: MIT
//
// Which bug is planted: a number of host/fuzz/canaries/list.ts. 0: none. This text is replaced when a canary is built,
// so that each is a module of its own, without the others' code.

export const BUG: u32 = 0;
