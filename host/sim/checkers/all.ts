// SPDX-License-Identifier: MIT
//
// All checkers, and what others add: a scheduler's invariants come in by addChecker().

import type { Checker } from "./checker.js";
import { interrupts } from "./interrupts.js";
import { isolation } from "./isolation.js";
import { leaks } from "./leaks.js";
import { limits } from "./limits.js";
import { routing } from "./routing.js";
import { silence } from "./silence.js";
import { transport } from "./transport.js";

const makers: (() => Checker)[] = [transport, routing, isolation, leaks, limits, silence, interrupts];

export function allCheckers(): readonly (() => Checker)[] {
  return makers;
}

/** From now on every machine with all checkers has this one, too; until the answer is called. */
export function addChecker(make: () => Checker): () => void {
  makers.push(make);
  return () => void makers.splice(makers.indexOf(make), 1);
}
