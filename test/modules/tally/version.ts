// SPDX-License-Identifier: MIT
//
// What this version of the module is and does wrong; test/xen/tally.ts writes others of it.

export const VERSION: u32 = 0x00010000;
/** That read after its beginning traps; 0: none. */
export const FAULTS_AT: u32 = 0;
/** What state_restore answers without taking anything; 0: it takes the state. */
export const REFUSES: i32 = 0;
