// SPDX-License-Identifier: MIT
//
// How long a fuzzer needs for a canary: executions, which a seed decides, and processor time, which the machine does.

import type { Bytes } from "../../pipeline/store.js";
import { campaign as coreCampaign } from "../../sim/fuzz/campaign.js";
import { storyOf } from "../../sim/fuzz/input.js";
import type { MachineOptions } from "../../sim/play/machine.js";
import { Campaign } from "../campaign.js";
import { prepareFuzz } from "../module/prepare.js";
import { ModuleTarget } from "../module/target.js";
import { vocabularyOf } from "../module/vocabulary.js";

export interface Hunt {
  executions: number;
  cpuSeconds: number;
  /** What was found; undefined: nothing within the limits. */
  story: string | undefined;
  /** Of the core: which checker noticed. */
  checker?: string;
}

export interface Limits {
  executions: number;
  cpuSeconds: number;
}

const RECORDS = 64;
const SLICE = 64;

function stopwatch(): () => number {
  const begin = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1e6;
  };
}

export async function huntModule(file: Bytes, seed: number, limits: Limits): Promise<Hunt> {
  const target = new ModuleTarget(await prepareFuzz("canary", file));
  const vocabulary = vocabularyOf(target.module.manifest, target.module.covered.constants);
  const params = target.standing().usable;
  const campaign = new Campaign(target, { seed, recordsMax: RECORDS, vocabulary, params });
  const seconds = stopwatch();
  while (campaign.found.size === 0 && campaign.executions < limits.executions && seconds() < limits.cpuSeconds) {
    campaign.run(SLICE);
  }
  const [found] = campaign.found.values();
  const executions = found?.execution ?? campaign.executions;
  return { executions, cpuSeconds: seconds(), story: found?.finding.story };
}

export function huntCore(machine: MachineOptions, seed: number, limits: Limits): Hunt {
  const seconds = stopwatch();
  const { runs, finds } = coreCampaign({
    machine,
    seed: BigInt(seed),
    runs: limits.executions,
    isFirstEnough: true,
    onStatus: () => seconds() > limits.cpuSeconds,
  });
  const [find] = finds;
  const hunt = { executions: runs, cpuSeconds: seconds() };
  if (find === undefined) return { ...hunt, story: undefined };
  return { ...hunt, story: storyOf(find.finding, find.records), checker: find.finding.checker };
}
