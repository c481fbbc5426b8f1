// SPDX-License-Identifier: MIT
//
// One session of fuzzing: workers with derived seeds, their finds written down as they come, the corpora merged at the
// end in the order of the workers. With `runs` the same seed gives the same corpus and the same crashes, however long
// it takes; with `seconds` only the speed decides where it ends. Interrupted, it ends in order: nothing is lost.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseManifest } from "../pipeline/manifest.js";
import { detachManifest } from "../pipeline/section.js";
import { hashOf } from "../pipeline/store.js";
import { TRACE_SUFFIX, type Trace, traceHash, wasmHash } from "../trace/index.js";
import type { Reach } from "./coverage/reach.js";
import { derivedSeed } from "./random.js";
import { CRASHES, type Loaded, loadCorpus, type Origin, saveAs, saveTrace } from "./store.js";
import { type Child, startChild } from "./worker/pool.js";
import type { Job, Message, WireInput, WorkerStatus } from "./worker/protocol.js";

export interface SessionOptions {
  subject: string;
  /** null: core and modules of the tree together. */
  file: Uint8Array | null;
  corpus: string;
  seed: number;
  jobs: number;
  /** Executions of each worker; 0: no limit. */
  runs: number;
  seconds: number | undefined;
  recordsMax: number;
  force: boolean;
  signal?: AbortSignal;
  onStatus?: (status: SessionStatus) => void;
  onNote?: (text: string) => void;
}

export interface SessionStatus extends WorkerStatus {
  seconds: number;
  perSecond: number;
  crashes: number;
}

export interface Crash {
  label: string;
  story: string;
  path: string;
  worker: number;
  execution: number;
  /** The file was not there before. */
  isNew: boolean;
}

export interface SessionReport {
  module: string;
  version: string;
  wasmSha256: string;
  seed: number;
  jobs: number;
  status: SessionStatus;
  crashes: Crash[];
  corpus: { folder: string; files: number; hash: string };
  /** Of each worker: what it reached, as a hash. */
  workers: { seed: number; executions: number; fingerprint: string }[];
  interrupted: boolean;
}

/** The session cannot go on, and it is not a find: a module that is refused, a corpus of another one. */
export class SessionError extends Error {}

/** Inputs of the core outlive its builds: they say nothing about the one that they were found with. */
export const CORE_ORIGIN = { name: "core", version: "", wasmSha256: "", params: 0 } as const;

export function originOf(subject: string, file: Uint8Array | null): Origin & { params: number } {
  if (file === null) return CORE_ORIGIN;
  const { name, version, params } = parseManifest(subject, detachManifest(subject, file));
  return { name, version, wasmSha256: wasmHash(file), params: params.length };
}

function levelOf(file: Uint8Array | null): Trace["level"] {
  return file === null ? "core" : "module";
}

/** What of a folder can be used; a corpus of another module stops here. */
export function corpusOf(options: Pick<SessionOptions, "subject" | "file" | "corpus" | "force">): Loaded {
  const loaded = loadCorpus(
    options.corpus,
    originOf(options.subject, options.file),
    options.force,
    levelOf(options.file),
  );
  const foreign = loaded.refused.find((one) => /a trace of|recorded with another|a trace with/.test(one));
  if (foreign !== undefined && !options.force) throw new SessionError(foreign);
  return loaded;
}

export async function fuzzSession(options: SessionOptions): Promise<SessionReport> {
  const session = new Session(options);
  return session.run();
}

class Session {
  private readonly origin: Origin & { params: number };
  private readonly crashes = new Map<string, Crash>();
  private readonly kept: WireInput[][];
  private readonly status: (WorkerStatus | undefined)[];
  private readonly fingerprints: string[];
  private readonly written = new Set<string>();
  private failure: Error | undefined;
  private children: Child[] = [];
  private readonly begin = performance.now();
  private last = { at: performance.now(), executions: 0, perSecond: 0 };

  constructor(private readonly options: SessionOptions) {
    this.origin = originOf(options.subject, options.file);
    this.kept = Array.from({ length: options.jobs }, () => []);
    this.status = new Array<WorkerStatus | undefined>(options.jobs).fill(undefined);
    this.fingerprints = new Array<string>(options.jobs).fill("");
  }

