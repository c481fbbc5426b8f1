// SPDX-License-Identifier: MIT
//
// Lives (lives.sh): what is left when many guests have come and gone, in Xen, in xenstore and in the driver domain.

import type { ScenarioOptions, ScenarioResult } from "../scenario.js";
import { type Books, linesOf, newNodes, readBooks } from "./books.js";
import booksScript from "./books.sh";
import { guestKernelOptions, Said } from "./guest-kernel.js";
import dom0Script from "./lives.sh";

export const LIVES = 200;
export const CYCLES = 200;
/** Five seconds a life and one a cycle, on a machine that is busy. */
const TIMEOUT_MS = 600_000;

export function lives(count = LIVES, cycles = CYCLES): ScenarioOptions {
  return guestKernelOptions({
    name: "lives",
    script: `LIVES=${count}\nCYCLES=${cycles}\n${booksScript}${dom0Script}`,
    timeoutMs: TIMEOUT_MS + count * 8000 + cycles * 1500,
  });
}

export interface LivesReport {
  lives: number;
  cycles: number;
  /** Mean, in the machine's seconds. */
  createSeconds: number;
  useSeconds: number;
  endSeconds: number;
  cycleSeconds: number;
  books: { name: string; before: Books; after: Books; nodes: string[] }[];
  /** The driver domain's own figures around the cycles. */
  domain: { before: Record<string, number>; after: Record<string, number> };
}

export function readLives(result: ScenarioResult): LivesReport {
  const said = new Said(result);
  const times = linesOf(said.text("lives")).map((line) => line.split(" ").map(Number));
  const mean = (from: number, to: number): number =>
    round(times.reduce((sum, one) => sum + (one[to] as number) - (one[from] as number), 0) / times.length);
  const [begin = 0, end = 0] = said.text("cycles").split(" ").map(Number);
  const cycles = said.log("cycler").match(/^USED \d+$/gm)?.length ?? 0;
  return {
    lives: times.length,
    cycles: cycles - 1,
    createSeconds: mean(0, 1),
    useSeconds: mean(1, 2),
    endSeconds: mean(2, 3),
    cycleSeconds: round((end - begin) / Math.max(1, cycles - 1)),
    books: ["lives", "cycles"].map((name) => ({
      name,
      before: readBooks(said, `${name}-before`),
      after: readBooks(said, `${name}-after`),
      nodes: newNodes(said, `${name}-before`, `${name}-after`),
    })),
    domain: {
      before: said.json("cycles-before-stat") as Record<string, number>,
      after: said.json("cycles-after-stat") as Record<string, number>,
    },
  };
}

const round = (seconds: number): number => Math.round(seconds * 100) / 100;

/** What is wrong, in words; empty when nothing was left. */
export function judgeLives(report: LivesReport): string[] {
  const faults: string[] = [];
  for (const { name, before, after, nodes } of report.books) {
    for (const key of Object.keys(before) as (keyof Books)[]) {
      if (before[key] !== after[key]) faults.push(`${name}: ${key} ${before[key]} before, ${after[key]} after`);
    }
    if (nodes.length > 0) faults.push(`${name}: new in xenstore: ${nodes.slice(0, 8).join(" ")}`);
  }
  const { before, after } = report.domain;
  for (const key of ["arena_pages", "guests", "vgpus", "xenstore_dropped", "console_dropped", "memory_pages"]) {
    if (before[key] !== after[key]) faults.push(`driver domain: ${key} ${before[key]} before, ${after[key]} after`);
  }
  if (after.guests !== 0 || after.vgpus !== 0) faults.push(`driver domain: ${after.guests} guests are left`);
  return faults;
}
