// SPDX-License-Identifier: MIT
//
// One session of the second rig: the corpus on V8 and in C with the shim, compared trace by trace; then libFuzzer on
// from there, what it made compared as well, and what reaches something new added to the corpus. A difference, and
// what a sanitizer says, is a find with a trace in crashes/; a fault that both sides have is a find of `glovebox fuzz`.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareModule } from "../../pipeline/module.js";
import { encodeTrace, RECORD_BYTES, type Trace } from "../../trace/index.js";
import { corpusOf, originOf, runMerge, type SessionOptions } from "../session.js";
import { CRASHES, saveTrace } from "../store.js";
import { type FuzzerReport, runFuzzer, storyOf } from "./libfuzzer.js";
import { difference, type Reference, referenceOf } from "./reference.js";
import { buildShimRig, RigFault, replayShim } from "./shim-rig.js";

export interface RigSession extends Pick<SessionOptions, "subject" | "corpus" | "force" | "seed" | "signal"> {
  file: Uint8Array;
  /** Scratch. */
  folder: string;
  runs: number | undefined;
  seconds: number | undefined;
}

export interface RigFind {
  story: string;
  path: string;
}

export interface RigReport {
  module: string;
  replayed: number;
  refused: string[];
  /** Inputs of libFuzzer that were kept and compared, and those that the corpus took. */
  made: number;
  added: number;
  fuzzer: FuzzerReport;
  finds: RigFind[];
}

const RECORDS_MAX = 128;
/** Kinds of docs/TRACE.md that a trace of one module may have and the mediator looks at. */
const KINDS = new Set([0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xd0, 0xd1, 0xd3, 0xd4]);
const AT_KIND = 11;

export async function rigSession(options: RigSession): Promise<RigReport> {
  const { subject, file, corpus, folder, seed, runs, seconds, signal } = options;
  const module = await prepareModule(subject, file);
  const { traces, refused } = corpusOf(options);
  const replay = await buildShimRig(module, folder, "replay");
  const reference = await referenceOf(module);
  const finds: RigFind[] = [];
  const compare = (all: readonly Trace[]): void => {
    for (const { trace, story } of compareAll(replay, reference, folder, all)) {
      const { path } = saveTrace(join(corpus, CRASHES), { ...trace, story }, "rig-");
      finds.push({ story, path });
    }
  };
  const own = traces.map((one) => one.trace);
  compare(own);
  const base: Omit<Trace, "records"> = {
    ...originOf(subject, file),
    level: "module",
    params: module.manifest.params.map((one) => BigInt(one.default)),
    seed: BigInt(seed),
    dropped: 0,
    story: "",
  };
  const [bare, fresh] = [empty(join(folder, "seeds")), empty(join(folder, "new"))];
  for (const [i, { records }] of own.entries()) writeFileSync(join(bare, String(i)), records);
  const fuzzer = await runFuzzer({
    program: await buildShimRig(module, folder, "libfuzzer"),
    corpora: [fresh, bare],
    artifacts: empty(join(folder, "artifacts")),
    seed,
    runs,
    seconds,
    lengthMax: RECORDS_MAX * RECORD_BYTES,
    env: { RIG_FAULTS_PASS: "1" },
    signal,
  });
  if (fuzzer.story !== undefined) {
    const records = fuzzer.artifact === undefined ? new Uint8Array() : knownRecords(readFileSync(fuzzer.artifact));
    const { path } = saveTrace(join(corpus, CRASHES), { ...base, records, story: fuzzer.story }, "rig-");
    finds.push({ story: fuzzer.story, path });
  }
  const made = filesIn(fresh)
    .map((path) => ({ ...base, records: knownRecords(readFileSync(path)) }))
    .filter((trace) => trace.records.length > 0);
  if (fuzzer.story === undefined) compare(made);
  const added = await feedBack(options, own, made);
  return { module: module.name, replayed: own.length, refused, made: made.length, added, fuzzer, finds };
}

/** What of it reaches something that the corpus does not. */
async function feedBack({ subject, file, corpus }: RigSession, own: Trace[], made: Trace[]): Promise<number> {
  const all = [...own, ...made].map(({ params, records }) => ({ params, records }));
  const needed = await runMerge({ subject, file }, all);
  const base = made[0];
  if (base === undefined) return 0;
  return needed.filter((one) => saveTrace(corpus, { ...base, ...one }).isNew).length;
}

/** Those that end otherwise in C than on V8, or where a sanitizer speaks. */
function compareAll(
  program: string,
  reference: Reference,
  folder: string,
  traces: readonly Trace[],
): { trace: Trace; story: string }[] {
  const here = empty(join(folder, "compared"));
  const files = traces.map((trace, i) => {
    const path = join(here, `${i}.gbt`);
    writeFileSync(path, encodeTrace(trace));
    return path;
  });
  try {
    const outcomes = replayShim(program, files);
    return traces.flatMap((trace, i) => {
      const outcome = outcomes[i];
      const story = outcome === undefined ? "no outcome" : difference(reference.run(trace), outcome);
      return story === undefined ? [] : [{ trace, story: `V8 and C differ: ${story}` }];
    });
  } catch (error) {
    if (!(error instanceof RigFault)) throw error;
    const trace = traces[files.indexOf(error.file ?? "")];
    if (trace === undefined) throw error;
    return [{ trace, story: storyOf(error.told) }];
  }
}

/** Whole records of kinds that mean something; the others are passed over by everybody. */
function knownRecords(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES)
    if (KINDS.has(bytes[at + AT_KIND] as number)) parts.push(bytes.subarray(at, at + RECORD_BYTES));
  return Uint8Array.from(Buffer.concat(parts));
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));

function empty(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}
