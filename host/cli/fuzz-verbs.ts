// SPDX-License-Identifier: MIT
//
// The verbs of the fuzzer: fuzz, and the two hidden ones that its processes and threads run.

import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError } from "commander";
import { fuzzChild } from "../fuzz/worker/child.js";
import { fuzzThread } from "../fuzz/worker/thread.js";
import { type CoverageOptions, coverage } from "./coverage.js";
import { guarded, UserError } from "./exit.js";
import { type FuzzOptions, fuzz, fuzzCore } from "./fuzz.js";
import {
  type AddOptions,
  type CorpusOptions,
  corpusAdd,
  corpusMerge,
  corpusStats,
  type MergeOptions,
  type MinimizeOptions,
  minimizeFile,
} from "./fuzz-tools.js";
import { type RigOptions, rigModule, rigParsers } from "./rig.js";

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
Exit codes: 0 nothing found, 1 something was found, 2 wrong usage or a module that cannot be fuzzed, 3 it could not go
on (disk full, a worker that died), 130 interrupted. After 3 and 130 the same command goes on from what is there.`;

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
  addCoverageVerb(main);
  addRigVerb(main);
  addFileVerbs(main);
  main.command("fuzz-child", { hidden: true }).action(() => fuzzChild(fileURLToPath(import.meta.url)));
  main.command("fuzz-thread", { hidden: true }).action(() => fuzzThread());
}

const COVERAGE_HELP = `
Examples:
  glovebox coverage unikernel/modules/bochs-display --corpus fuzz-bochs-display --html coverage.html
  glovebox coverage device.wasm                 by line when device.wasm.map lies beside it, else by function and byte
  glovebox coverage --core --corpus fuzz-core   what several guests' inputs reach of the mediator itself
Exit codes: 0 done, 2 wrong usage: no corpus, one of another module, a module that does not check.`;

function addCoverageVerb(main: Command): void {
  main
    .command("coverage")
    .description("what the inputs of a corpus reach: functions, lines, branches")
    .argument("[module]", "MODULE.wasm, or the folder with its index.ts and manifest.json")
    .option("--core", "of the mediator's core instead, with a corpus of fuzz --core")
    .option("--corpus <folder>", "whose inputs are run (fuzz-MODULE)")
    .option("--html <file>", "write sources in colours, and print a line only")
    .option("--text", "print the text all the same")
    .option("--force", "take a corpus that was made with another build of the module")
    .option("--json", "print the report as JSON")
    .addHelpText("after", COVERAGE_HELP)
    .action((path: string | undefined, options: CoverageOptions) =>
      guarded(async () => {
        if ((options.core ?? false) === (path !== undefined))
          throw new UserError("coverage of what? A module's file, or --core", EXIT_USAGE);
        await coverage(path, options);
      }),
    );
}

const RIG_HELP = `
Examples:
  glovebox rig device.wasm --time 10m           its C with the shim, from the corpus of glovebox fuzz
  glovebox rig --parser all --time 60s          the C that reads .gbx files, ramdisks, rings and replies
Exit codes: 0 nothing found, 1 something was found, 2 wrong usage or a module that cannot be fuzzed, 130 interrupted.`;

function addRigVerb(main: Command): void {
  main
    .command("rig")
    .description("the compiled C under clang's sanitizers and libFuzzer, compared with V8: needs clang")
    .argument("[module]", "MODULE.wasm, or the folder with its index.ts and manifest.json")
    .option("--parser <name>", "instead: elf, loader, ramdisk, xenstore, gbctl or all, each for the whole time")
    .option("--time <time>", "let libFuzzer run so long, like 60s, 10m, 1h (60s unless --runs is given)", duration)
    .option("--runs <number>", "let libFuzzer run so many inputs", whole(1, 2 ** 31 - 1))
    .option("--seed <number>", "do the same again (1)", whole(1, 2 ** 31 - 1))
    .option("--corpus <folder>", "begin with its inputs, and leave new ones there (fuzz-MODULE, fuzz-parsers)")
    .option("--force", "take a corpus that was made with another build of the module")
    .option("--json", "print the report as JSON")
    .addHelpText("after", RIG_HELP)
    .action((path: string | undefined, options: RigOptions) =>
      guarded((signal) => {
        if ((options.parser === undefined) === (path === undefined))
          throw new UserError("rig what? A module's file, or --parser NAME", EXIT_USAGE);
        return path === undefined
          ? rigParsers(options.parser as string, options, signal)
          : rigModule(path, options, signal);
      }),
    );
}

const MODULE_OPTION = ["--module <path>", "the module's file or folder (one of this tree: found by its name)"] as const;
const FORCE_OPTION = ["--force", "take traces that were made with another build of the module"] as const;

function addFileVerbs(main: Command): void {
  main
    .command("minimize")
    .description("make a crash file smaller: the same finding with fewer operations and plainer values")
    .argument("<file>", "a trace that ends in a finding, like those in fuzz-MODULE/crashes")
    .option(...MODULE_OPTION)
    .option("--out <file>", "where to write it (FILE.min.gbt)")
    .option(...FORCE_OPTION)
    .option("--json", "print what was done as JSON")
    .action((file: string, options: MinimizeOptions) => guarded(() => minimizeFile(file, options)));
  const corpus = main.command("corpus").description("look at a folder of inputs, merge several, add a recording");
  corpus
    .command("stats")
    .description("how many inputs there are, of which module, and what they do")
    .argument("<folder>")
    .option("--json", "as JSON")
    .action((folder: string, options: CorpusOptions) => guarded(() => corpusStats(folder, options)));
  corpus
    .command("merge")
    .description("add to the first folder what the others' inputs reach and its own do not")
    .argument("<into>")
    .argument("<from...>")
    .option("--least", "only what outcomes of branches need, made short: a small corpus to keep")
    .option(...MODULE_OPTION)
    .option(...FORCE_OPTION)
    .option("--json", "as JSON")
    .action((into: string, from: string[], options: MergeOptions) => guarded(() => corpusMerge(into, from, options)));
  corpus
    .command("add")
    .description("add what one vGPU's module saw in a recording of gbctl trace (-o FILE, or --raw)")
    .argument("<folder>")
    .argument("<recording>")
    .option(...MODULE_OPTION)
    .option("--guest <domid>", "of which guest (where the recording has several)", whole(0, 65535))
    .option("--vgpu <number>", "of which of its vGPUs", whole(0, 7), 0)
    .option("--json", "as JSON")
    .action((folder: string, file: string, options: AddOptions) => guarded(() => corpusAdd(folder, file, options)));
  for (const command of corpus.commands) command.exitOverride();
}
