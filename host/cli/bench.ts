// SPDX-License-Identifier: MIT
//
// `npm run bench`: both latency tables and what modules cost; fuzzing and canaries when they are asked for. The exit
// code says whether what is wanted was reached.

import { Listr } from "listr2";
import { type CanaryReport, measureCanaries } from "../bench/canaries.js";
import { type FuzzBenchReport, measureFuzz } from "../bench/fuzz.js";
import { type LatencyReport, measureLatency } from "../bench/latency.js";
import { type ModulesReport, measureModules } from "../bench/modules.js";
import { canariesText, fuzzText, latencyText, modulesText, wallText } from "../bench/table.js";
import { measureWall, type WallReport } from "../bench/wall.js";
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

export async function bench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const strange = OF_CANARIES.find((name) => options[name] !== undefined && options.only !== "canaries");
  if (strange !== undefined) throw new UserError(`"${flagOf(strange)}" goes with "--only canaries"`, EXIT_USAGE);
  let latency: LatencyReport | undefined;
  let wall: WallReport | undefined;
  const wanted = (name: string): boolean => options.only === undefined || options.only === name;
  let fuzz: FuzzBenchReport | undefined;
  let modules: ModulesReport | undefined;
  let canaries: CanaryReport | undefined;
  const list = new Listr(
    [
      { title: "build", skip: () => options.only === "canaries", task: () => build() },
      {
        title: "instruction counts",
        skip: () => !wanted("latency"),
        task: async (_context, task) => {
          latency = await measureLatency(signal, (text) => {
            task.output = text;
          });
        },
      },
      {
        title: "wall clock",
        skip: () => !wanted("wall"),
        task: async (_context, task) => {
          wall = await measureWall(signal, (text) => {
            task.output = text;
          });
        },
      },
      {
        title: "modules",
        skip: () => !wanted("modules"),
        task: async (_context, task) => {
          modules = await measureModules((text) => {
            task.output = text;
          });
        },
      },
      {
        title: "fuzzing",
        skip: () => options.only !== "fuzz",
        task: async (_context, task) => {
          fuzz = await measureFuzz((text) => {
            task.output = text;
          });
        },
      },
      {
        title: "canaries",
        skip: () => options.only !== "canaries",
        task: async (_context, task) => {
          const { seeds = SEEDS, peerSeeds = seeds, seconds = SECONDS, peerSeconds = seconds, match, fresh } = options;
          const how = { seeds, peerSeeds, seconds, peerSeconds, match, fresh };
          canaries = await measureCanaries(how, signal, (text) => {
            task.output = text;
          });
        },
      },
    ],
    progressOptions(),
  );
  await list.run();
  if (options.json) process.stdout.write(`${JSON.stringify({ latency, wall, modules, fuzz, canaries }, null, 2)}\n`);
  else process.stdout.write(`${latency ? latencyText(latency) : ""}${wall ? `\n${wallText(wall)}` : ""}`);
  if (modules && !options.json) process.stdout.write(`\n${modulesText(modules)}`);
  if (fuzz && !options.json) process.stdout.write(fuzzText(fuzz));
  if (canaries && !options.json) process.stdout.write(canariesText(canaries));
  const missed = [latency, wall, modules, fuzz, canaries].flatMap((one) =>
    (one?.wishes ?? []).filter((wish) => !wish.met),
  );
  if (missed.length > 0) throw new UserError(`wanted but not reached: ${missed.map((wish) => wish.what).join("; ")}`);
}

const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
