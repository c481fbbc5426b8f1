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

export async function start(options: StartOptions, signal: AbortSignal): Promise<void> {
  let finished: ScenarioResult | undefined;
  let release: (() => void) | undefined;
  // With --keep the terminal goes to the machine's console only after the list has been drawn to its end.
  const drawn = new Promise<void>((resolve) => {
    release = resolve;
  });
  const stages = new Stages(Object.keys(STAGES));
  const shown: Shown[] = [];
  let running: Promise<void> = Promise.resolve();
  const run = async (): Promise<void> => {
    try {
      finished = await runScenario({
        ...demo(),
        timeoutMs: options.timeout * 1000,
        keep: options.keep,
        signal,
        onProgress: (text) => {
          const now = stages.enter(text);
          const task = shown[now.stage];
          if (task !== undefined) task.output = now.text;
        },
        onKeep: async (result) => {
          finished = result;
          settle(stages, result);
          await drawn;
        },
      });
      settle(stages, finished);
    } catch (error) {
      stages.fail(error);
      throw error;
    }
  };
  const list = new Listr(
    [
      { title: "build", task: () => build() },
      {
        title: "the lab's images",
        task: async (_context, task) => {
          const show = (text: string): void => {
            task.output = text;
          };
          await images({ onProgress: show });
        },
      },
      ...Object.values(STAGES).map((title, index) => ({
        title,
        task: (_context: unknown, task: Shown): Promise<void> => {
          shown[index] = task;
          if (index === 0) {
            running = run();
            running.catch(() => {});
          }
          return stages.wait(index);
        },
      })),
    ],
    { renderer: process.stderr.isTTY ? "default" : "simple", rendererOptions: { collapseErrors: false } },
  );
  try {
    await list.run();
    if (finished !== undefined) report(finished, options);
  } finally {
    release?.();
  }
  await running;
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
