// SPDX-License-Identifier: MIT
//
// gbctl on a Xen that is only played (fake/world.h): builds it with the doubles of Xen's libraries under ASan and
// UBSan, gives each run a folder of its own, and tells what is left of the world afterwards.

import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUILD, fromRoot } from "../../host/lab/paths.js";

const OUT = join(BUILD, "test-gbctl");
const WARN = ["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror"];
const SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const PLACES = ['-DGBCTL_CAPABILITIES="capabilities"', '-DGBCTL_LOCK="gbctl.lock"'];
const RUN_TIMEOUT_MS = 60_000;
const PREPROCESSED_BYTES_MAX = 64 << 20;

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
  /** Names of the domains that are left, and their allowance in KiB. */
  domains: Map<string, number>;
  /** xenstore's nodes at the end. */
  nodes: Map<string, string>;
  maps: number;
  watches: number;
  /** Domains that somebody paused and did not unpause. */
  paused: string[];
  dir: string;
}

export interface RunOptions {
  scenario?: string;
  files?: Record<string, string>;
  /** Sends SIGINT as soon as this stands on stderr. */
  interruptAt?: string;
  /** Words before gbctl, e.g. a shell that sets limits. */
  shell?: string;
  /** No /proc/xen/capabilities at all, or other contents. */
  capabilities?: string | null;
}

function sources(): string[] {
  const dir = fromRoot("native/dom0/gbctl");
  const own = readdirSync(dir).filter((name) => name.endsWith(".c") && name !== "xl.c");
  return own.map((name) => join(dir, name));
}

/** The program under test. Each test file asks for it; it is compiled when what the compiler reads has changed. */
export function buildFake(): void {
  mkdirSync(OUT, { recursive: true });
  const target = join(OUT, "gbctl");
  const fake = fromRoot("test/gbctl/fake");
  const doubles = readdirSync(fake)
    .filter((name) => name.endsWith(".c"))
    .map((name) => join(fake, name));
  const words = [...WARN, ...SANITIZE, ...PLACES, ...sources(), ...doubles];
  const read = execFileSync("gcc", ["-E", ...words], { maxBuffer: PREPROCESSED_BYTES_MAX });
  const key = createHash("sha256").update(words.join("\0")).update(read).digest("hex");
  const mark = `${target}.sha256`;
  if (existsSync(target) && existsSync(mark) && readFileSync(mark, "utf8") === key) return;
  const partial = `${target}.${process.pid}`;
  execFileSync("gcc", [...words, "-o", partial, "-lpng16", "-lz"]);
  renameSync(partial, target); // another test file may be running the one before
  writeFileSync(mark, key);
}

/** units.c with the real xl.c; answers its output. */
export function runUnits(): string {
  mkdirSync(OUT, { recursive: true });
  const target = join(OUT, "units");
  const files = ["xl.c", "text.c", "json.c", "words.c", "clock.c", "top_share.c"].map((name) =>
    fromRoot("native/dom0/gbctl", name),
  );
  execFileSync("gcc", [...WARN, ...SANITIZE, fromRoot("test/gbctl/units.c"), ...files, "-o", target]);
  return execFileSync(target, { timeout: RUN_TIMEOUT_MS }).toString();
}

export function gbctl(args: string[], options: RunOptions = {}): Promise<Run> {
  const dir = mkdtempSync(join(tmpdir(), "gbctl-"));
  writeFileSync(join(dir, "scenario"), options.scenario ?? "domain 0 Domain-0 pv 1048576\n");
  if (options.capabilities !== null) writeFileSync(join(dir, "capabilities"), options.capabilities ?? "control_d\n");
  for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(dir, name), text);
  const program = join(OUT, "gbctl");
  const words = options.shell === undefined ? [program, ...args] : ["sh", "-c", options.shell, program, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(words[0] as string, words.slice(1), {
      cwd: dir,
      env: { ...process.env, GBCTL_FAKE: "scenario" },
      timeout: RUN_TIMEOUT_MS,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("latin1");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("latin1");
      if (options.interruptAt !== undefined && stderr.includes(options.interruptAt)) child.kill("SIGINT");
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr, ...readLeft(dir), dir }));
  });
}

function readLeft(dir: string): Pick<Run, "domains" | "nodes" | "maps" | "watches" | "paused"> {
  const path = join(dir, "left");
  const left = {
    domains: new Map<string, number>(),
    nodes: new Map<string, string>(),
    maps: 0,
    watches: 0,
    paused: [] as string[],
  };
  for (const line of existsSync(path) ? readFileSync(path, "latin1").split("\n") : []) {
    const [kind = "", first = "", second = ""] = line.split(" ");
    if (kind === "domain") left.domains.set(second, Number(/max=(\d+)/.exec(line)?.[1]));
    if (kind === "node") left.nodes.set(first, line.slice(kind.length + first.length + 2));
    if (kind === "paused") left.paused.push(first);
    if (kind === "maps") left.maps = Number(first);
    if (kind === "watches") left.watches = Number(first);
  }
  return left;
}

export function cleanUp(run: Run): void {
  rmSync(run.dir, { recursive: true, force: true });
}