  async run(): Promise<SessionReport> {
    const { jobs, seconds, signal } = this.options;
    const loaded = corpusOf(this.options);
    for (const text of loaded.refused) this.options.onNote?.(`left out: ${text}`);
    const seeds = loaded.traces.map(({ trace }) => ({ params: trace.params, records: trace.records }));
    this.children = Array.from({ length: jobs }, (_, worker) =>
      startChild(this.job(seeds, worker), (message) => this.hear(worker, message)),
    );
    const stop = (): void => {
      for (const child of this.children) child.stop();
    };
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    const deadline = seconds === undefined ? undefined : setTimeout(stop, seconds * 1000);
    const ticker = setInterval(() => this.options.onStatus?.(this.sum()), 1000);
    await Promise.all(this.children.map((one) => one.gone));
    clearInterval(ticker);
    clearTimeout(deadline);
    signal?.removeEventListener("abort", stop);
    if (this.failure !== undefined) throw this.failure;
    await this.merge(seeds);
    return this.report();
  }

  private job(seeds: WireInput[], worker: number): Job {
    const { subject, file, seed, runs, recordsMax } = this.options;
    return { subject, file, seed: derivedSeed(seed, worker), recordsMax, runs, seeds, mode: "fuzz" };
  }

  private hear(worker: number, message: Message): void {
    if (this.failure !== undefined) return;
    try {
      this.take(worker, message);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private take(worker: number, message: Message): void {
    switch (message.type) {
      case "kept":
        this.kept[worker]?.push(message.input);
        this.save(message.input);
        return;
      case "found":
        return this.crash(worker, message);
      case "hang":
        return this.crash(worker, {
          ...message,
          key: "hang",
          label: "hang",
          story: `no answer after ${message.seconds.toFixed(0)} s of the processor: its calls have too much fuel`,
          execution: this.status[worker]?.executions ?? 0,
        });
      case "status":
        this.status[worker] = message.status;
        return;
      case "done":
        this.status[worker] = message.status;
        this.fingerprints[worker] = message.fingerprint;
        return;
      case "refused":
        return this.fail(new SessionError(message.reason));
      case "broken":
        return this.fail(new Error(`worker ${worker}: ${message.reason}`));
      default:
        return;
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const child of this.children) child.kill();
  }

  private trace(input: WireInput, story = ""): Trace {
    const { name, version, wasmSha256 } = this.origin;
    const { params, records } = input;
    const seed = BigInt(this.options.seed);
    return { level: levelOf(this.options.file), name, version, wasmSha256, params, seed, dropped: 0, story, records };
  }

  private save(input: WireInput): void {
    const { path, isNew } = saveTrace(this.options.corpus, this.trace(input));
    if (isNew) this.written.add(path);
  }

  /** Of finds that are the same, the one of the first worker stays: who was quicker must not matter. */
  private crash(worker: number, found: Omit<Extract<Message, { type: "found" }>, "type" | "operation">): void {
    const known = this.crashes.get(found.key);
    if (known !== undefined && known.worker <= worker) return;
    const trace = this.trace(found.input, found.story);
    const name = `${found.label}-${traceHash(trace).slice(0, 8)}${TRACE_SUFFIX}`;
    const path = join(this.options.corpus, CRASHES, name);
    const isNew = saveAs(path, trace);
    if (known?.isNew && known.path !== path) rmSync(known.path, { force: true });
    const { label, story, execution } = found;
    this.crashes.set(found.key, { label, story, path, worker, execution, isNew });
    if (known === undefined) this.options.onNote?.(`found: ${story}\n       ${path}`);
  }

  /** One more child runs everything once, in order; what reaches nothing new any more goes again. */
  private async merge(seeds: WireInput[]): Promise<void> {
    const all = [...seeds, ...this.kept.flat()];
    const needed = await runMerge(this.options, all);
    const names = new Set(needed.map((one) => this.pathOf(one)));
    for (const path of this.written) if (!names.has(path)) rmSync(path, { force: true });
  }

  private pathOf(input: WireInput): string {
    return join(this.options.corpus, `${traceHash(this.trace(input))}${TRACE_SUFFIX}`);
  }

  private sum(): SessionStatus {
    const known = this.status.filter((one) => one !== undefined);
    const executions = known.reduce((sum, one) => sum + one.executions, 0);
    const now = performance.now();
    const passed = now - this.last.at;
    if (passed > 900) {
      const perSecond = ((executions - this.last.executions) / passed) * 1000;
      this.last = { at: now, executions, perSecond };
    }
    const slowest = known.reduce((most, one) => (one.slowestShare > most.share ? pick(one) : most), {
      share: 0,
      what: "nothing",
    });
    return {
      executions,
      seconds: (now - this.begin) / 1000,
      perSecond: this.last.perSecond,
      edges: Math.max(0, ...known.map((one) => one.edges)),
      edgesMax: Math.max(0, ...known.map((one) => one.edgesMax)),
      compares: Math.max(0, ...known.map((one) => one.compares)),
      corpus: known.reduce((sum, one) => sum + one.corpus, 0),
      faults: known.reduce((sum, one) => sum + one.faults, 0),
      crashes: this.crashes.size,
      slowestShare: slowest.share,
      slowest: slowest.what,
    };
  }

  private report(): SessionReport {
    const { seed, jobs, corpus, signal } = this.options;
    const names = existsSync(corpus) ? readdirSync(corpus) : []; // nothing was kept yet
    const files = names.filter((name) => name.endsWith(TRACE_SUFFIX));
    const status = this.sum();
    return {
      module: this.origin.name,
      version: this.origin.version,
      wasmSha256: this.origin.wasmSha256,
      seed,
      jobs,
      status: { ...status, perSecond: status.executions / status.seconds },
      crashes: [...this.crashes.values()].sort((a, b) => a.label.localeCompare(b.label)),
      corpus: { folder: corpus, files: files.length, hash: hashOf(files.sort().join()) },
      workers: this.fingerprints.map((fingerprint, worker) => ({
        seed: derivedSeed(seed, worker),
        executions: this.status[worker]?.executions ?? 0,
        fingerprint,
      })),
      interrupted: signal?.aborted ?? false,
    };
  }
}

function pick(one: WorkerStatus): { share: number; what: string } {
  return { share: one.slowestShare, what: one.slowest };
}

/** Of these inputs, those that are needed to reach all that they reach, smallest first; `least`: see least.ts. */
export async function runMerge(
  { subject, file }: Pick<SessionOptions, "subject" | "file">,
  inputs: readonly WireInput[],
  mode: "merge" | "least" = "merge",
): Promise<WireInput[]> {
  const seeds = [...inputs].sort((a, b) => a.records.length - b.records.length);
  const longest = Math.max(1, ...seeds.map((one) => one.records.length / 32));
  const needed: WireInput[] = [];
  let failure: Error | undefined;
  const job: Job = { subject, file, seed: 0, recordsMax: longest, runs: 0, seeds, mode };
  const child = startChild(job, (message) => {
    if (message.type === "kept") needed.push(message.input);
    if (message.type === "refused") failure = new SessionError(message.reason);
    if (message.type === "broken") failure = new Error(`merging: ${message.reason}`);
  });
  await child.gone;
  if (failure !== undefined) throw failure;
  return needed;
}

/** A smaller input that ends in the same finding; undefined: this one ends in none. */
export async function runMinimize(
  { subject, file }: Pick<SessionOptions, "subject" | "file">,
  input: WireInput,
): Promise<{ input: WireInput; story: string } | undefined> {
  const recordsMax = Math.max(1, input.records.length / 32);
  const job: Job = { subject, file, seed: 0, recordsMax, runs: 0, seeds: [input], mode: "minimize" };
  let result: { input: WireInput; story: string } | undefined;
  let failure: Error | undefined;
  const child = startChild(job, (message) => {
    if (message.type === "found") result = { input: message.input, story: message.story };
    if (message.type === "refused") failure = new SessionError(message.reason);
    if (message.type === "broken") failure = new Error(`minimizing: ${message.reason}`);
    if (message.type === "hang")
      failure = new SessionError(`no answer after ${message.seconds.toFixed(0)} s of the processor`);
  });
  await child.gone;
  if (failure !== undefined) throw failure;
  return result;
}

/** What these inputs reach together, and how many of them end in a fault. */
export async function runCoverage(
  { subject, file }: Pick<SessionOptions, "subject" | "file">,
  seeds: WireInput[],
): Promise<{ reach: Reach; faults: number }> {
  const recordsMax = Math.max(1, ...seeds.map((one) => one.records.length / 32));
  const job: Job = { subject, file, seed: 0, recordsMax, runs: 0, seeds, mode: "coverage" };
  let result: { reach: Reach; faults: number } | undefined;
  let failure: Error | undefined;
  const child = startChild(job, (message) => {
    if (message.type === "reached") result = message;
    if (message.type === "refused") failure = new SessionError(message.reason);
    if (message.type === "broken") failure = new Error(`coverage: ${message.reason}`);
    if (message.type === "hang")
      failure = new SessionError(`an input: no answer after ${message.seconds.toFixed(0)} s of the processor`);
  });
  await child.gone;
  if (failure !== undefined) throw failure;
  if (result === undefined) throw new Error("coverage: the process ended without a word");
  return result;
}
