// SPDX-License-Identifier: MIT
//
// `glovebox lab NAME`: one scenario, its progress as plain lines, its folder at the end.

import { runScenario, type ScenarioOptions, type ScenarioResult } from "../lab/scenario.js";
import { demo } from "../lab/scenarios/demo.js";
import { guests, readGuests } from "../lab/scenarios/guests.js";
import { hello } from "../lab/scenarios/hello.js";
import { judgeLives, lives, readLives } from "../lab/scenarios/lives.js";
import { readSoak, soak } from "../lab/scenarios/soak.js";
import { readTrio, trio } from "../lab/scenarios/trio.js";
import { readTutorial, tutorial, tutorialText } from "../lab/scenarios/tutorial.js";
import { build } from "./build.js";
import { UserError } from "./exit.js";

export interface LabOptions {
  keep?: boolean;
  timeout?: number;
  /** Of the soak. */
  seconds?: number;
  seed?: number;
  /** Lives: whole guests, and attachments to one. */
  count?: number;
  cycles?: number;
  /** Tutorial: what `glovebox image` made. */
  image?: string;
}

interface Judged {
  report: object;
  /** Printed instead of the report. */
  text?: string;
  faults: string[];
}

interface Entry {
  make: (options: LabOptions) => ScenarioOptions;
  needsBuild: boolean;
  judge?: (result: ScenarioResult) => Judged;
}

const SCENARIOS: Record<string, Entry> = {
  demo: { make: demo, needsBuild: true },
  hello: { make: hello, needsBuild: false },
  flask: {
    make: () => guests(),
    needsBuild: true,
    judge: (result) => {
      const report = readGuests(result);
      return { report, faults: report.faults };
    },
  },
  lives: {
    make: ({ count, cycles }) => lives(count, cycles),
    needsBuild: true,
    judge: (result) => {
      const report = readLives(result);
      return { report, faults: judgeLives(report) };
    },
  },
  soak: {
    make: ({ seconds, seed }) => soak({ ...(seconds && { seconds }), ...(seed && { seed }) }),
    needsBuild: true,
    judge: (result) => {
      const report = readSoak(result);
      return { report, faults: report.faults };
    },
  },
  trio: {
    make: () => trio(),
    needsBuild: true,
    judge: (result) => {
      const report = readTrio(result);
      return { report, faults: report.faults };
    },
  },
  tutorial: {
    make: ({ image }) => {
      if (image === undefined) throw new UserError("lab tutorial needs --image: what `glovebox image -o` made");
      return tutorial(image);
    },
    needsBuild: true,
    judge: (result) => {
      const report = readTutorial(result);
      return { report, text: tutorialText(report), faults: report.faults };
    },
  },
};

export const scenarioNames = (): string[] => Object.keys(SCENARIOS);

export async function lab(name: string, options: LabOptions, signal: AbortSignal): Promise<void> {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) {
    throw new UserError(`unknown scenario "${name}"; the scenarios are: ${scenarioNames().join(" ")}`);
  }
  const made = scenario.make(options);
  if (scenario.needsBuild) await build();
  const begin = Date.now();
  const say = (text: string): boolean =>
    process.stderr.write(`${((Date.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${text}\n`);
  const timeoutMs = options.timeout === undefined ? made.timeoutMs : options.timeout * 1000;
  const result = await runScenario({ ...made, timeoutMs, keep: options.keep, onProgress: say, onNote: say, signal });
  process.stdout.write(`${result.dir}\n`);
  if (result.exitCode !== 0) {
    const why = result.failure || `its script ended with ${result.exitCode}`;
    throw new UserError(`scenario ${name} failed in the step "${result.lastStep}": ${why}; log: ${result.consoleLog}`);
  }
  if (scenario.judge === undefined) return;
  const { report, text, faults } = scenario.judge(result);
  process.stdout.write(text ?? `${JSON.stringify(report, undefined, 2)}\n`);
  if (faults.length > 0) throw new UserError(`scenario ${name}: ${faults.join("; ")}`);
}
