// SPDX-License-Identifier: MIT
//
// `glovebox lab NAME`: one scenario, its progress as plain lines, its folder at the end.

import { runScenario, type ScenarioOptions } from "../lab/scenario.js";
import { demo } from "../lab/scenarios/demo.js";
import { hello } from "../lab/scenarios/hello.js";
import { build } from "./build.js";
import { UserError } from "./exit.js";

const SCENARIOS: Record<string, { make: () => ScenarioOptions; needsBuild: boolean }> = {
  demo: { make: demo, needsBuild: true },
  hello: { make: hello, needsBuild: false },
};

export const scenarioNames = (): string[] => Object.keys(SCENARIOS);

export async function lab(
  name: string,
  options: { keep?: boolean; timeout?: number },
  signal: AbortSignal,
): Promise<void> {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) {
    throw new UserError(`unknown scenario "${name}"; the scenarios are: ${scenarioNames().join(" ")}`);
  }
  if (scenario.needsBuild) await build();
  const begin = Date.now();
  const say = (text: string): boolean =>
    process.stderr.write(`${((Date.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${text}\n`);
  const made = scenario.make();
  const timeoutMs = options.timeout === undefined ? made.timeoutMs : options.timeout * 1000;
  const result = await runScenario({ ...made, timeoutMs, keep: options.keep, onProgress: say, onNote: say, signal });
  process.stdout.write(`${result.dir}\n`);
  if (result.exitCode === 0) return;
  const why = result.failure || `its script ended with ${result.exitCode}`;
  throw new UserError(`scenario ${name} failed in the step "${result.lastStep}": ${why}; log: ${result.consoleLog}`);
}
