// SPDX-License-Identifier: MIT
//
// A verb that reads a file from anybody runs as a child of the program: V8, binaryen and the rest may hang on it, eat
// memory or crash, and then it is refused, in words. Nothing that only some of them can do is half done: files appear
// under their names when they are whole.

import { spawn } from "node:child_process";
import { inProject } from "../pipeline/paths.js";
import { guarded, UserError } from "./exit.js";

const CHILD = "GLOVEBOX_LIMITED";
const SECONDS_MAX = Number(process.env.GLOVEBOX_JOB_SECONDS ?? 300);
/** Of the processor, for one process: gcc takes 2 s for the largest of our own modules. */
const CPU_SECONDS_MAX = 200;
/** What V8 keeps for JavaScript (a module has at most 1 MiB), and all private memory of a process. */
const HEAP_MIB_MAX = 1024;
const DATA_KIB_MAX = 3 << 20;
/** The program ends with these by itself. */
const EXIT_MAX = 3;

/** Run the verb under limits; `subject` is what messages are about. */
export function limited(subject: string, verb: () => Promise<void>): Promise<void> {
  return guarded((signal) => (process.env[CHILD] === undefined ? runChild(subject, signal) : verb()));
}

async function runChild(subject: string, signal: AbortSignal): Promise<void> {
  const limits = `ulimit -d ${DATA_KIB_MAX} && ulimit -t ${CPU_SECONDS_MAX} && exec "$@"`;
  const program = [process.execPath, `--max-old-space-size=${HEAP_MIB_MAX}`, inProject("build/host/glovebox.mjs")];
  const child = spawn("sh", ["-c", limits, "sh", ...program, ...process.argv.slice(2)], {
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
    throw new UserError(`${subject}: refused: what looked at it ended with ${died ?? `exit code ${code}`}`);
  }
  process.exitCode = code;
}
