// SPDX-License-Identifier: MIT
//
// `npm run bench`: both latency tables and what modules cost; the others when they are asked for. The exit code says
// whether what is wanted was reached.

import { Listr } from "listr2";
import { measureCanaries } from "../bench/canaries.js";
import { flushText, measureFlush } from "../bench/flush.js";
import { measureFuzz } from "../bench/fuzz.js";
import { measureLatency, type Wish } from "../bench/latency.js";
import { manyText, measureMany } from "../bench/many.js";
import { measureModules } from "../bench/modules.js";
import { canariesText, fuzzText, latencyText, modulesText, wallText } from "../bench/table.js";
import { measureWall } from "../bench/wall.js";
import { build } from "./build.js";
import { UserError } from "./exit.js";
import { progressOptions } from "./progress.js";

export interface BenchOptions {
  json?: boolean;
  only?: string;
  seeds?: number;
  peerSeeds?: number;
  seconds?: number;
  peerSeconds?: number;
  match?: string;
  fresh?: boolean;
}

/** What only the canaries' bench takes. */
const OF_CANARIES = ["seeds", "peerSeeds", "seconds", "peerSeconds", "match", "fresh"] as const;
const EXIT_USAGE = 2;
const SEEDS = 5;
const SECONDS = 60;

type Say = (text: string) => void;

interface Outcome {
  report: { wishes: Wish[] };
  text: string;
}

interface Bench {
  name: string;
  title: string;
  /** Also when nothing is asked for by name. */
  usual: boolean;
  run: (signal: AbortSignal, say: Say, options: BenchOptions) => Promise<Outcome>;
}

function entry<Report extends { wishes: Wish[] }>(
  name: string,
  title: string,
  usual: boolean,
  measure: (signal: AbortSignal, say: Say, options: BenchOptions) => Promise<Report>,
  textOf: (report: Report) => string,
): Bench {
  const run = async (...args: Parameters<Bench["run"]>): Promise<Outcome> => {
    const report = await measure(...args);
    return { report, text: textOf(report) };
  };
  return { name, title, usual, run };
}

const BENCHES: readonly Bench[] = [
  entry("latency", "instruction counts", true, measureLatency, latencyText),
  entry("wall", "wall clock", true, measureWall, wallText),
  entry("modules", "modules", true, (_signal, say) => measureModules(say), modulesText),
  entry("flush", "flushes", false, measureFlush, flushText),
  entry("many", "many vGPUs", false, measureMany, manyText),
  entry("fuzz", "fuzzing", false, (_signal, say) => measureFuzz(say), fuzzText),
  entry("canaries", "canaries", false, hunt, canariesText),
];

function hunt(signal: AbortSignal, say: Say, options: BenchOptions): ReturnType<typeof measureCanaries> {
  const { seeds = SEEDS, peerSeeds = seeds, seconds = SECONDS, peerSeconds = seconds, match, fresh } = options;
  return measureCanaries({ seeds, peerSeeds, seconds, peerSeconds, match, fresh }, signal, say);
}

export const TABLES: readonly string[] = BENCHES.map(({ name }) => name);

export async function bench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const strange = OF_CANARIES.find((name) => options[name] !== undefined && options.only !== "canaries");
  if (strange !== undefined) throw new UserError(`"${flagOf(strange)}" goes with "--only canaries"`, EXIT_USAGE);
  const outcomes = new Map<string, Outcome>();
  const tasks = BENCHES.map(({ name, title, usual, run }) => ({
    title,
    skip: () => (options.only === undefined ? !usual : options.only !== name),
    task: async (_context: unknown, task: { output: string }): Promise<void> => {
      const say: Say = (text) => {
        task.output = text;
      };
      outcomes.set(name, await run(signal, say, options));
    },
  }));
  const first = { title: "build", skip: () => options.only === "canaries", task: () => build() };
  await new Listr([first, ...tasks], progressOptions()).run();
  print([...outcomes], options.json === true);
  const missed = [...outcomes.values()].flatMap(({ report }) => report.wishes.filter((wish) => !wish.met));
  if (missed.length > 0) throw new UserError(`wanted but not reached: ${missed.map((wish) => wish.what).join("; ")}`);
}

function print(outcomes: readonly [string, Outcome][], json: boolean): void {
  const reports = Object.fromEntries(outcomes.map(([name, { report }]) => [name, report]));
  const texts = outcomes.map(([, { text }]) => text);
  process.stdout.write(json ? `${JSON.stringify(reports, null, 2)}\n` : texts.join("\n"));
}

const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
