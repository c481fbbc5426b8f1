// SPDX-License-Identifier: MIT
//
// What must become of each misdeed of deeds.ts, in the simulator and on Xen alike: the vGPU is lost with these words;
// or it is kept, and what was asked is refused (counted) or done, where it was allowed.

import * as deeds from "./deeds.js";

export interface Misdeed {
  number: number;
  /** As tests and documents call it. */
  name: string;
  /** Words of the loss; undefined: the vGPU is kept. */
  lost?: RegExp;
  /** For one that is kept: the figure of `stat` that it raises. */
  counted?: "refused" | "log_dropped";
}

const FUEL = /out of fuel/;
const STACK = /stack too deep|out of fuel/;
const MEMORY = /access outside its memory/;
const ARITHMETIC = /division by zero or overflow/;
const TABLE = /bad indirect call/;
const CAPABILITY = /bad argument to a capability/;

type Name = keyof typeof deeds;
type Fate = Pick<Misdeed, "lost" | "counted">;

const FATES: Record<Name, Fate> = {
  ENDLESS_LOOP: { lost: FUEL },
  ENDLESS_RECURSION: { lost: STACK },
  STACK_HOG: { lost: STACK },
  LOAD_LAST_BYTE: {},
  LOAD_ONE_BEYOND: { lost: MEMORY },
  LOAD_ADDRESS_WRAPS: { lost: MEMORY },
  STORE_LAST_BYTE: {},
  STORE_ONE_BEYOND: { lost: MEMORY },
  STORE_ADDRESS_WRAPS: { lost: MEMORY },
  FILL_LAST_BYTE: {},
  FILL_ONE_BEYOND: { lost: MEMORY },
  FILL_WRAPS: { lost: MEMORY },
  COPY_LAST_BYTE: {},
  COPY_SOURCE_BEYOND: { lost: MEMORY },
  COPY_TARGET_BEYOND: { lost: MEMORY },
  COPY_WRAPS: { lost: MEMORY },
  UNREACHABLE: { lost: /unreachable/ },
  DIVIDE_BY_ZERO: { lost: ARITHMETIC },
  DIVIDE_SMALLEST: { lost: ARITHMETIC },
  BURN_IN_BULK: { lost: FUEL },
  BURN_IN_COPIES: { lost: FUEL },
  INTERRUPT_STORM: { lost: /more interrupts than its manifest promises, 100 a second/ },
  WRONG_VECTOR: { lost: CAPABILITY },
  LOG_STORM: { counted: "log_dropped" },
  LOG_OUTSIDE_MEMORY: { lost: CAPABILITY },
  WRONG_SCANOUT: { lost: CAPABILITY },
  SCANOUT_OF_A_TRAP_BAR: { lost: CAPABILITY },
  SCANOUT_BEYOND_THE_BAR: { counted: "refused" },
  GUEST_ADDRESS_TOP: { counted: "refused" },
  GUEST_ADDRESS_WRAPS: { counted: "refused" },
  GUEST_BYTES_OUTSIDE_MEMORY: { lost: CAPABILITY },
  GUEST_BYTES_TOO_MANY: { lost: CAPABILITY },
  HANDLE_ZERO: { lost: CAPABILITY },
  HANDLE_OF_ANOTHER_VGPU: { lost: CAPABILITY },
  HANDLE_AFTER_FREE: { lost: CAPABILITY },
  LIST_OVERFLOWS: { counted: "refused" },
  LIST_AT_THE_TOP: { counted: "refused" },
  LIST_COUNT_HUGE: { lost: CAPABILITY },
  LIST_OUTSIDE_MEMORY: { lost: CAPABILITY },
  BUFFERS_WITHOUT_END: { counted: "refused" },
  BUFFER_OF_A_TRAP_BAR: { lost: CAPABILITY },
  BUFFER_BEYOND_THE_BAR: { counted: "refused" },
  COPY_BEYOND_THE_END: { counted: "refused" },
  COPY_OFFSET_WRAPS: { counted: "refused" },
  COPY_TOO_MUCH: { lost: CAPABILITY },
  SCANOUT_OF_A_FREED_BUFFER: { lost: CAPABILITY },
  BUFFER_FREED_WHILE_SHOWN: {},
  CALL_BEYOND_THE_TABLE: { lost: TABLE },
  CALL_OF_ANOTHER_TYPE: { lost: TABLE },
};

export const MISDEEDS: readonly Misdeed[] = (Object.keys(deeds) as Name[])
  .map((name) => ({ number: deeds[name], name: name.toLowerCase().replaceAll("_", "-"), ...FATES[name] }))
  .sort((a, b) => a.number - b.number);
