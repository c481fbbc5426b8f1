// SPDX-License-Identifier: MIT
//
// `glovebox fuzz --core`: core and modules together, several guests, Dom0, faults and panics, in the simulator with all
// checkers on. Finds are trace files with a story; exit code 1 when there are any.

import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../pipeline/store.js";
import { type CampaignStatus, campaign, type Find } from "../sim/fuzz/campaign.js";
import { storyOf } from "../sim/fuzz/input.js";
import { fuzzMachine } from "../sim/fuzz/machine.js";
import {
  decodeRecords,
  decodeTrace,
  encodeRecords,
  encodeTrace,
  type Trace,
  type TraceRecord,
  traceHash,
} from "../trace/index.js";

export interface FuzzCoreOptions {
  time?: number;
  runs?: number;
  seed?: number;
  corpus?: string;
  json?: boolean;
}

const TIME_DEFAULT_S = 60;

export async function fuzzCore(options: FuzzCoreOptions, signal: AbortSignal): Promise<void> {
  const folder = options.corpus ?? "fuzz-core";
  const seed = options.seed ?? 1;
  const seconds = options.time ?? (options.runs === undefined ? TIME_DEFAULT_S : undefined);
  const begin = Date.now();
  let shown = begin;
  const stop = (status: CampaignStatus): boolean => {
    const now = Date.now();
    if (!options.json && now - shown > 5000) process.stderr.write(`${statusLine(status, (now - begin) / 1000)}\n`);
    if (now - shown > 5000) shown = now;
    return signal.aborted || (seconds !== undefined && now - begin > seconds * 1000);
  };
  const report = campaign({
    machine: await fuzzMachine(),
    seed: BigInt(seed),
    runs: options.runs ?? Number.POSITIVE_INFINITY,
    corpus: readCorpus(join(folder, "corpus")),
    onStatus: stop,
    onFinding: (find) => keepFind(folder, seed, find, options.json ?? false),
  });
  for (const records of report.inputs) keep(join(folder, "corpus"), traceOf(records, seed, ""));
  const took = (Date.now() - begin) / 1000;
  const { finds, inputs: _, ...rest } = report;
  const findings = finds.map((one) => storyOf(one.finding, one.records));
  if (options.json)
    process.stdout.write(`${JSON.stringify({ ...rest, seconds: took, seed, findings }, undefined, 2)}\n`);
  else
    process.stdout.write(
      `${statusLine(report, took)}\ncorpus: ${folder}, hash ${report.hash.slice(0, 16)}; seed ${seed}\n`,
    );
  if (report.findings > 0) process.exitCode = 1;
}

function statusLine({ runs, corpus, features, findings }: CampaignStatus, seconds: number): string {
  const rate = (runs / Math.max(seconds, 0.001)).toFixed(0);
  const found = `corpus ${corpus}  features ${features}  findings ${findings}`;
  return `${seconds.toFixed(0)} s  ${runs} inputs (${rate}/s)  ${found}`;
}

function traceOf(records: readonly TraceRecord[], seed: number, story: string): Trace {
  const common = { level: "core" as const, name: "core", version: "", wasmSha256: "", params: [], dropped: 0 };
  return { ...common, seed: BigInt(seed), story, records: encodeRecords(records) };
}

function keep(folder: string, trace: Trace): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${traceHash(trace)}.gbt`);
  writeWhole(path, encodeTrace(trace));
  return path;
}

function keepFind(folder: string, seed: number, find: Find, quiet: boolean): void {
  const story = storyOf(find.finding, find.records);
  const path = keep(join(folder, "crashes"), traceOf(find.records, seed, story));
  if (!quiet)
    process.stdout.write(`FOUND  ${story}\n       ${path}, ${find.records.length} operations, run ${find.run}\n`);
}

/** What an earlier campaign kept; a file that is none is left where it is, and told. */
function readCorpus(folder: string): TraceRecord[][] {
  let names: string[];
  try {
    names = readdirSync(folder)
      .filter((one) => one.endsWith(".gbt"))
      .sort();
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      return [decodeRecords(decodeTrace(name, new Uint8Array(readFileSync(join(folder, name)))).records)];
    } catch (error) {
      process.stderr.write(`${(error as Error).message}: left out\n`);
      return [];
    }
  });
}
