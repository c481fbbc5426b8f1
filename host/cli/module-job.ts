// SPDX-License-Identifier: MIT
//
// A verb that reads a file from anybody runs as a child of the program: V8, binaryen and the rest may hang on it, eat
// memory or crash, and then it is refused, in words. Nothing that only some of them can do is half done: files appear
// under their names when they are whole.

import { spawn } from "node:child_process";
import { inProject } from "../pipeline/paths.js";
import { guarded, UserError } from "./exit.js";

const CHILD = "GLOVEBOX_LIMITED";
/** A whole job: the largest module that the check lets through packs in a few seconds. */
const SECONDS_MAX = Number(process.env.GLOVEBOX_JOB_SECONDS ?? 300);
/** What V8 keeps for JavaScript (a module has at most 1 MiB). */
const HEAP_MIB_MAX = 1024;

export interface ProcessLimits {
  /** Of the processor, for one process: gcc takes 4 s for the largest of our own modules. */
  cpuSeconds: number;
  /** All private memory of one process. */
  dataMib: number;
}

export const PROCESS_LIMITS: ProcessLimits = {
  cpuSeconds: Number(process.env.GLOVEBOX_JOB_CPU_SECONDS ?? 200),
  dataMib: Number(process.env.GLOVEBOX_JOB_MIB ?? 3072),
};

/** The command that runs another one under limits, which its children inherit. */
export function underLimits(command: readonly string[], limits: ProcessLimits = PROCESS_LIMITS): string[] {
  const words = `ulimit -d ${limits.dataMib * 1024} && ulimit -t ${limits.cpuSeconds} && exec "$@"`;
  return ["sh", "-c", words, "sh", ...command];
}

/** The program ends with these by itself. */
const EXIT_MAX = 3;

/** Run the verb under limits; `subject` is what messages are about. */
export function limited(subject: string, verb: () => Promise<void>): Promise<void> {
  return guarded((signal) => (process.env[CHILD] === undefined ? runChild(subject, signal) : verb()));
}

async function runChild(subject: string, signal: AbortSignal): Promise<void> {
  const program = [process.execPath, `--max-old-space-size=${HEAP_MIB_MAX}`, inProject("build/host/glovebox.mjs")];
  const [shell = "", ...words] = underLimits([...program, ...process.argv.slice(2)]);
  const child = spawn(shell, words, {
    stdio: "inherit",
    detached: true, // a group of its own, so that its own children end with it
    env: { ...process.env, [CHILD]: "1" },
  });
  let late = false;
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  };
  const timer = setTimeout(() => {
    late = true;
    end();
  }, SECONDS_MAX * 1000);
  signal.addEventListener("abort", end);
  const [code, died] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (...both) => resolve(both));
  });
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
  signal.throwIfAborted();
  if (late) throw new UserError(`${subject}: refused: not done with it after ${SECONDS_MAX} s`);
  if (died !== null || code === null || code > EXIT_MAX) {
    const { cpuSeconds, dataMib } = PROCESS_LIMITS;
    const how = `what looked at it ended with ${died ?? `exit code ${code}`}`;
    throw new UserError(`${subject}: refused: ${how}; it may take ${cpuSeconds} s and ${dataMib} MiB`);
  }
  process.exitCode = code;
}
