// SPDX-License-Identifier: MIT
//
// The verbs of the fuzzer: fuzz, and the two hidden ones that its processes and threads run.

import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError } from "commander";
import { fuzzChild } from "../fuzz/worker/child.js";
import { fuzzThread } from "../fuzz/worker/thread.js";
import { guarded, UserError } from "./exit.js";
import { type FuzzOptions, fuzz } from "./fuzz.js";
import { fuzzCore } from "./fuzz-core.js";

/** A whole number within bounds. */
function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`wanted: a whole number from ${least} to ${most}.`);
  };
}

const UNITS: Record<string, number> = { "": 1, s: 1, m: 60, h: 3600 };

/** "60", "60s", "10m", "1h": seconds. */
function duration(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text) ?? [];
  const value = Number(digits) * (UNITS[unit ?? ""] ?? Number.NaN);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("wanted: a time like 60s, 10m or 1h.");
}

const EXIT_USAGE = 2;
const JOBS_MAX = 256;
const RECORDS_MAX = 4096;

const HELP = `
Examples:
  glovebox fuzz device.wasm --time 10m          on all processors; finds go to fuzz-device/crashes
  glovebox fuzz unikernel/modules/bochs-display --runs 100000 --jobs 1 --seed 7
                                                the same every time: same runs, same corpus
  glovebox fuzz --core --time 10m               what several guests together can do to the mediator itself
Exit codes: 0 nothing found, 1 something was found, 2 wrong usage or a module that cannot be fuzzed, 130 interrupted.`;

export function addFuzzVerbs(main: Command): void {
  main
    .command("fuzz")
    .description("look for what a hostile guest could do to a module: needs only its .wasm file")
    .argument("[module]", "MODULE.wasm, or the folder with its index.ts and manifest.json")
    .option("--core", "core and modules together instead: guests, Dom0, faults and panics in a simulated Xen")
    .option("--time <time>", "stop after this time, like 60s, 10m, 1h (60s unless --runs is given)", duration)
    .option("--runs <number>", "stop when each worker has run so many inputs", whole(1, Number.MAX_SAFE_INTEGER))
    .option("--jobs <number>", "workers (one for each processor)", whole(1, JOBS_MAX))
    .option("--seed <number>", "do the same again (1)", whole(0, Number.MAX_SAFE_INTEGER))
    .option("--corpus <folder>", "begin with its inputs, and leave new ones there (fuzz-MODULE)")
    .option("--records <number>", "longest input, in operations (64)", whole(1, RECORDS_MAX))
    .option("--force", "take a corpus that was made with another build of the module")
    .option("--json", "print the report as JSON")
    .addHelpText("after", HELP)
    .action((path: string | undefined, options: FuzzOptions & { core?: boolean }) =>
      guarded((signal) => {
        if ((options.core ?? false) === (path !== undefined))
          throw new UserError("fuzz what? A module's file, or --core", EXIT_USAGE);
        return path === undefined ? fuzzCore(options, signal) : fuzz(path, options, signal);
      }),
    );
  main.command("fuzz-child", { hidden: true }).action(() => fuzzChild(fileURLToPath(import.meta.url)));
  main.command("fuzz-thread", { hidden: true }).action(() => fuzzThread());
}
