// SPDX-License-Identifier: MIT
//
// `glovebox sim SCENARIO`: scripted guests against the real core.wasm and modules, in simulated time.

import { readFileSync } from "node:fs";
import { parseScenario, ScenarioTextError } from "../sim/scenario/parse.js";
import { runScenarioText, type ScenarioLog } from "../sim/scenario/run.js";
import { treeMachine } from "../sim/tree.js";
import { UserError } from "./exit.js";

/** A text that is no scenario; 1 is an answer that was not expected. */
const EXIT_USAGE = 2;

export interface SimOptions {
  json?: boolean;
}

export async function sim(path: string, options: SimOptions): Promise<void> {
  const text = read(path);
  const log = await asUsage(async () => runScenarioText(await treeMachine(), path, parseScenario(path, text)));
  if (options.json) process.stdout.write(`${JSON.stringify({ scenario: path, ...log }, undefined, 2)}\n`);
  else print(log);
  if (log.failed > 0) process.exitCode = 1;
}

async function asUsage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ScenarioTextError ? new UserError(error.message, EXIT_USAGE) : error;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new UserError(`there is no file ${path}`, EXIT_USAGE);
  }
}

function print(log: ScenarioLog): void {
  for (const { line, step, answer, wrong } of log.lines) {
    const told = wrong === undefined ? "" : `   <- expected ${wrong}`;
    process.stdout.write(`${String(line).padStart(4)}  ${step.padEnd(48)} ${answer}${told}\n`);
  }
  if (log.breach !== undefined) process.stdout.write(`BREACH  ${log.breach}\n`);
  process.stdout.write(`${log.lines.length} steps, ${log.failed} failed\n`);
}
