// SPDX-License-Identifier: MIT
//
// A campaign against core and modules together: inputs made up or changed, those that do something new kept, findings
// made short and told once each. Same seed, same inputs, same corpus; nothing here asks the host for chance.
//
// New is what the machine said in other words than before: a line of the console, a node, a reply, a fault, an errno,
// with numbers taken out. That needs no instrumented core, and two edges of the core that nobody can tell apart by
// their words are one.

import { createHash } from "node:crypto";
import { encodeRecords, type TraceRecord } from "../../trace/index.js";
import { allCheckers } from "../checkers/all.js";
import type { Entry } from "../journal.js";
import { finish } from "../play/finish.js";
import { createMachine, type Machine, type MachineOptions } from "../play/machine.js";
import { play } from "../play/operation.js";
import { below, createRandom, type Random } from "../random.js";
import { generate, mutate } from "./generate.js";
import { type Finding, findingOf, keyOf, lookTwice, minimize, runInput } from "./input.js";

export interface CampaignOptions {
  machine: MachineOptions;
  seed: bigint;
  runs: number;
  /** Called now and then; true: stop. */
  onStatus?: (status: CampaignStatus) => boolean;
  onFinding?: (find: Find) => void;
  corpus?: readonly TraceRecord[][];
  /** The first finding ends it, as long as it is. */
  isFirstEnough?: boolean;
}

export interface CampaignStatus {
  runs: number;
  corpus: number;
  features: number;
  findings: number;
}

export interface Find {
  key: string;
  finding: Finding;
  records: TraceRecord[];
  /** Which run found it. */
  run: number;
}

export interface CampaignReport extends CampaignStatus {
  finds: Find[];
  inputs: TraceRecord[][];
  /** Of all inputs kept, in order. */
  hash: string;
}

const LOOK_TWICE_EVERY = 16;
const STATUS_EVERY = 64;

export function campaign(options: CampaignOptions): CampaignReport {
  const random = createRandom(options.seed);
  const seen = new Set<string>();
  const inputs: TraceRecord[][] = [];
  const finds = new Map<string, Find>();
  const status = (runs: number): CampaignStatus => ({
    runs,
    corpus: inputs.length,
    features: seen.size,
    findings: finds.size,
  });
  let run = 0;
  for (; run < options.runs; run++) {
    const records = options.corpus?.[run] ?? inputOf(random, inputs);
    const { finding, features } = observe(options.machine, records);
    const fresh = features.filter((one) => !seen.has(one));
    for (const one of fresh) seen.add(one);
    if (fresh.length > 0) inputs.push([...records]);
    const found = finding ?? (run % LOOK_TWICE_EVERY === 0 ? lookTwice(options.machine, records) : undefined);
    if (found !== undefined) note(options, finds, found, records, run, finding === undefined);
    if (options.isFirstEnough && finds.size > 0) break;
    if (run % STATUS_EVERY === 0 && options.onStatus?.(status(run))) break;
  }
  const hash = createHash("sha256");
  for (const one of inputs) hash.update(encodeRecords(one));
  return { ...status(run), finds: [...finds.values()], inputs, hash: hash.digest("hex") };
}

function inputOf(random: Random, inputs: readonly TraceRecord[][]): TraceRecord[] {
  if (inputs.length === 0 || below(random, 4) === 0) return generate(random);
  const pick = () => inputs[below(random, inputs.length)] as TraceRecord[];
  return mutate(random, pick(), pick());
}

function note(
  options: CampaignOptions,
  finds: Map<string, Find>,
  finding: Finding,
  records: readonly TraceRecord[],
  run: number,
  second: boolean,
): void {
  const key = keyOf(finding);
  if (finds.has(key)) return;
  if (options.isFirstEnough) {
    finds.set(key, { key, finding, records: [...records], run });
    return;
  }
  const judge = second ? lookTwice : runInput;
  const small = minimize(options.machine, records, key, judge);
  const find = { key, finding: judge(options.machine, small) ?? finding, records: small, run };
  finds.set(key, find);
  options.onFinding?.(find);
}

// --- one run, and what it said ---

function observe(options: MachineOptions, records: readonly TraceRecord[]): { finding?: Finding; features: string[] } {
  const features = new Set<string>();
  const listener = () => ({ name: "listener", entry: (_machine: Machine, entry: Entry) => listen(features, entry) });
  const machine = createMachine({ ...options, checkers: [listener, ...(options.checkers ?? allCheckers())] });
  let operation = 0;
  let finding: Finding | undefined;
  try {
    for (; operation < records.length; operation++) play(machine, records[operation] as TraceRecord);
    finish(machine);
  } catch (error) {
    finding = findingOf(error, operation);
  }
  for (const line of machine.world.console) features.add(`console ${masked(line)}`);
  for (const [call, count] of machine.world.faults.calls) features.add(`${call} ${Math.floor(Math.log2(count))}`);
  return finding === undefined ? { features: [...features] } : { finding, features: [...features] };
}

function masked(text: string): string {
  return text.replace(/0x[0-9a-f]+|\d+/g, "N").slice(0, 160);
}

function listen(features: Set<string>, entry: Entry): undefined {
  if (entry.kind === "node") features.add(`node ${masked(entry.path)} ${masked(entry.value ?? "gone")}`);
  else if (entry.kind === "called") features.add(`called ${entry.entry} ${entry.fault}`);
  else if (entry.kind === "restarted") features.add(`restarted ${entry.mode}`);
  else if (entry.kind === "answered")
    features.add(`answered ${entry.data === 0n ? 0 : entry.data.toString(16).length} ${entry.lost}`);
  else features.add(entry.kind);
  return undefined;
}
