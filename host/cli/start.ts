// SPDX-License-Identifier: MIT
//
// `npm start`: build, boot everything, let the guests draw, say what happened and where the pictures are.

import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Listr } from "listr2";
import { BUILD } from "../lab/paths.js";
import { runScenario, type ScenarioResult } from "../lab/scenario.js";
import { build } from "./build.js";
import { chooseDemo, type Demo } from "./demos.js";
import { UserError } from "./exit.js";
import { progressOptions } from "./progress.js";
import { Stages } from "./stages.js";

export interface StartOptions {
  keep?: boolean;
  json?: boolean;
  /** Three guests under FLASK, which is the default, or one on Debian's own Xen. */
  flask?: boolean;
  stock?: boolean;
  timeout: number;
}

const FRONT = "screen.png";

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
  if (options.flask && options.stock) throw new UserError("--flask and --stock are two demos: choose one");
  const failure = new Failure();
  const demo = chooseDemo(options);
  const machine = new DemoRun(demo, options, signal);
  const list = new Listr(
    [
      { title: "build", task: failure.guard((task) => build(shower(task))) },
      { title: "the lab's images", task: failure.guard((task) => demo.prepare(shower(task))) },
      ...Object.values(demo.stages).map((title, index) => ({
        title,
        task: failure.guard((task) => machine.stage(index, task)),
      })),
    ],
    progressOptions(),
  );
  try {
    await list.run();
    if (machine.result !== undefined) report(demo, machine.result, options);
  } catch (error) {
    throw failure.error ?? error;
  } finally {
    await machine.end();
  }
}

/** The scenario, seen as stages. */
class DemoRun {
  result: ScenarioResult | undefined;
  readonly #stages: Stages;
  readonly #tasks: Shown[] = [];
  #running: Promise<void> | undefined;
  // With --keep the terminal goes to the machine's console only after the list has been drawn to its end.
  #release: () => void = () => {};
  readonly #drawn = new Promise<void>((resolve) => {
    this.#release = resolve;
  });

  constructor(
    readonly demo: Demo,
    readonly options: StartOptions,
    readonly signal: AbortSignal,
  ) {
    this.#stages = new Stages(Object.keys(demo.stages));
  }

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
        ...this.demo.scenario(),
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

function report(demo: Demo, result: ScenarioResult, options: StartOptions): void {
  const dir = join(BUILD, "start");
  mkdirSync(dir, { recursive: true });
  const pictures = demo.pictures.map((name) => {
    copyFileSync(join(result.outputs, name), join(dir, name));
    return shortPath(join(dir, name));
  });
  if (!demo.pictures.includes(FRONT)) copyFileSync(join(dir, demo.front), join(dir, FRONT));
  const found = demo.read(result);
  const shown = pictures.length === 1 ? { picture: pictures[0] } : { pictures };
  const json = JSON.stringify({ ...found.report, ...shown, logs: shortPath(result.dir) }, null, 2);
  writeFileSync(join(dir, "summary.json"), `${json}\n`);
  process.stdout.write(options.json ? `${json}\n` : found.text(pictures, shortPath(result.dir)));
  const { faults } = found.report;
  if (faults.length > 0) throw new UserError(`not as promised:\n  ${faults.join("\n  ")}`);
}
