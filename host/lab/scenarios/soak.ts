// SPDX-License-Identifier: MIT
//
// The soak (soak.sh, test/guest-kernel/soak.c): seeded random accesses against a model in the guest, while Dom0 looks
// on: counters only grow, pictures have a checksum or a reason, and the books are equal afterwards.
// With `icount` time is counted in instructions and idle time is skipped, so ten minutes pass in a few.

import type { ScenarioOptions, ScenarioResult } from "../scenario.js";
import { type Books, linesOf, newNodes, readBooks } from "./books.js";
import { guestKernelOptions, Said } from "./guest-kernel.js";
import dom0Script from "./soak.sh";

export interface SoakOptions {
  seed: number;
  /** Of the guest's time. */
  seconds: number;
  icount: boolean;
}

const DEFAULTS: SoakOptions = { seed: 1, seconds: 600, icount: true };
/** Mean pause between two operations, where idle time costs nothing. */
const IDLE_US = 4000;
/** Between two looks from Dom0. */
const PERIOD_SECONDS = 5;

export function soak(asked: Partial<SoakOptions> = {}): ScenarioOptions {
  const { seed, seconds, icount } = { ...DEFAULTS, ...asked };
  const variables = {
    SEED: seed,
    MS: Math.round(seconds * 1000),
    IDLE_US: icount ? IDLE_US : 0,
    PERIOD: icount ? PERIOD_SECONDS : 1,
  };
  const head = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  return guestKernelOptions({
    name: "soak",
    script: head.join("") + dom0Script,
    timeoutMs: 600_000 + seconds * 4000,
    machine: { instructionNs: icount ? 2 : undefined },
  });
}

type Figures = Record<string, number | string>;

export interface SoakReport {
  seed: number;
  milliseconds: number;
  operations: number;
  interrupts: number;
  /** How often Dom0 looked, and how many of its checksums came. */
  rounds: number;
  pictures: number;
  file: Figures;
  display: Figures;
  domain: Figures;
  before: Books;
  after: Books;
  faults: string[];
}

const COUNTERS =
  /^(traps|mmio_|pio_|config_|fuel_used|irqs|refused|guest_traps|invalidates|reps|unclaimed|guest_refused|events)/;

export function readSoak(result: ScenarioResult): SoakReport {
  const said = new Said(result);
  const guest = [...said.log("soaker").matchAll(/^SOAK seed (\d+) ms (\d+) operations (\d+) interrupts (\d+)$/gm)].at(
    -1,
  );
  const figures = (name: string): Figures[] => linesOf(said.text(name)).map((line) => JSON.parse(line) as Figures);
  const pictures = linesOf(said.text("crc")).filter((line) => "crc32" in (JSON.parse(line) as Figures)).length;
  const [file, display, domain] = [figures("stat-0"), figures("stat-1"), figures("stat-domain")];
  const [seed = 0, milliseconds = 0, operations = 0, interrupts = 0] = (guest ?? []).slice(1).map(Number);
  return {
    ...{ seed, milliseconds, operations, interrupts, rounds: Number(said.text("rounds")), pictures },
    ...{ file: file.at(-1) ?? {}, display: display.at(-1) ?? {}, domain: domain.at(-1) ?? {} },
    ...{ before: readBooks(said, "before"), after: readBooks(said, "after") },
    faults: [
      ...guestFaults(said),
      ...shrinking("register file", file),
      ...shrinking("display", display),
      ...shrinking("driver domain", domain),
      ...linesOf(said.text("wrong")),
      ...strangeRefusals(said),
      ...bookFaults(said),
    ],
  };
}

function guestFaults(said: Said): string[] {
  const fault: string[] = said.log("soaker").match(/^(SOAK .* wanted|KERNEL fault).*$/gm) ?? [];
  if (!/ok soak/.test(said.answer("soak"))) fault.push(`the guest answered: ${said.answer("soak")}`);
  return fault;
}

function shrinking(who: string, series: Figures[]): string[] {
  const faults: string[] = [];
  if (series.length === 0) faults.push(`${who}: no figures`);
  for (const [i, now] of series.entries()) {
    const before = series[i - 1] ?? {};
    if ("state" in now && now.state !== "ready") faults.push(`${who}: ${now.state}`);
    for (const key of Object.keys(now).filter((name) => COUNTERS.test(name))) {
      if (Number(now[key]) < Number(before[key] ?? 0)) faults.push(`${who}: ${key} fell to ${now[key]}`);
    }
  }
  return faults;
}

/** A picture may be off, or change under the reader. Nothing else is a reason to have none. */
function strangeRefusals(said: Said): string[] {
  const told = linesOf(said.text("crc-refused")).filter((line) => line.startsWith("gbctl:"));
  return told.filter((line) => !/scanout (off|changed)/.test(line));
}

function bookFaults(said: Said): string[] {
  const [before, after] = [readBooks(said, "before"), readBooks(said, "after")];
  const keys = (Object.keys(before) as (keyof Books)[]).filter((key) => before[key] !== after[key]);
  const faults = keys.map((key) => `${key}: ${before[key]} before, ${after[key]} after`);
  return [...faults, ...newNodes(said, "before", "after").map((node) => `new in xenstore: ${node}`)];
}
