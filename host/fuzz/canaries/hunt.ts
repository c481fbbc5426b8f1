// SPDX-License-Identifier: MIT
//
// How long our fuzzer needs for a canary: executions, which a seed decides, and processor time, which the machine does.

import { setImmediate as breathe } from "node:timers/promises";
import type { Bytes } from "../../pipeline/store.js";
import { Campaign } from "../campaign.js";
import { CoreChanger } from "../core/changer.js";
import { CoveredCore } from "../core/code.js";
import { CoreTarget } from "../core/target.js";
import { prepareFuzz } from "../module/prepare.js";
import { ModuleTarget } from "../module/target.js";
import { vocabularyOf } from "../module/vocabulary.js";
import type { Random } from "../random.js";
import { canaryMachine } from "./build.js";

export interface Hunt {
  executions: number;
  cpuSeconds: number;
  /** What was found; undefined: nothing within the limits. */
  story: string | undefined;
  /** Of the core: which checker noticed. */
  checker?: string | undefined;
}

export interface Limits {
  executions: number;
  cpuSeconds: number;
}

/** Of an input, at most. */
export const RECORDS = 64;
/** Executions between two looks at the limits. */
const SLICE = 64;
const CORE_SLICE = 4;

function stopwatch(): () => number {
  const begin = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1e6;
  };
}

export async function huntModule(file: Bytes, seed: number, limits: Limits, signal?: AbortSignal): Promise<Hunt> {
  const target = new ModuleTarget(await prepareFuzz("canary", file));
  const vocabulary = vocabularyOf(target.module.manifest, target.module.covered.constants);
  const params = target.standing().usable;
  return hunt(new Campaign(target, { seed, recordsMax: RECORDS, vocabulary, params }), SLICE, limits, signal);
}

/** As `glovebox fuzz --core` does it, with fewer modules. */
export async function huntCore(core: Bytes, seed: number, limits: Limits, signal?: AbortSignal): Promise<Hunt> {
  const covered = new CoveredCore(core);
  const target = new CoreTarget(covered, { ...canaryMachine(core), core: covered });
  const vocabulary = (random: Random) => new CoreChanger(random, RECORDS);
  const campaign = new Campaign(target, { seed, recordsMax: RECORDS, vocabulary, params: [0] });
  const found = await hunt(campaign, CORE_SLICE, limits, signal);
  const [key] = campaign.found.keys();
  return { ...found, checker: key?.split(":")[0] };
}

async function hunt(campaign: Campaign, slice: number, limits: Limits, signal?: AbortSignal): Promise<Hunt> {
  const seconds = stopwatch();
  while (campaign.found.size === 0 && campaign.executions < limits.executions && seconds() < limits.cpuSeconds) {
    campaign.run(slice);
    await breathe();
    signal?.throwIfAborted();
  }
  const [found] = campaign.found.values();
  const executions = found?.execution ?? campaign.executions;
  return { executions, cpuSeconds: seconds(), story: found?.finding.story };
}
