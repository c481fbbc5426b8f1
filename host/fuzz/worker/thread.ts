// SPDX-License-Identifier: MIT
//
// The thread that fuzzes: prepares the module, runs the campaign in slices, tells what it keeps and finds. Before each
// input runs it is written to shared memory, so that whoever watches can say what it was when nothing comes back.

import { parentPort, workerData } from "node:worker_threads";
import { Campaign } from "../campaign.js";
import { least } from "../least.js";
import { minimize } from "../minimize.js";
import { type Input, RECORD_WORDS, type Target } from "../target.js";
import { type Job, type Message, SHARED, type WireInput, type WorkerStatus } from "./protocol.js";
import { type Subject, subjectOf } from "./subject.js";

/** Slices between two looks at the coverage, which cost a millisecond or so. */
const STATUS_EVERY = 8;

export interface ThreadData {
  job: Job;
  shared: SharedArrayBuffer;
}

export async function fuzzThread(): Promise<void> {
  const { job, shared } = workerData as ThreadData;
  const say = (message: Message): void => parentPort?.postMessage(message);
  let subject: Subject;
  try {
    subject = await subjectOf(job);
  } catch (error) {
    return say({ type: "refused", reason: error instanceof Error ? error.message : String(error) });
  }
  try {
    runJob(subject, job, new Int32Array(shared), say);
  } catch (error) {
    say({ type: "broken", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

function runJob(subject: Subject, job: Job, shared: Int32Array, say: (message: Message) => void): void {
  const { target, slice: sliceRuns, vocabulary, usable, findings } = subject;
  say({ type: "ready", ...subject.origin });
  for (const finding of findings) {
    say({ type: "found", ...finding, execution: 0, input: { params: [], records: new Uint8Array() } });
  }
  const campaign = new Campaign(target, {
    seed: job.seed,
    recordsMax: job.recordsMax,
    vocabulary,
    params: usable.length > 0 ? usable : [0],
  });
  const wire = ({ params, words }: Input): WireInput => ({
    params: [...subject.params(params)],
    records: new Uint8Array(Uint8Array.from(new Uint8Array(words.buffer, words.byteOffset, words.byteLength))),
  });
  campaign.onKept = (input) => say({ type: "kept", input: wire(input) });
  campaign.onFound = ({ finding, input, execution }) =>
    say({ type: "found", ...finding, execution, input: wire(input) });
  campaign.beforeRun = (params, records) => show(target, shared, params, records);
  if (job.mode === "coverage") return coverageJob(subject, job, say, shared);
  if (job.mode === "least") return leastJob(subject, job, wire, say, shared);
  if (job.mode === "minimize") return minimizeJob(subject, job, wire, say, shared);
  const status = (): WorkerStatus => statusOf(target, campaign);
  const stops = (): boolean => Atomics.load(shared, SHARED.stop) !== 0;
  for (const seed of job.seeds) {
    if (stops()) break;
    campaign.seed(inputOf(subject, seed));
  }
  if (usable.length > 0 && job.mode === "fuzz") {
    const end = job.runs === 0 ? Number.POSITIVE_INFINITY : campaign.executions + job.runs;
    for (let slice = 0; campaign.executions < end && !stops(); slice++) {
      campaign.run(Math.min(sliceRuns, end - campaign.executions));
      if (slice % STATUS_EVERY === 0) say({ type: "status", status: status() });
    }
  }
  say({ type: "done", status: status(), fingerprint: target.fingerprint() });
}

/** For whoever watches: this input runs now. */
function show(target: Target, shared: Int32Array, params: number, records: number): void {
  shared.set(target.input.subarray(0, records * RECORD_WORDS), SHARED.input);
  shared[SHARED.records] = records;
  shared[SHARED.params] = params;
  shared[SHARED.beats] = ((shared[SHARED.beats] as number) + 1) | 0;
}

/** Each input as it is, once; what all of them reached together. */
function coverageJob(subject: Subject, job: Job, say: (message: Message) => void, shared: Int32Array): void {
  const { target } = subject;
  let faults = 0;
  for (const seed of job.seeds) {
    const { params, words } = inputOf(subject, seed);
    const records = words.length / RECORD_WORDS;
    target.input.set(words);
    show(target, shared, params, records);
    if (target.run(params, records) < 0) faults++;
  }
  say({ type: "reached", reach: subject.reached(), faults });
  say({ type: "done", status: NOTHING_DONE, fingerprint: "" });
}

/** The inputs that a small corpus needs. */
function leastJob(
  subject: Subject,
  job: Job,
  wire: (input: Input) => WireInput,
  say: (message: Message) => void,
  shared: Int32Array,
): void {
  const { target, sites } = subject;
  const inputs = job.seeds.map((one) => inputOf(subject, one));
  const beat = (params: number, records: number): void => show(target, shared, params, records);
  for (const one of least(target, sites, inputs, beat)) say({ type: "kept", input: wire(one) });
  say({ type: "done", status: NOTHING_DONE, fingerprint: "" });
}

const NOTHING_DONE: WorkerStatus = {
  executions: 0,
  edges: 0,
  edgesMax: 0,
  compares: 0,
  corpus: 0,
  faults: 0,
  slowestShare: 0,
  slowest: "",
};

/** The one input made smaller; no word of a find means that it ends in none. */
function minimizeJob(
  subject: Subject,
  job: Job,
  wire: (input: Input) => WireInput,
  say: (message: Message) => void,
  shared: Int32Array,
): void {
  const { target } = subject;
  const { params, words } = inputOf(subject, job.seeds[0] ?? { params: [], records: new Uint8Array() });
  const result = minimize(target, params, words, () => {
    shared[SHARED.beats] = ((shared[SHARED.beats] as number) + 1) | 0;
  });
  if (result !== undefined) {
    const { finding, runs } = result;
    say({ type: "found", ...finding, execution: runs, input: wire({ params, words: finding.words ?? result.words }) });
  }
  say({ type: "done", status: NOTHING_DONE, fingerprint: "" });
}

function inputOf(subject: Subject, { params, records }: WireInput): Input {
  const words = new Int32Array(records.buffer.slice(records.byteOffset, records.byteOffset + records.byteLength));
  return { params: subject.setOf(params), words };
}

function statusOf(target: Target, campaign: Campaign): WorkerStatus {
  const { edges, edgesMax, compares } = target.coverage();
  const { share, what } = target.slowest();
  return {
    executions: campaign.executions,
    edges,
    edgesMax,
    compares,
    corpus: campaign.corpus.entries.length,
    faults: campaign.faults,
    slowestShare: share,
    slowest: what,
  };
}
