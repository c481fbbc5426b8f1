// SPDX-License-Identifier: MIT
//
// What a machine says: lines of the console, nodes, faults, answers. Numbers are taken out, and what others wrote and
// is only repeated, which would always be new: text in quotes, and before the colon of a node's words what they are
// about. A word that was never said before is something new. It speaks as a checker because those hear everything; it
// never finds anything.

import type { Checker } from "../checkers/checker.js";
import type { Entry } from "../journal.js";

const WORDS_MAX = 160;

export function listener(words: Set<string>): Checker {
  let lines = 0;
  return {
    name: "listener",
    entry(machine, entry) {
      const { console } = machine.world;
      for (; lines < console.length; lines++) words.add(`console ${masked(console[lines] as string)}`);
      words.add(wordOf(entry));
      return undefined;
    },
    end(machine) {
      for (const [call, count] of machine.world.faults.calls) words.add(`${call} ${31 - Math.clz32(count)}`);
      return undefined;
    },
  };
}

function masked(text: string): string {
  const unquoted = text.replace(/".*"/g, '"Q"');
  return unquoted.replace(/0x[0-9a-f]+|\d+/g, "N").slice(0, WORDS_MAX);
}

/** Of `slot=99: must be 1 to 31` what is wrong, not with what. */
function reasonOf(text: string): string {
  return text.slice(text.lastIndexOf(": ") + 1);
}

function wordOf(entry: Entry): string {
  switch (entry.kind) {
    case "node":
      return `node ${masked(entry.path)} ${masked(reasonOf(entry.value ?? "gone"))}`;
    case "called":
      return `called ${entry.entry} ${entry.fault}`;
    case "restarted":
      return `restarted ${entry.mode}`;
    case "answered":
      return `answered ${entry.data === 0n ? 0 : entry.data.toString(16).length} ${entry.lost}`;
    default:
      return entry.kind;
  }
}
