// SPDX-License-Identifier: MIT
//
// What test/guest-kernel's second vCPU saw of a register (watch.c).

import type { Said } from "../../host/lab/scenarios/guest-kernel.js";

export interface Watched {
  count: number;
  wrong: number;
  /** The first answer that was not the wanted one; 0 without any. */
  firstWrong: number;
  /** Nanoseconds of a read. */
  p50: number;
  p99: number;
  max: number;
}

const LINES = /^WATCHED wrong (\d+) first ([0-9a-f]+)\nWATCHED times (\d+) p50 (\d+) p99 (\d+) max (\d+) ns$/gm;

/** All watches of a guest, in order. */
export function watches(said: Said, guest: string): Watched[] {
  return [...said.log(guest).matchAll(LINES)].map(([, wrong, first, ...figures]) => {
    const [count = 0, p50 = 0, p99 = 0, max = 0] = figures.map(Number);
    return { count, wrong: Number(wrong), firstWrong: Number.parseInt(first as string, 16), p50, p99, max };
  });
}
