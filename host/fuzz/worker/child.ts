// SPDX-License-Identifier: MIT
//
// The child process of a worker: it starts the thread that fuzzes, passes its words on, and watches. A thread from
// which nothing comes for a while is ended, and the input that it was in is told. When the parent goes, so do we.
// The while is the processor's time, not the clock's: a machine that has other things to do makes no hang.

import { Worker } from "node:worker_threads";
import { type Job, type Message, SHARED, sharedBytes, type WireInput } from "./protocol.js";

const LOOK_MS = 500;
/** Of the processor. The largest budget of fuel (200 million) for each of 64 records takes about ten. */
const HANG_SECONDS = Number(process.env.GLOVEBOX_HANG_SECONDS ?? 30);
/** Of the processor. Preparing a module of 1 MiB takes a second or two. */
const PREPARE_SECONDS = 120;
/** By the clock so many times as long: a thread that waits for ever takes no processor's time. */
const CLOCK_FACTOR = 40;
const THREAD_HEAP_MB = 512;

export function fuzzChild(program: string): void {
  process.on("disconnect", () => process.exit(0));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {}); // the parent says when to stop
  process.once("message", (job: Job) => start(program, job));
  process.send?.({ type: "started" } satisfies Message);
}

function start(program: string, job: Job): void {
  const buffer = new SharedArrayBuffer(sharedBytes(Math.max(job.recordsMax, longest(job.seeds))));
  const shared = new Int32Array(buffer);
  const thread = new Worker(program, {
    argv: ["fuzz-thread"],
    workerData: { job, shared: buffer },
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
  });
  let isReady = false;
  let isOver = false;
  const end = (message?: Message): void => {
    if (isOver) return;
    isOver = true;
    clearInterval(timer);
    if (message) process.send?.(message, undefined, {}, () => leave());
    else leave();
  };
  const leave = (): void => {
    void thread.terminate().then(() => process.exit(0));
  };
  thread.on("message", (message: Message) => {
    isReady ||= message.type === "ready";
    if (message.type === "done" || message.type === "refused" || message.type === "broken") end(message);
    else process.send?.(message);
  });
  thread.on("error", (error) => end({ type: "broken", reason: error.message }));
  thread.on("exit", () => end({ type: "broken", reason: "the fuzzing thread ended by itself" }));
  process.on("message", (message) => {
    if (message === "stop") Atomics.store(shared, SHARED.stop, 1);
  });
  let [beats, since] = [-1, times()];
  const timer = setInterval(() => {
    const now = Atomics.load(shared, SHARED.beats);
    if (now !== beats) [beats, since] = [now, times()];
    const { processor, clock } = times();
    const seconds = Math.max(processor - since.processor, (clock - since.clock) / CLOCK_FACTOR);
    if (!isReady && seconds > PREPARE_SECONDS) {
      end({ type: "refused", reason: `${job.subject}: preparing the module took more than ${PREPARE_SECONDS} s` });
    } else if (isReady && seconds > HANG_SECONDS) end({ type: "hang", input: running(shared, job), seconds });
  }, LOOK_MS);
}

/** Seconds of this process (the thread's are among them), and of the clock. */
function times(): { processor: number; clock: number } {
  const { user, system } = process.cpuUsage();
  return { processor: (user + system) / 1e6, clock: performance.now() / 1000 };
}

function longest(seeds: readonly WireInput[]): number {
  return seeds.reduce((most, one) => Math.max(most, one.records.length / 32), 0);
}

function running(shared: Int32Array, job: Job): WireInput {
  const words = shared.slice(SHARED.input, SHARED.input + (shared[SHARED.records] as number) * 8);
  return { params: job.seeds[0]?.params ?? [], records: new Uint8Array(words.buffer) };
}
