// SPDX-License-Identifier: MIT
//
// What a worker fuzzes: one module, by its file, or core and modules of the tree together.

import type { CampaignOptions } from "../campaign.js";
import { CoreChanger } from "../core/changer.js";
import { coreTarget } from "../core/target.js";
import type { Site } from "../cover/builder.js";
import { type Reach, reachOf } from "../coverage/reach.js";
import { prepareFuzz } from "../module/prepare.js";
import { ModuleTarget } from "../module/target.js";
import { vocabularyOf } from "../module/vocabulary.js";
import type { Finding, Target } from "../target.js";
import type { Job } from "./protocol.js";

export interface Subject {
  target: Target;
  origin: { name: string; version: string; wasmSha256: string; paramNames: number };
  vocabulary: CampaignOptions["vocabulary"];
  /** Sets of parameters with which the target stands, and what happened with the others. */
  usable: number[];
  findings: Finding[];
  /** Runs between two looks at whether to stop: well below a second. */
  slice: number;
  params(set: number): readonly bigint[];
  setOf(values: readonly bigint[]): number;
  sites: readonly Site[];
  /** What was reached, in the words of the file. Only in jobs of mode coverage. */
  reached(): Reach;
}

const MODULE_SLICE = 2048;
const CORE_SLICE = 8;

export async function subjectOf(job: Job): Promise<Subject> {
  if (job.file === null) return coreSubject(job);
  const module = await prepareFuzz(job.subject, job.file, job.mode === "coverage");
  const seeds = job.seeds.map((one) => one.params);
  const target = new ModuleTarget(module, seeds);
  const { manifest, wasmSha256, covered } = module;
  return {
    target,
    origin: { name: manifest.name, version: manifest.version, wasmSha256, paramNames: manifest.params.length },
    vocabulary: vocabularyOf(manifest, covered.constants),
    ...target.standing(),
    slice: MODULE_SLICE,
    params: (set) => target.params(set),
    setOf: (values) => target.setOf(values),
    sites: covered.sites,
    reached: () => reachOf(module.file, module.fuelled, covered.sites, target.instance.reached()),
  };
}

async function coreSubject({ recordsMax, mode }: Job): Promise<Subject> {
  const target = await coreTarget(mode === "minimize", undefined, mode === "coverage");
  const { core } = target;
  return {
    target,
    origin: { name: "core", version: "", wasmSha256: "", paramNames: 0 },
    vocabulary: (random) => new CoreChanger(random, recordsMax),
    usable: [0],
    findings: [],
    slice: CORE_SLICE,
    params: () => [],
    setOf: () => 0,
    sites: core.covered.sites,
    reached: () => reachOf(core.file, core.file, core.covered.sites, core.reached()),
  };
}
