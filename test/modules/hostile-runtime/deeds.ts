// SPDX-License-Identifier: MIT
//
// The misdeeds of this module by number: what is written into its register. What must become of each stands in
// table.ts. Plain constants: imported by AssemblyScript and by the tests alike.

export const ENDLESS_LOOP = 1;
export const ENDLESS_RECURSION = 2;
export const STACK_HOG = 3;
export const LOAD_LAST_BYTE = 4;
export const LOAD_ONE_BEYOND = 5;
export const LOAD_ADDRESS_WRAPS = 6;
export const STORE_LAST_BYTE = 7;
export const STORE_ONE_BEYOND = 8;
export const STORE_ADDRESS_WRAPS = 9;
export const FILL_LAST_BYTE = 10;
export const FILL_ONE_BEYOND = 11;
export const FILL_WRAPS = 12;
export const COPY_LAST_BYTE = 13;
export const COPY_SOURCE_BEYOND = 14;
export const COPY_TARGET_BEYOND = 15;
export const COPY_WRAPS = 16;
export const UNREACHABLE = 17;
export const DIVIDE_BY_ZERO = 18;
export const DIVIDE_SMALLEST = 19;
export const BURN_IN_BULK = 20;
export const BURN_IN_COPIES = 21;
export const INTERRUPT_STORM = 22;
export const WRONG_VECTOR = 23;
export const LOG_STORM = 24;
export const LOG_OUTSIDE_MEMORY = 25;
export const WRONG_SCANOUT = 26;
export const SCANOUT_OF_A_TRAP_BAR = 27;
export const SCANOUT_BEYOND_THE_BAR = 28;
export const GUEST_ADDRESS_TOP = 29;
export const GUEST_ADDRESS_WRAPS = 30;
export const GUEST_BYTES_OUTSIDE_MEMORY = 31;
export const GUEST_BYTES_TOO_MANY = 32;
export const HANDLE_ZERO = 33;
export const HANDLE_OF_ANOTHER_VGPU = 34;
export const HANDLE_AFTER_FREE = 35;
export const LIST_OVERFLOWS = 36;
export const LIST_AT_THE_TOP = 37;
export const LIST_COUNT_HUGE = 38;
export const LIST_OUTSIDE_MEMORY = 39;
export const BUFFERS_WITHOUT_END = 40;
export const BUFFER_OF_A_TRAP_BAR = 41;
export const BUFFER_BEYOND_THE_BAR = 42;
export const COPY_BEYOND_THE_END = 43;
export const COPY_OFFSET_WRAPS = 44;
export const COPY_TOO_MUCH = 45;
export const SCANOUT_OF_A_FREED_BUFFER = 46;
export const BUFFER_FREED_WHILE_SHOWN = 47;
export const CALL_BEYOND_THE_TABLE = 48;
export const CALL_OF_ANOTHER_TYPE = 49;
