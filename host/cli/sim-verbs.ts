// SPDX-License-Identifier: MIT
//
// The verbs of the host twin: sim and replay.

import { type Command, InvalidArgumentError } from "commander";
import { guarded } from "./exit.js";
import { type ReplayOptions, replay } from "./replay.js";
import { type SimOptions, sim } from "./sim.js";

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("wanted: a whole number from 0 on.");
  return value;
}

export function addSimVerbs(main: Command): void {
  main
    .command("sim")
    .description("run scripted guests against core and modules in a simulated Xen (docs/SIMULATOR.md)")
    .argument("<scenario>", "a scenario's text, like host/sim/scenarios/conformance.txt")
    .option("--json", "print the log as JSON")
    .action((path: string, options: SimOptions) => guarded(() => sim(path, options)));
  main
    .command("replay")
    .description("play a recording, a crash or an input again, step by step; exit code 1 at the first difference")
    .argument("<file>", "NAME.gbt: by gbctl trace -o, or of a fuzzer")
    .option("--until <record>", "stop before this record", count)
    .option("--module <file>", "play a module's trace against this file instead of the tree's")
    .option("--force", "also when the module's file is another than the one recorded")
    .option("--json", "print the steps as JSON")
    .action((path: string, options: ReplayOptions) => guarded(() => replay(path, options)));
}
