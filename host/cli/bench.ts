// SPDX-License-Identifier: MIT
//
// `npm run bench`: both latency tables and what modules cost; fuzzing when it is asked for. The exit code says whether
// what is wanted was reached.

import { Listr } from "listr2";
import { type FuzzBenchReport, measureFuzz } from "../bench/fuzz.js";
import { type LatencyReport, measureLatency } from "../bench/latency.js";
import { type ModulesReport, measureModules } from "../bench/modules.js";
import { fuzzText, latencyText, modulesText, wallText } from "../bench/table.js";
import { measureWall, type WallReport } from "../bench/wall.js";
import { build } from "./build.js";
import { UserError } from "./exit.js";
import { progressOptions } from "./progress.js";

export interface BenchOptions {
  json?: boolean;
  only?: string;
}

export async function bench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  let latency: LatencyReport | undefined;
  let wall: WallReport | undefined;
  const wanted = (name: string): boolean => options.only === undefined || options.only === name;
  let fuzz: FuzzBenchReport | undefined;
  let modules: ModulesReport | undefined;
  const list = new Listr(
    [
      { title: "build", task: () => build() },
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
    ],
    progressOptions(),
  );
  await list.run();
  if (options.json) process.stdout.write(`${JSON.stringify({ latency, wall, modules, fuzz }, null, 2)}\n`);
  else process.stdout.write(`${latency ? latencyText(latency) : ""}${wall ? `\n${wallText(wall)}` : ""}`);
  if (modules && !options.json) process.stdout.write(`\n${modulesText(modules)}`);
  if (fuzz && !options.json) process.stdout.write(fuzzText(fuzz));
  const missed = [latency, wall, modules, fuzz].flatMap((one) => (one?.wishes ?? []).filter((wish) => !wish.met));
  if (missed.length > 0) throw new UserError(`wanted but not reached: ${missed.map((wish) => wish.what).join("; ")}`);
}
