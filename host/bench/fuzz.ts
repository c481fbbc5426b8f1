// SPDX-License-Identifier: MIT
//
// Executions a second on one core: our engine, libFuzzer + ASan and AFL++ on the same module compiled to C, with the
// same inputs of 64 operations, one after the other in one run. Seconds are processor time, so that a busy machine
// disturbs less (shared caches still do). Before anything is measured each input must end the
// same in both worlds: same answers, same fuel.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Campaign } from "../fuzz/campaign.js";
import { prepareFuzz } from "../fuzz/module/prepare.js";
import { ModuleTarget } from "../fuzz/module/target.js";
import { vocabularyOf } from "../fuzz/module/vocabulary.js";
import { Random } from "../fuzz/random.js";
import { buildRig, replayRig } from "../fuzz/rig.js";
import { RECORD_WORDS } from "../fuzz/target.js";
import { buildModule, prepareModule } from "../pipeline/module.js";
import { inProject } from "../pipeline/paths.js";
import { encodeTrace } from "../trace/index.js";
import type { Wish } from "./latency.js";

const FOLDER = "unikernel/modules/bochs-display";
const RECORDS = 64;
const INPUTS = 256;
const SECONDS = 3;
const ROUNDS = 3;
const WANTED_PER_SECOND = 100_000;
const WANTED_OF_LIBFUZZER = 1.5;
/** bochs-display's static data ends below; a rig that knew this would copy no more. */
const RESET_BYTES_LEAST = 8192;

export interface FuzzRow {
  who: string;
  /** Executions for each second of processor time, median of the rounds. */
  perSecond: number;
}

export interface FuzzBenchReport {
  module: string;
  inputs: number;
  rows: FuzzRow[];
  wishes: Wish[];
}

export async function measureFuzz(say: (text: string) => void): Promise<FuzzBenchReport> {
  const file = await buildModule(FOLDER);
  const target = new ModuleTarget(await prepareFuzz(FOLDER, file));
  target.standing();
  const inputs = makeInputs(target);
  const folder = inProject("build/fuzz-bench");
  rmSync(folder, { recursive: true, force: true });
  const files = writeInputs(join(folder, "inputs"), target, inputs);
  say("building the C rigs");
  const module = await prepareModule(FOLDER, file);
  const replay = buildRig(module, join(folder, "rig"), "replay");
  compare(target, inputs, replay, files);
  const libfuzzer = buildRig(module, join(folder, "rig"), "libfuzzer");
  const afl = buildRig(module, join(folder, "rig"), "afl");
  const corpus = join(folder, "inputs");
  const measures: [string, () => number][] = [
    ["glovebox, the same inputs again and again", () => ownReplay(target, inputs)],
    ["clang + ASan + libFuzzer's counters, the same inputs, no fuzzer", () => cReplay(replay, files)],
    ["the same, only 8 KiB set back", () => cReplay(replay, files, RESET_BYTES_LEAST)],
    ["glovebox fuzz, all of its loop", () => ownCampaign(inputs)],
    ["libFuzzer + ASan, all of its loop", () => libFuzzer(libfuzzer, folder, corpus, [])],
    [
      "libFuzzer + ASan + value profile, all of its loop",
      () => libFuzzer(libfuzzer, folder, corpus, ["-use_value_profile=1"]),
    ],
    ["AFL++ persistent, without ASan, all of its loop", () => aflFuzz(afl, folder, corpus)],
  ];
  const freshTarget = async (): Promise<ModuleTarget> => new ModuleTarget(await prepareFuzz(FOLDER, file));
  const campaignTarget = await freshTarget();
  campaignTarget.standing();
  const ownCampaign = (seeds: readonly Int32Array[]): number => measureCampaign(campaignTarget, seeds);
  const sums = measures.map(() => [] as number[]);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, [who, measure]] of measures.entries()) {
      say(`round ${round + 1} of ${ROUNDS}: ${who}`);
      sums[i]?.push(measure());
    }
  }
  const rows = measures.map(([who], i) => ({ who, perSecond: median(sums[i] ?? []) }));
  return { module: module.name, inputs: inputs.length, rows, wishes: wishesOf(rows) };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function wishesOf(rows: readonly FuzzRow[]): Wish[] {
  const at = (i: number): number => rows[i]?.perSecond ?? Number.NaN;
  // Wishes are upper limits elsewhere: so the ratios stand upside down.
  const wish = (what: string, got: number, limit: number, unit: string): Wish => ({
    what,
    got,
    limit,
    unit,
    met: got <= limit,
  });
  return [
    wish("microseconds for an input of 64 operations", 1e6 / at(0), 1e6 / WANTED_PER_SECOND, "us"),
    wish("the same inputs: ASan + counters against glovebox", at(1) / at(0), 1 / WANTED_OF_LIBFUZZER, "times"),
    wish("the whole loop: libFuzzer against glovebox", at(4) / at(3), 1 / WANTED_OF_LIBFUZZER, "times"),
  ];
}

