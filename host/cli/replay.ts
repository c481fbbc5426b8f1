// SPDX-License-Identifier: MIT
//
// `glovebox replay FILE`: a recording, a crash or an input of a corpus, step by step; exit code 1 at the first
// difference.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replayCalls } from "../fuzz/replay.js";
import { originOf } from "../fuzz/session.js";
import { PipelineError } from "../pipeline/index.js";
import { inProject } from "../pipeline/paths.js";
import { fuzzMachine } from "../sim/fuzz/machine.js";
import { type Replay, ReplayError, replayCore } from "../sim/replay/core.js";
import { isInput, replayInput } from "../sim/replay/input.js";
import { treeMachine } from "../sim/tree.js";
import { checkModule, decodeTrace, type Trace, TraceError } from "../trace/index.js";
import { UserError } from "./exit.js";
import { fileOf } from "./fuzz.js";
import { subjectOf } from "./module-file.js";

/** What was given cannot be played at all; 1 is a difference. */
const EXIT_USAGE = 2;
/** Where modules lie that a trace may name without --module. */
const MODULE_FOLDERS = ["unikernel/modules", "test/modules"];

export interface ReplayOptions {
  until?: number;
  json?: boolean;
  module?: string;
  force?: boolean;
}

export async function replay(path: string, options: ReplayOptions): Promise<void> {
  const trace = read(path);
  const result = await guarded(() => run(path, trace, options));
  if (options.json) process.stdout.write(`${toJson(path, trace, result)}\n`);
  else print(trace, result);
  if (result.difference !== undefined) process.exitCode = 1;
}

function read(path: string): Trace {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch {
    throw new UserError(`there is no file ${path}`, EXIT_USAGE);
  }
  try {
    return decodeTrace(path, bytes);
  } catch (error) {
    throw error instanceof TraceError ? new UserError(error.message, EXIT_USAGE) : error;
  }
}

async function guarded(body: () => Promise<Replay>): Promise<Replay> {
  try {
    return await body();
  } catch (error) {
    const isTheirs = [ReplayError, TraceError, PipelineError].some((kind) => error instanceof kind);
    throw isTheirs ? new UserError((error as Error).message, EXIT_USAGE) : error;
  }
}

async function run(path: string, trace: Trace, options: ReplayOptions): Promise<Replay> {
  if (trace.level === "module") return await runModule(path, trace, options);
  if (isInput(trace)) return replayInput(await fuzzMachine(), trace, options.until);
  return replayCore(await treeMachine(), trace, options.until);
}

/** Against --module FILE, or the tree's module of that name. */
async function runModule(path: string, trace: Trace, options: ReplayOptions): Promise<Replay> {
  const own = MODULE_FOLDERS.map((one) => inProject(one, trace.name));
  const known = options.module ?? own.find((one) => existsSync(join(one, "manifest.json")));
  if (known === undefined)
    throw new UserError(`no module "${trace.name}" in this tree: give its file with --module`, EXIT_USAGE);
  const file = await fileOf(known);
  const subject = subjectOf(known);
  checkModule(path, trace, originOf(subject, file), options.force);
  return replayCalls(subject, file, trace, options.until);
}

const hex = (value: bigint | undefined): string | undefined =>
  value === undefined ? undefined : `0x${value.toString(16)}`;

function toJson(path: string, trace: Trace, result: Replay): string {
  const steps = result.steps.map((one) => ({
    ...one,
    timeNs: `${one.timeNs}`,
    answer: hex(one.answer),
    recorded: hex(one.recorded),
  }));
  return JSON.stringify({ file: path, story: trace.story, dropped: trace.dropped, ...result, steps }, undefined, 2);
}

function print(trace: Trace, result: Replay): void {
  process.stdout.write(`${trace.name} ${trace.version}: ${trace.story}\n`);
  if (trace.dropped > 0) {
    const skipped =
      result.skipped > 0 ? `; begun at the first attach after them, ${result.skipped} records left out` : "";
    process.stdout.write(`${trace.dropped} older records were overwritten${skipped}\n`);
  }
  for (const { record, timeNs, what, answer, note } of result.steps) {
    const time = `${timeNs / 1_000_000_000n}.${String(timeNs % 1_000_000_000n).padStart(9, "0")}`;
    const told = [answer === undefined ? "" : `= 0x${answer.toString(16)}`, note ?? ""].filter(Boolean).join("  ");
    process.stdout.write(`${String(record).padStart(5)} ${time}  ${what}  ${told}\n`);
  }
  if (result.unknown > 0) process.stdout.write(`${result.unknown} requests with an input that is not recorded\n`);
  const end = result.difference === undefined ? "all as recorded" : `DIFFERENT  ${result.difference}`;
  process.stdout.write(`${result.steps.length} steps, ${result.compared} answers compared; ${end}\n`);
}
