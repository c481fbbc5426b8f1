// SPDX-License-Identifier: MIT
//
// The inputs that reached something first, in the order in which they did. The next parent is one of the youngest half
// of the time: what was reached last is the least explored.

import type { Random } from "./random.js";
import type { Input } from "./target.js";

export interface Entry extends Input {
  /** Operands of its comparisons. */
  pairs: Int32Array;
}

const YOUNG_MIN = 8;

export class Corpus {
  readonly entries: Entry[] = [];

  add(entry: Entry): void {
    this.entries.push(entry);
  }

  pick(random: Random): Entry | undefined {
    const count = this.entries.length;
    if (count === 0) return undefined;
    const young = Math.min(count, Math.max(YOUNG_MIN, count >> 3));
    return this.entries[random.oneIn(2) ? count - 1 - random.below(young) : random.below(count)];
  }
}