/** 64 records each, put together of what a short campaign kept: so they do something. None ends in a fault. */
function makeInputs(target: ModuleTarget): Int32Array[] {
  const { manifest, covered } = target.module;
  const vocabulary = vocabularyOf(manifest, covered.constants);
  const campaign = new Campaign(target, { seed: 1, recordsMax: RECORDS, vocabulary, params: [0] });
  campaign.run(30_000);
  const random = new Random(2);
  const inputs: Int32Array[] = [];
  while (inputs.length < INPUTS) {
    const words = new Int32Array(RECORDS * RECORD_WORDS);
    for (let at = 0; at < words.length; ) {
      const entry = random.pick(campaign.corpus.entries);
      const part = entry.words.subarray(0, words.length - at);
      words.set(part, at);
      at += part.length;
    }
    target.input.set(words);
    if (target.run(0, RECORDS) >= 0) inputs.push(words);
  }
  return inputs;
}

function writeInputs(folder: string, target: ModuleTarget, inputs: readonly Int32Array[]): string[] {
  mkdirSync(folder, { recursive: true });
  const { manifest, wasmSha256 } = target.module;
  const { name, version } = manifest;
  const base = { level: "module", name, version, wasmSha256, seed: 0n, dropped: 0, story: "" } as const;
  return inputs.map((words, i) => {
    const path = join(folder, `${String(i).padStart(3, "0")}.gbt`);
    const records = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    writeFileSync(path, encodeTrace({ ...base, params: [...target.params(0)], records }));
    return path;
  });
}

function compare(target: ModuleTarget, inputs: readonly Int32Array[], replay: string, files: readonly string[]): void {
  const outcomes = replayRig(replay, files);
  for (const [i, words] of inputs.entries()) {
    target.input.set(words);
    target.run(0, RECORDS);
    const [low, high] = target.instance.answers().split(".").map(BigInt) as [bigint, bigint];
    const answers = ((high << 32n) | low).toString(16).padStart(16, "0");
    const other = outcomes[i];
    if (other?.answers !== answers || other.fuel !== target.instance.fuelOfRun()) {
      throw new Error(`${files[i]}: V8 and C differ: fuel ${target.instance.fuelOfRun()} and ${other?.fuel}`);
    }
  }
}

/** `slice` answers how many inputs it ran; as often as fits. */
function perCpuSecond(slice: () => number): number {
  const begin = process.cpuUsage();
  let runs = 0;
  for (;;) {
    runs += slice();
    const { user, system } = process.cpuUsage(begin);
    if (user + system > SECONDS * 1e6) return runs / ((user + system) / 1e6);
  }
}

function ownReplay(target: ModuleTarget, inputs: readonly Int32Array[]): number {
  return perCpuSecond(() => {
    for (const words of inputs) {
      target.input.set(words);
      target.run(0, RECORDS);
    }
    return inputs.length;
  });
}

function measureCampaign(target: ModuleTarget, seeds: readonly Int32Array[]): number {
  const { manifest, covered } = target.module;
  const vocabulary = vocabularyOf(manifest, covered.constants);
  const campaign = new Campaign(target, { seed: 7, recordsMax: RECORDS, vocabulary, params: [0] });
  for (const words of seeds) campaign.seed({ params: 0, words });
  return perCpuSecond(() => {
    campaign.run(1000);
    return 1000;
  });
}

function cReplay(program: string, files: readonly string[], resetBytes?: number): number {
  const run = (times: number): number => {
    const env = resetBytes === undefined ? process.env : { ...process.env, RIG_RESET_BYTES: String(resetBytes) };
    const text = execFileSync(program, ["--times", String(times), ...files], { encoding: "utf8", env });
    const [, runs, seconds] = /runs (\d+) seconds ([\d.]+)/.exec(text) ?? [];
    return Number(runs) / Number(seconds);
  };
  const perSecond = run(20);
  return run(Math.ceil((perSecond * SECONDS) / files.length));
}

/** A program to its end: what it said, and the processor time that it and its children took. */
function timed(words: readonly string[], env = process.env): { said: string; cpuSeconds: number } {
  const script = 'TIMEFORMAT="cpu %U %S"; time "$@" 2>&1';
  const { stdout, stderr } = spawnSync("bash", ["-c", script, "bash", ...words], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env,
  });
  const [, user, system] = /cpu ([\d.]+) ([\d.]+)\s*$/.exec(stderr) ?? [];
  return { said: stdout, cpuSeconds: Number(user) + Number(system) };
}

function libFuzzer(program: string, folder: string, corpus: string, more: readonly string[]): number {
  const out = join(folder, "libfuzzer");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const length = RECORDS * 32 + 320;
  const args = [`-max_total_time=${SECONDS * 2}`, `-max_len=${length}`, "-print_final_stats=1", "-len_control=0"];
  const { said, cpuSeconds } = timed([program, ...args, "-seed=1", ...more, out, corpus]);
  const [, runs] = /stat::number_of_executed_units:\s+(\d+)/.exec(said) ?? [];
  return Number(runs) / cpuSeconds;
}

function aflFuzz(program: string, folder: string, corpus: string): number {
  const out = join(folder, "afl");
  rmSync(out, { recursive: true, force: true });
  const env = {
    ...process.env,
    AFL_NO_UI: "1",
    AFL_SKIP_CPUFREQ: "1",
    AFL_NO_AFFINITY: "1",
    AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES: "1",
    AFL_FAST_CAL: "1",
  };
  const words = ["afl-fuzz", "-V", String(SECONDS * 3), "-s", "1", "-i", corpus, "-o", out, "--", program];
  const { cpuSeconds } = timed(words, env);
  const stats = readFileSync(join(out, "default/fuzzer_stats"), "utf8");
  return Number(/^execs_done\s*:\s*(\d+)/m.exec(stats)?.[1]) / cpuSeconds;
}
