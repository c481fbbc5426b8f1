// SPDX-License-Identifier: MIT
//
// `glovebox sched`: the driver domain's scheduler in simulated time, to choose a policy and its parameters before they
// are used.

import { readFileSync, writeFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { instantiate, LARGE, schedulerWasm } from "../sched/code.js";
import { BadLoad, type Load, parseLoad, syntheticLoad } from "../sched/load.js";
import { plotOf } from "../sched/plot.js";
import { reportOf, tableOf } from "../sched/report.js";
import { POLICY_NAMES, type PolicyName } from "../sched/scheduler.js";
import { simulate } from "../sched/simulate.js";
import { guarded, UserError } from "./exit.js";

export interface SchedOptions {
  policy: PolicyName;
  load: string;
  guests: number;
  time: number;
  weights: number[];
  seed: number;
  json?: boolean;
  svg?: string;
}

/** Intervals of a plot. */
const INTERVALS = 200;
const SECONDS_MAX = 100_000;

export function addSchedVerb(main: Command): void {
  main
    .command("sched")
    .description("run the domain's scheduler in simulated time: shares, waits, deadlines")
    .option("--policy <name>", POLICY_NAMES.join(", "), policy, "weighted")
    .option("--load <file>", 'a load as JSON (docs/SCHEDULING.md), or "synthetic": all guests flood', "synthetic")
    .option("--guests <number>", "synthetic: so many guests, 1 to 10000", whole(1, 10_000), 4)
    .option("--weights <list>", "synthetic: the guests' weights, in turn, e.g. 8,4", weights, [1])
    .option("--time <seconds>", "simulated time", duration, 10)
    .option("--seed <number>", "the same seed, the same run", whole(0, 0xffffffff), 1)
    .option("--json", "print the report as JSON")
    .option("--svg <file>", "draw who had the engine")
    .action((options: SchedOptions) => guarded(() => sched(options)));
}

function policy(text: string): PolicyName {
  const found = POLICY_NAMES.find((name) => name === text);
  if (found === undefined) throw new InvalidArgumentError(`there are ${POLICY_NAMES.join(", ")}.`);
  return found;
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`wanted: a whole number from ${least} to ${most}.`);
  };
}

function weights(text: string): number[] {
  return text.split(",").map(whole(1, 1000));
}

function duration(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= SECONDS_MAX) return value;
  throw new InvalidArgumentError(`wanted: seconds, above 0 and at most ${SECONDS_MAX}.`);
}

export async function sched(options: SchedOptions): Promise<void> {
  const load = loadOf(options);
  const code = instantiate(await schedulerWasm(LARGE));
  const timeMs = options.time * 1000;
  const samplesMs =
    options.svg === undefined ? [] : Array.from({ length: INTERVALS + 1 }, (_, i) => (timeMs * i) / INTERVALS);
  const before = process.hrtime.bigint();
  const result = simulate(code, { load, policy: options.policy, timeMs, seed: options.seed, samplesMs });
  const report = reportOf(load, options.policy, result, Number(process.hrtime.bigint() - before));
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `${tableOf(report)}\n`);
  if (options.svg === undefined) return;
  const title = `policy ${options.policy}, ${load.guests.length} guests, engine time`;
  writeFileSync(options.svg, plotOf(result, samplesMs, title));
}

function loadOf(options: SchedOptions): Load {
  if (options.load === "synthetic") return syntheticLoad(options.guests, options.weights);
  try {
    return parseLoad(options.load, readFileSync(options.load, "utf8"));
  } catch (error) {
    if (error instanceof BadLoad) throw new UserError(error.message);
    throw new UserError(`--load ${options.load}: ${(error as Error).message}`);
  }
}
