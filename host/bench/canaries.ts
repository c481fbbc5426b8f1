// SPDX-License-Identifier: MIT
//
// How long the fuzzer needs for each canary, over several seeds, and libFuzzer for the same module compiled to C. One
// process at a time; seconds are processor time. Each hunt is a line of a file as soon as it is over, and is not made
// again by the same command: what was interrupted goes on.

import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { canaryCore, canaryModule } from "../fuzz/canaries/build.js";
import { type Hunt, huntCore, huntModule } from "../fuzz/canaries/hunt.js";
import { type Canary, CORE_CANARIES, MODULE_CANARIES } from "../fuzz/canaries/list.js";
import { buildPeer, huntPeer, type Peer, peerLacks } from "../fuzz/canaries/peer.js";
import { inProject } from "../pipeline/paths.js";
import type { Bytes } from "../pipeline/store.js";
import type { Wish } from "./latency.js";

export interface CanaryOptions {
  /** 1 to this, for each canary. */
  seeds: number;
  peerSeeds: number;
  /** Of processor time, for each hunt. */
  seconds: number;
  peerSeconds: number;
  /** Only canaries whose name contains it. */
  match?: string | undefined;
  /** Forget what was measured before. */
  fresh?: boolean | undefined;
  /** Where hunts are kept. */
  folder?: string;
}

type Who = "glovebox" | "libfuzzer";

export interface Measured extends Hunt {
  canary: string;
  who: Who;
  seed: number;
  /** The limit. */
  seconds: number;
  commit: string;
}

export interface CanaryRow {
  canary: string;
  ours: Measured[];
  /** Or why the peer cannot have it. */
  peer: Measured[] | string;
}

export interface CanaryReport {
  seconds: number;
  rows: CanaryRow[];
  wishes: Wish[];
}

const FOLDER = inProject("build/canaries");
const RESULTS = "hunts.jsonl";
/** So many executions nobody makes within the time. */
const EXECUTIONS = Number.MAX_SAFE_INTEGER;

export async function measureCanaries(
  options: CanaryOptions,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<CanaryReport> {
  const { match = "", fresh, folder = FOLDER } = options;
  mkdirSync(folder, { recursive: true });
  if (fresh) rmSync(join(folder, RESULTS), { force: true });
  const canaries = [...MODULE_CANARIES, ...CORE_CANARIES].filter((one) => one.name.includes(match));
  if (canaries.length === 0) throw new Error(`no canary's name contains "${match}"`);
  const hunts = new Hunts(options, folder, signal, say);
  const rows: CanaryRow[] = [];
  for (const one of canaries) rows.push(await hunts.row(one));
  return { seconds: options.seconds, rows, wishes: wishesOf(rows, options.seconds) };
}

class Hunts {
  private readonly known: Measured[];
  private readonly commit = commitOf();

  constructor(
    private readonly options: CanaryOptions,
    private readonly folder: string,
    private readonly signal: AbortSignal,
    private readonly say: (text: string) => void,
  ) {
    const path = join(folder, RESULTS);
    this.known = existsSync(path) ? linesOf(readFileSync(path, "utf8")) : [];
  }

  async row(canary: Canary): Promise<CanaryRow> {
    const { seeds, peerSeeds, seconds, peerSeconds } = this.options;
    const limits = { executions: EXECUTIONS, cpuSeconds: seconds };
    let file: Bytes | undefined;
    let peer: Peer | undefined;
    const build = async (): Promise<Bytes> => {
      file ??= "file" in canary ? await canaryCore(canary) : await canaryModule(canary);
      return file;
    };
    const hunt = "file" in canary ? huntCore : huntModule;
    const ours = await this.hunts(canary, { who: "glovebox", seeds, seconds }, async (seed) =>
      hunt(await build(), seed, limits, this.signal),
    );
    const lacks = peerLacks(canary);
    if (lacks !== undefined) return { canary: canary.name, ours, peer: lacks };
    const other = { who: "libfuzzer", seeds: peerSeeds, seconds: peerSeconds } as const;
    const theirs = await this.hunts(canary, other, async (seed) => {
      peer ??= await buildPeer(await build(), join(this.folder, "peer"));
      return huntPeer(peer, seed, peerSeconds);
    });
    return { canary: canary.name, ours, peer: theirs };
  }

  /** Those of before, and those that are missing. */
  private async hunts(
    { name }: Canary,
    { who, seeds, seconds }: { who: Who; seeds: number; seconds: number },
    hunt: (seed: number) => Promise<Hunt>,
  ): Promise<Measured[]> {
    const all: Measured[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const known = this.known.find((one) => {
        return one.canary === name && one.who === who && one.seed === seed && tells(one, seconds);
      });
      if (known === undefined) {
        this.say(`${name}: ${who}, seed ${seed} of ${seeds}`);
        const measured = { canary: name, who, seed, seconds, commit: this.commit, ...(await hunt(seed)) };
        this.signal.throwIfAborted(); // a peer that was interrupted found nothing, which says nothing
        appendFileSync(join(this.folder, RESULTS), `${JSON.stringify(measured)}\n`);
        all.push(measured);
      } else all.push(known);
    }
    return all;
  }
}

/** A hunt under another limit is as good when it found something within this one, or nothing within a longer one. */
function tells(one: Measured, seconds: number): boolean {
  return one.story === undefined ? one.seconds >= seconds : one.cpuSeconds <= seconds;
}

/** A line that was cut off is one that was not measured. */
function linesOf(text: string): Measured[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as Measured];
    } catch {
      return [];
    }
  });
}

function commitOf(): string {
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: inProject(), encoding: "utf8" }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
    return `${git("rev-parse", "--short", "HEAD")}${changed ? "+" : ""}`;
  } catch {
    return "unknown";
  }
}

function wishesOf(rows: readonly CanaryRow[], seconds: number): Wish[] {
  const ours = rows.flatMap((row) => row.ours);
  const missed = ours.filter((one) => one.story === undefined);
  const slowest = Math.max(...ours.map((one) => one.cpuSeconds));
  return [
    { what: "hunts that found nothing", got: missed.length, limit: 0, unit: "", met: missed.length === 0 },
    { what: "the slowest hunt", got: slowest, limit: seconds, unit: "s", met: slowest <= seconds },
  ];
}

// --- sums ---

export interface Summary {
  found: number;
  of: number;
  /** Infinity: more than half of them found nothing. */
  executions: number;
  cpuSeconds: number;
  worst: number;
  /** Of processor time; the shortest limit of those that found nothing. */
  limit: number;
}

export function summaryOf(measured: readonly Measured[]): Summary {
  const found = measured.filter((one) => one.story !== undefined);
  const all = (what: (one: Measured) => number): number[] =>
    measured.map((one) => (one.story === undefined ? Number.POSITIVE_INFINITY : what(one))).sort((a, b) => a - b);
  const middle = measured.length >> 1;
  return {
    found: found.length,
    of: measured.length,
    executions: all((one) => one.executions)[middle] ?? Number.NaN,
    cpuSeconds: all((one) => one.cpuSeconds)[middle] ?? Number.NaN,
    worst: all((one) => one.cpuSeconds).at(-1) ?? Number.NaN,
    limit: Math.min(...measured.filter((one) => one.story === undefined).map((one) => one.seconds)),
  };
}
