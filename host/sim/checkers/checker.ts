// SPDX-License-Identifier: MIT
//
// A checker reads what happened (journal.ts) and what is, after each step of a simulated machine, and says in words
// what must not be. It changes nothing.

import { type Entry, takeEntries } from "../journal.js";
import type { Machine } from "../play/machine.js";

export interface Violation {
  checker: string;
  words: string;
}

export interface Checker {
  name: string;
  /** One entry of the journal, in order; words when it must not be. */
  entry?(machine: Machine, entry: Entry): string | undefined;
  /** After each step; `atRest`: nobody has anything left to do. */
  state?(machine: Machine, atRest: boolean): string | undefined;
  /** At the end, when every vGPU has been detached and nobody holds anything. */
  end?(machine: Machine): string | undefined;
}

/** The first violation since the last look. */
export function look(checkers: readonly Checker[], machine: Machine, atRest: boolean): Violation | undefined {
  const { journal } = machine.world;
  if (checkers.length === 0) return undefined; // somebody else reads the journal
  const entries = journal === undefined ? [] : takeEntries(journal);
  for (const entry of entries) {
    for (const checker of checkers) {
      const words = checker.entry?.(machine, entry);
      if (words !== undefined) return { checker: checker.name, words };
    }
  }
  for (const checker of checkers) {
    const words = checker.state?.(machine, atRest);
    if (words !== undefined) return { checker: checker.name, words };
  }
  return undefined;
}

export function lookAtEnd(checkers: readonly Checker[], machine: Machine): Violation | undefined {
  for (const checker of checkers) {
    const words = checker.end?.(machine);
    if (words !== undefined) return { checker: checker.name, words };
  }
  return undefined;
}
