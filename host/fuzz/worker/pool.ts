// SPDX-License-Identifier: MIT
//
// Child processes that fuzz, one for each job: a module that harms its process harms nothing else. Their words come as
// events; a child that dies is told, not hidden.

import { type ChildProcess, fork } from "node:child_process";
import { inProject } from "../../pipeline/paths.js";
import type { Job, Message } from "./protocol.js";

/** The bundle of host/cli/main.ts: it knows the hidden verb that a child runs. */
const PROGRAM = "build/host/glovebox.mjs";
const HEAP_MB = 768;
/** All private memory of a worker: V8's heaps, what it compiles to, binaryen's own memory, the module's. */
const DATA_MIB = Number(process.env.GLOVEBOX_WORKER_MIB ?? 3072);
/** A shell sets the limit and becomes the worker. */
const LIMITED = `ulimit -d ${DATA_MIB * 1024} && exec "$@"`;
/** By the clock, until its first word. Node.js waits for ever for a thread of its own that got no memory. */
const START_SECONDS = Number(process.env.GLOVEBOX_START_SECONDS ?? 60);
const STOP_SECONDS = 60;
const SILENT = `the fuzzing process said nothing within ${START_SECONDS} s; it may take ${DATA_MIB} MiB`;
const LATE = `the fuzzing process did not stop within ${STOP_SECONDS} s and was ended; what it had kept is there`;

export interface Child {
  /** Resolves when the process is gone. */
  gone: Promise<void>;
  stop(): void;
  kill(): void;
}

/** Start a child; `on` hears its messages. One that goes without a last word has its death told as "broken". */
export function startChild(job: Job, on: (message: Message) => void): Child {
  const child = fork(inProject(PROGRAM), ["fuzz-child"], {
    serialization: "advanced",
    execPath: "/bin/sh",
    execArgv: ["-c", LIMITED, "sh", process.execPath, `--max-old-space-size=${HEAP_MB}`],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-2000);
  });
  let isOver = false;
  let ended = "";
  const end = (why: string): void => {
    ended = why;
    child.kill("SIGKILL");
  };
  const silence = setTimeout(() => end(SILENT), START_SECONDS * 1000);
  child.on("message", (message: Message) => {
    clearTimeout(silence);
    if (message.type === "started") return;
    isOver ||= ["done", "refused", "broken", "hang"].includes(message.type);
    on(message);
  });
  const gone = new Promise<void>((resolve) => {
    const over = (reason: string): void => {
      if (!isOver) on({ type: "broken", reason });
      isOver = true;
      clearTimeout(silence);
      resolve();
    };
    // One that started tells by its exit why it is gone: that its pipe broke is no news.
    child.on("error", (error) => (child.pid === undefined ? over(error.message) : child.kill("SIGKILL")));
    child.on("exit", (code, signal) => over(ended || death(code, signal, said)));
  });
  child.send(job);
  return { gone, stop: () => stop(child, () => end(LATE)), kill: () => void child.kill("SIGKILL") };
}

function death(code: number | null, signal: string | null, said: string): string {
  const last = said.trim().split("\n").slice(-3).join("; ");
  const limit = `; it may take ${DATA_MIB} MiB`;
  return `the fuzzing process ended with ${signal ?? `code ${code}`}${limit}${last && `: ${last}`}`;
}

/** It ends its slice first; one that does not is `late`. */
function stop(child: ChildProcess, late: () => void): void {
  if (!child.connected) return;
  child.send("stop");
  const timer = setTimeout(late, STOP_SECONDS * 1000);
  timer.unref();
  child.on("exit", () => clearTimeout(timer));
}
