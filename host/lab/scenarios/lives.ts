// SPDX-License-Identifier: MIT
//
// Lives (lives.sh): what is left when many guests have come and gone, in Xen, in xenstore and in the driver domain. The
// books are read from Xen's debug keys e, g, q and u.

import type { ScenarioOptions, ScenarioResult } from "../scenario.js";
import { guestKernelOptions, Said } from "./guest-kernel.js";
import dom0Script from "./lives.sh";

export const LIVES = 200;
export const CYCLES = 200;
/** Five seconds a life and one a cycle, on a machine that is busy. */
const TIMEOUT_MS = 120_000;

export function lives(count = LIVES, cycles = CYCLES): ScenarioOptions {
  return guestKernelOptions({
    name: "lives",
    script: `LIVES=${count}\nCYCLES=${cycles}\n${dom0Script}`,
    timeoutMs: TIMEOUT_MS + count * 8000 + cycles * 1500,
  });
}

/** What is counted, of the whole machine. */
export interface Books {
  domains: number;
  freePages: number;
  /** Of all domains together. */
  domainPages: number;
  eventChannels: number;
  grants: number;
  maptrackFrames: number;
  ioreqServers: number;
  storeNodes: number;
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
  const times = lines(said.text("lives")).map((line) => line.split(" ").map(Number));
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
      nodes: difference(lines(said.text(`${name}-before.store`)), lines(said.text(`${name}-after.store`))),
    })),
    domain: {
      before: said.json("cycles-before-stat") as Record<string, number>,
      after: said.json("cycles-after-stat") as Record<string, number>,
    },
  };
}

const round = (seconds: number): number => Math.round(seconds * 100) / 100;
const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

function difference(before: string[], after: string[]): string[] {
  const known = new Set(before);
  return after.filter((node) => !known.has(node));
}

function readBooks(said: Said, name: string): Books {
  const xen = said.text(`${name}.xen`);
  const sum = (pattern: RegExp): number => [...xen.matchAll(pattern)].reduce((all, one) => all + Number(one[1]), 0);
  const count = (pattern: RegExp): number => [...xen.matchAll(pattern)].length;
  const domains = count(/General information for domain \d+:/g);
  if (domains === 0 || !/free->\d+/.test(xen)) throw new Error(`${name}: Xen's books are not there:\n${xen}`);
  return {
    domains,
    freePages: sum(/NODE\d+ start->\d+ size->\d+ free->(\d+)/g),
    domainPages: sum(/nr_pages=(\d+)/g),
    eventChannels: count(/^\(XEN\) +\d+ \[\d+\/\d+\//gm),
    grants: count(/^\(XEN\) \[0x[0-9a-f]+\]/gm),
    maptrackFrames: sum(/(\d+) maptrack frames/g),
    ioreqServers: count(/ioreq_server \d+ pci/g),
    storeNodes: lines(said.text(`${name}.store`)).length,
  };
}
