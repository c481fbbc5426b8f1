// SPDX-License-Identifier: MIT
//
// One run of a program that was linked with libFuzzer, and what it said.

import { spawn } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

export interface FuzzerOptions {
  program: string;
  /** New inputs are written into the first. */
  corpora: readonly string[];
  /** Where the input goes that ends it. */
  artifacts: string;
  seed: number;
  runs?: number | undefined;
  seconds?: number | undefined;
  lengthMax: number;
  dictionary?: string | undefined;
  env?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

export interface FuzzerReport {
  runs: number;
  /** Edges of the program that were reached, and features: edges with their counts, comparisons. */
  edges: number;
  features: number;
  corpus: number;
  seconds: number;
  /** One line on what ended it, and the input; undefined: nothing was found. */
  story: string | undefined;
  artifact: string | undefined;
}

/** The slowest input that is no find: the domain itself has a budget of fuel for each call. */
const TIMEOUT_SECONDS = 20;
const MEMORY_MIB = 2048;
const TAIL_BYTES = 1 << 20;

export async function runFuzzer(options: FuzzerOptions): Promise<FuzzerReport> {
  const { program, corpora, artifacts, seed, runs, seconds, lengthMax, dictionary } = options;
  for (const folder of [...corpora, artifacts]) mkdirSync(folder, { recursive: true });
  const before = new Set(readdirSync(artifacts));
  const words = [`-seed=${seed}`, `-max_len=${lengthMax}`, `-artifact_prefix=${artifacts}/`, "-print_final_stats=1"];
  words.push(`-timeout=${TIMEOUT_SECONDS}`, `-rss_limit_mb=${MEMORY_MIB}`);
  if (runs !== undefined) words.push(`-runs=${runs}`);
  if (seconds !== undefined) words.push(`-max_total_time=${Math.ceil(seconds)}`);
  if (dictionary !== undefined) words.push(`-dict=${dictionary}`);
  const begin = Date.now();
  const { code, text } = await spawned(program, [...words, ...corpora], options);
  const artifact = readdirSync(artifacts).find((name) => !before.has(name) && !name.startsWith("slow-unit-"));
  const interrupted = options.signal?.aborted ?? false;
  return {
    ...countsOf(text),
    seconds: (Date.now() - begin) / 1000,
    story: code === 0 || (interrupted && artifact === undefined) ? undefined : storyOf(text),
    artifact: artifact && join(artifacts, artifact),
  };
}

function spawned(program: string, args: string[], { env, signal }: FuzzerOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
    let text = "";
    const stop = (): void => {
      child.kill("SIGINT"); // libFuzzer ends in order
    };
    signal?.addEventListener("abort", stop, { once: true });
    child.stderr.on("data", (data: Buffer) => {
      text = (text + data.toString("latin1")).slice(-TAIL_BYTES);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      signal?.removeEventListener("abort", stop);
      resolve({ code, text });
    });
  });
}

interface Ended {
  code: number | null;
  text: string;
}

function countsOf(text: string): { runs: number; edges: number; features: number; corpus: number } {
  const lines = [...text.matchAll(/^#(\d+)\s.*?cov: (\d+) ft: (\d+)(?: corp: (\d+))?/gm)];
  const [, at, edges, features, corpus] = lines.at(-1) ?? [];
  const runs = /stat::number_of_executed_units:\s*(\d+)/.exec(text)?.[1] ?? at;
  return {
    runs: Number(runs ?? 0),
    edges: Number(edges ?? 0),
    features: Number(features ?? 0),
    corpus: Number(corpus ?? 0),
  };
}

/** Sanitizers say much; this is the one line that names the fault, and the place in our source. */
export function storyOf(text: string): string {
  const said = [/^WANTED: .*$/m, /runtime error: .*$/m, /ERROR: (?:AddressSanitizer|libFuzzer): [^\n]*$/m];
  const what = said.map((one) => one.exec(text)?.[0]).find((one) => one !== undefined) ?? lastLine(text);
  const place = /SUMMARY: \S+ [^\n]*?([\w.-]+\.c:\d+)[^\n]*?(?: in (\w+))?$/m.exec(text);
  const words = what.replace(/^ERROR: /, "").replace(/ on (?:unknown )?address.*$/, "");
  return place === null || words.includes(place[1] ?? "")
    ? words
    : `${words} at ${place[1]}${place[2] ? ` in ${place[2]}` : ""}`;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
