// SPDX-License-Identifier: MIT
//
// The command line: verbs, options, exit codes. build.mjs hands over to this once everything is set up.

import { Command, CommanderError, InvalidArgumentError } from "commander";
import { type BenchOptions, bench, TABLES } from "./bench.js";
import { buildAndTell } from "./build.js";
import { clean } from "./clean.js";
import { guarded } from "./exit.js";
import { addFuzzVerbs } from "./fuzz-verbs.js";
import { type LabOptions, lab, scenarioNames } from "./lab.js";
import { lint } from "./lint.js";
import { addModuleVerbs } from "./module-verbs.js";
import { addSchedVerb } from "./sched.js";
import { addSimVerbs } from "./sim-verbs.js";
import { type StartOptions, start } from "./start.js";
import { test } from "./test.js";

const EXIT_USAGE = 2;

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("wanted: a number of seconds above 0.");
  return value;
}

const SEEDS_MAX = 999;

const count =
  (least: number) =>
  (text: string): number => {
    const value = /^\d{1,3}$/.test(text) ? Number(text) : -1;
    if (value < least) throw new InvalidArgumentError(`wanted: a number from ${least} to ${SEEDS_MAX}.`);
    return value;
  };

const choice =
  (...words: string[]) =>
  (text: string): string => {
    if (!words.includes(text)) throw new InvalidArgumentError(`wanted: ${words.join(" or ")}.`);
    return text;
  };

function program(): Command {
  const main = new Command("glovebox").version("0.1.0").exitOverride().configureHelp({ showGlobalOptions: true });
  main
    .command("setup")
    .description("install what is missing, and nothing else")
    .option("--flask", "also what a Xen with FLASK is built with")
    .action(() => {});
  main
    .command("build")
    .description("build the driver domain, the modules, gbctl and the test programs")
    .action(() => guarded(buildAndTell));
  main
    .command("start")
    .description("boot Xen, one driver domain and three guests that draw; their screens end in build/start/*.png")
    .option("--keep", "leave the machine running, with a console in Dom0 to play in")
    .option("--timeout <seconds>", "give up after this time", seconds, 900)
    .option("--json", "print the summary as JSON")
    .option("--stock", "one guest on Debian's own Xen, which needs no Xen to be built")
    .option("--flask", "three guests under FLASK: what happens without --stock, too")
    .action((options: StartOptions) => guarded((signal) => start(options, signal)));
  main
    .command("test")
    .description("check the sources and run all tests")
    .option("--unit", "leave out the tests that boot a machine")
    .option("--only <text>", "only the test files whose path contains this")
    .action((options: { unit?: boolean; only?: string }) => guarded((signal) => test(options, signal)));
  main
    .command("bench")
    .description("what a trapped access, a module, a flush, many vGPUs cost; how quick the fuzzer is")
    .option("--json", "print the tables as JSON")
    .option("--only <table>", `one of: ${TABLES.join(", ")}`, choice(...TABLES))
    .option("--seeds <number>", "canaries: so many hunts for each (5)", count(1))
    .option("--peer-seeds <number>", "canaries: so many of libFuzzer's, or 0 (as --seeds)", count(0))
    .option("--seconds <seconds>", "canaries: processor time of a hunt at most (60)", seconds)
    .option("--peer-seconds <seconds>", "canaries: the same of libFuzzer's (as --seconds)", seconds)
    .option("--match <text>", "canaries: only those whose name contains this")
    .option("--fresh", "canaries: measure again what was measured before")
    .action((options: BenchOptions) => guarded((signal) => bench(options, signal)));
  main
    .command("lab")
    .description("run one of the lab's scenarios and keep its logs")
    .argument("<scenario>", `one of: ${scenarioNames().join(", ")}`)
    .option("--keep", "leave the machine running, with a console in Dom0 to play in")
    .option("--timeout <seconds>", "give up after this time", seconds)
    .option("--seconds <seconds>", "soak: so much of the guest's time (600)", seconds)
    .option("--seed <number>", "soak: do the same again (1)", seconds)
    .option("--count <number>", "lives: so many guests (200)", seconds)
    .option("--cycles <number>", "lives: so many attachments to one guest (200)", seconds)
    .option("--image <folder>", "tutorial: what `glovebox image` made")
    .action((name: string, options: LabOptions) => guarded((signal) => lab(name, options, signal)));
  addFuzzVerbs(main);
  main
    .command("lint")
    .description("types, format, lint and static analysis")
    .option("--fix", "format, and mend what can be mended without thought")
    .action((options: { fix?: boolean }) => guarded(() => lint(options)));
  main
    .command("clean")
    .description("remove what was built")
    .option("--cache", "the downloads and the lab's images too")
    .action((options: { cache?: boolean }) => guarded(() => clean(options)));
  addModuleVerbs(main);
  addSchedVerb(main);
  addSimVerbs(main);
  for (const command of main.commands) command.exitOverride();
  return main;
}

// Whoever read our words has gone (`glovebox replay FILE | head`): nothing is left to say, and nothing was wrong.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await program().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
}
