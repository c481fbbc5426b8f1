// SPDX-License-Identifier: MIT
//
// `npm start`: build, boot everything, let the guest draw, say what happened and where the picture is.

import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Listr } from "listr2";
import { images } from "../lab/images.js";
import { BUILD } from "../lab/paths.js";
import { runScenario, type ScenarioResult } from "../lab/scenario.js";
import { type DemoReport, demo, readDemo } from "../lab/scenarios/demo.js";
import { build } from "./build.js";
import { UserError } from "./exit.js";
import { progressOptions } from "./progress.js";
import { Stages } from "./stages.js";
import { summary } from "./summary.js";

/** Name in the scenario's steps -> title on the terminal. */
const STAGES: Record<string, string> = {
  boot: "boot Xen and Dom0",
  "driver domain": "start the driver domain",
  guest: "boot the guest",
  draw: "draw at 1024x768",
  picture: "take a picture of the guest's screen",
  draw2: "draw at 1280x720",
  summary: "collect figures and logs",
};

export interface StartOptions {
  keep?: boolean;
  json?: boolean;
  timeout: number;
}

interface Shown {
  output: string;
}

const shower =
  (task: Shown) =>
  (text: string): void => {
    task.output = text;
  };

/** The list shows an error's first line; the whole of it follows below the list. */
class Failure {
  error: unknown;

  brief(error: unknown): Error {
    this.error ??= error;
    return new Error(String(error instanceof Error ? error.message : error).split("\n")[0]);
  }

  readonly guard =
    (run: (task: Shown) => Promise<unknown>) =>
    async (_context: unknown, task: Shown): Promise<void> => {
      try {
        await run(task);
      } catch (error) {
        throw this.brief(error);
      }
    };
}

export async function start(options: StartOptions, signal: AbortSignal): Promise<void> {
  const failure = new Failure();
  const machine = new DemoRun(options, signal);
  const list = new Listr(
    [
      { title: "build", task: failure.guard((task) => build(shower(task))) },
      { title: "the lab's images", task: failure.guard((task) => images({ onProgress: shower(task) })) },
      ...Object.values(STAGES).map((title, index) => ({
        title,
        task: failure.guard((task) => machine.stage(index, task)),
      })),
    ],
    progressOptions(),
  );
  try {
    await list.run();
    if (machine.result !== undefined) report(machine.result, options);
  } catch (error) {
    throw failure.error ?? error;
  } finally {
    await machine.end();
  }
}

/** The scenario, seen as stages. */
class DemoRun {
  result: ScenarioResult | undefined;
  readonly #stages = new Stages(Object.keys(STAGES));
  readonly #tasks: Shown[] = [];
  #running: Promise<void> | undefined;
  // With --keep the terminal goes to the machine's console only after the list has been drawn to its end.
  #release: () => void = () => {};
  readonly #drawn = new Promise<void>((resolve) => {
    this.#release = resolve;
  });

  constructor(
    readonly options: StartOptions,
    readonly signal: AbortSignal,
  ) {}

  stage(index: number, task: Shown): Promise<void> {
    this.#tasks[index] = task;
    this.#running ??= this.#run();
    return this.#stages.wait(index);
  }

  async end(): Promise<void> {
    this.#release();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      this.result = await runScenario({
        ...demo(),
        timeoutMs: this.options.timeout * 1000,
        keep: this.options.keep,
        signal: this.signal,
        onProgress: (text) => this.#progress(text),
        onKeep: async (result) => {
          this.result = result;
          settle(this.#stages, result);
          await this.#drawn;
        },
      });
      settle(this.#stages, this.result);
    } catch (error) {
      this.#stages.fail(error);
    }
  }

  #progress(text: string): void {
    const now = this.#stages.enter(text);
    const task = this.#tasks[now.stage];
    if (task !== undefined) task.output = now.text;
  }
}

function settle(stages: Stages, result: ScenarioResult): void {
  if (result.exitCode === 0) {
    stages.finish();
    return;
  }
  const why = result.failure || `its script ended with ${result.exitCode}`;
  stages.fail(new UserError(`the step "${result.lastStep}" failed: ${why}\nthe full log: ${shortPath(result.dir)}`));
}

const shortPath = (path: string): string => relative(process.cwd(), path);

function report(result: ScenarioResult, options: StartOptions): void {
  const dir = join(BUILD, "start");
  mkdirSync(dir, { recursive: true });
  const picture = join(dir, "screen.png");
  copyFileSync(join(result.outputs, "screen.png"), picture);
  const found: DemoReport = readDemo(result);
  const json = JSON.stringify({ ...found, picture: shortPath(picture), logs: shortPath(result.dir) }, null, 2);
  writeFileSync(join(dir, "summary.json"), `${json}\n`);
  process.stdout.write(options.json ? `${json}\n` : summary(found, shortPath(picture), shortPath(result.dir)));
  if (found.faults.length > 0) throw new UserError(`not as promised:\n  ${found.faults.join("\n  ")}`);
}
