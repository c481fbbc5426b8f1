// SPDX-License-Identifier: MIT
//
// The table of many vGPUs: trapped accesses in thousands of instructions when one driver domain serves 1, 8, 32 and as
// many vGPUs as it has room for, and what it does when all of them are idle. One run of the machine under -icount with
// FLASK, where one domain may serve many guests.

import { runScenario, type ScenarioOptions } from "../lab/scenario.js";
import { guestKernelOptions, Said } from "../lab/scenarios/guest-kernel.js";
import { GUEST_LABEL } from "../lab/scenarios/guests.js";
import { NS_PER_INSTRUCTION, type Wish } from "./latency.js";
import dom0Script from "./many.sh";
import { KINDS, type Kind } from "./measure.js";
import { figure, table, wishText } from "./table.js";

/** native/include/shim.h: SHIM_INSTANCES_MAX. */
const MOST = 64;
const STEPS = [1, 8, 32, MOST];
const MAX_OF_LEAST = 1.2;
const TIMEOUT_MS = 1_800_000;

type Costs = Record<Kind, number>;

export interface ManyRow {
  vgpus: number;
  /** Whose accesses were measured: the first vGPU's of the first guest, or the last one's of the last guest. */
  who: "first" | "last";
  kiloInstructions: Costs;
}

export interface ManyReport {
  rows: ManyRow[];
  /** What the domain says when one more is asked for. */
  refused: string;
  /** Events and blocks of the domain in ten seconds in which no guest did anything, less those of being asked. */
  idleEvents: number;
  idleBlocks: number;
  wishes: Wish[];
}

export function manyScenario(): ScenarioOptions {
  const options = guestKernelOptions({
    name: "bench-many",
    script: `GUEST_LABEL=${GUEST_LABEL}\nMOST=${MOST}\n${dom0Script}`,
    timeoutMs: TIMEOUT_MS,
    machine: { cpus: 1, instructionNs: 2 },
  });
  return { ...options, xen: "flask" };
}

export async function measureMany(signal: AbortSignal, say: (text: string) => void): Promise<ManyReport> {
  const result = await runScenario({ ...manyScenario(), signal, onProgress: say });
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}\nlogs: ${result.dir}`);
  return readMany(new Said(result));
}

export function readMany(said: Said): ManyReport {
  const whos = (vgpus: number): ManyRow["who"][] => (vgpus === 1 ? ["first"] : ["first", "last"]);
  const rows = STEPS.flatMap((vgpus) =>
    whos(vgpus).map((who) => ({ vgpus, who, kiloInstructions: costs(said, `${vgpus}-${who}`) })),
  );
  // between the first two looks nothing was but the looking, between the last two ten seconds more
  const moved = (name: string): number => {
    const [look, before, after] = ["before-look", "before-idle", "after-idle"].map((when) =>
      Number(said.json(`figures-${when}`)[name]),
    ) as [number, number, number];
    return after - before - (before - look);
  };
  const report = {
    ...{ rows, refused: said.err("more").trim() },
    ...{ idleEvents: moved("events"), idleBlocks: moved("blocks") },
  };
  return { ...report, wishes: wishes(report) };
}

function costs(said: Said, label: string): Costs {
  const clock = said.value(`${label}-clock`);
  const cost = (kind: Kind): number => Number(said.value(`${label}-${kind}`) - clock) / NS_PER_INSTRUCTION / 1000;
  return Object.fromEntries(KINDS.map((kind) => [kind, cost(kind)])) as Costs;
}

function wishes({ rows, idleEvents, idleBlocks }: Omit<ManyReport, "wishes">): Wish[] {
  const wish = (what: string, got: number, limit: number, unit: string): Wish => ({
    ...{ what, got, limit, unit },
    met: got <= limit,
  });
  const spread = (kind: Kind): number => {
    const all = rows.map(({ kiloInstructions }) => kiloInstructions[kind]);
    return Math.max(...all) / Math.min(...all);
  };
  return [
    ...KINDS.map((kind) => wish(`${kind}, the dearest against the cheapest`, spread(kind), MAX_OF_LEAST, "times")),
    wish("events in ten idle seconds", idleEvents, 0, "events"),
    wish("blocks in ten idle seconds", idleBlocks, 0, "blocks"),
  ];
}

export function manyText({ rows, refused, wishes }: ManyReport): string {
  const cells = rows.map(({ vgpus, who, kiloInstructions }) => [
    `${vgpus}, at the ${who}`,
    ...KINDS.map((kind) => figure(kiloInstructions[kind])),
  ]);
  return [
    "Traps with many vGPUs on one domain, thousand instructions there and back (median of 1000, -icount)",
    ...table(["vGPUs", "MMIO read", "MMIO write", "port in", "port out"], cells),
    `one more: ${refused}`,
    "",
    ...wishes.map(wishText),
    "",
  ].join("\n");
}
