// SPDX-License-Identifier: MIT
//
// The peer's hunt: libFuzzer with AddressSanitizer and value profile on the canary's C (../rig.ts), which aborts on
// every fault, out of fuel among them. It gets our mutator for whole records (native/fuzz/records.c) and one record of
// each kind to begin with, so that it need not guess what an operation looks like. What it finds must be one on V8.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareModule } from "../../pipeline/module.js";
import type { Bytes } from "../../pipeline/store.js";
import { encodeRecords, KIND_CALL_EVENT, KIND_CALL_READ, KIND_CALL_WRITE, record } from "../../trace/index.js";
import { prepareFuzz } from "../module/prepare.js";
import { ModuleTarget } from "../module/target.js";
import { buildRig } from "../rig.js";
import { RECORD_WORDS } from "../target.js";
import { type Hunt, RECORDS } from "./hunt.js";
import type { Canary } from "./list.js";

/** Of its time: what it must have used when it found nothing. The system's count and the shell's differ a little. */
const PATIENCE = 0.9;
const RECORD_BYTES = RECORD_WORDS * 4;
const BEGINNING = [KIND_CALL_READ, KIND_CALL_WRITE, KIND_CALL_EVENT];

/** Why the peer cannot have it; undefined: it can. */
export function peerLacks(canary: Canary): string | undefined {
  if ("file" in canary) return "a core";
  if (canary.needsReset) return "a reset check";
  return canary.folder === "memory" ? "guest memory" : undefined;
}

export interface Peer {
  program: string;
  folder: string;
  target: ModuleTarget;
}

export async function buildPeer(file: Bytes, folder: string): Promise<Peer> {
  rmSync(folder, { recursive: true, force: true });
  const program = buildRig(await prepareModule("canary", file), folder, "records");
  const target = new ModuleTarget(await prepareFuzz("canary", file));
  target.standing();
  return { program, folder, target };
}

/** Ended by the system when its processor time is over, which is rounded up to whole seconds. */
export function huntPeer({ program, folder, target }: Peer, seed: number, cpuSeconds: number): Hunt {
  const [corpus, finds] = [join(folder, "corpus"), join(folder, "finds")];
  for (const one of [corpus, finds]) {
    rmSync(one, { recursive: true, force: true });
    mkdirSync(one);
  }
  for (const kind of BEGINNING) writeFileSync(join(corpus, `${kind}`), encodeRecords([record({ kind, size: 4 })]));
  const limit = `ulimit -t ${Math.ceil(cpuSeconds)}; TIMEFORMAT="cpu %U %S"; time "$@"`;
  const options = [`-seed=${seed}`, "-use_value_profile=1", `-max_len=${RECORDS * RECORD_BYTES}`, "-len_control=0"];
  const words = [program, ...options, "-print_final_stats=1", `-artifact_prefix=${finds}/`, corpus];
  const { stderr } = spawnSync("bash", ["-c", limit, "bash", ...words], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...process.env, ASAN_OPTIONS: "symbolize=0" },
  });
  const [, user, system] = /cpu ([\d.]+) ([\d.]+)\s*$/.exec(stderr) ?? [];
  if (user === undefined) throw new Error(`the peer did not run: ${stderr.slice(-400)}`);
  const hunt = { executions: executionsOf(stderr), cpuSeconds: Number(user) + Number(system) };
  const [find] = readdirSync(finds);
  if (find === undefined && hunt.cpuSeconds < cpuSeconds * PATIENCE) {
    throw new Error(`the peer ended after ${hunt.cpuSeconds} s without a find: ${stderr.slice(-400)}`);
  }
  return { ...hunt, story: find === undefined ? undefined : storyOn(target, readFileSync(join(finds, find))) };
}

/** Told at the end, or before that at each power of two. */
function executionsOf(said: string): number {
  const [, told] = /stat::number_of_executed_units:\s+(\d+)/.exec(said) ?? [];
  return Number(told ?? [...said.matchAll(/^#(\d+)\s/gm)].at(-1)?.[1] ?? 0);
}

function storyOn(target: ModuleTarget, input: Uint8Array): string {
  const records = Math.floor(input.length / RECORD_BYTES);
  target.input.set(new Int32Array(Uint8Array.from(input).buffer, 0, records * RECORD_WORDS));
  if (target.run(0, records) >= 0) throw new Error("the peer found what is none on V8: a bug of the rig");
  return target.finding().story;
}
