// SPDX-License-Identifier: MIT
//
// `glovebox test`: the checks, then every test/**/*.test.ts, each bundled and run as a process of its own. Those that
// boot a machine come last, two at a time: an emulated machine keeps one processor busy. uvu prints per file what
// passed, told when the file is through; the sum is the last line.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { BUILD, fromRoot } from "../lab/paths.js";
import { build } from "./build.js";
import { UserError } from "./exit.js";
import { runChecks } from "./lint.js";

/** Tests in these folders boot a machine, but for those in a folder `unit` there. */
const MACHINE = /^test\/(lab|xen)\/(?!unit\/)/;
const MACHINES_AT_A_TIME = 2;
const FILE_TIMEOUT_MS = 1_800_000;

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

export async function test(options: { unit?: boolean; only?: string }, signal: AbortSignal): Promise<void> {
  const files = testFiles(options);
  if (files.length === 0) throw new UserError(`no test file's path contains "${options.only}"`);
  const sum: Count = { passed: 0, failed: 0, skipped: 0 };
  if (options.only === undefined) add(sum, { ...(await runChecks({})), skipped: 0 });
  const bundles = await prepare(files);
  signal.throwIfAborted();
  if (bundles.length === 0) sum.failed++;
  const machines = bundles.length === 0 ? 0 : files.filter(bootsMachine).length;
  const rest = bundles.length - machines;
  await runRange(files, bundles, [0, rest], 1, sum, signal);
  await runRange(files, bundles, [rest, bundles.length], MACHINES_AT_A_TIME, sum, signal);
  signal.throwIfAborted();
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
  process.stdout.write(`\n${sum.passed} passed, ${sum.failed} failed${skipped}\n`);
  if (sum.failed > 0) process.exitCode = 1;
}

/** The files from..to, so many at a time; each one's output is printed whole. */
async function runRange(
  files: readonly string[],
  bundles: readonly string[],
  [from, to]: readonly [number, number],
  atATime: number,
  sum: Count,
  signal: AbortSignal,
): Promise<void> {
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to && !signal.aborted) {
      const index = next++;
      const { text, count } = await runFile(bundles[index] as string, signal);
      process.stdout.write(`\n${files[index]}\n${text}`);
      add(sum, count);
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}

/** What the tests run: the build and the bundles; empty, with the reason on stdout, when there is nothing to run. */
async function prepare(files: readonly string[]): Promise<string[]> {
  try {
    await build();
    return await bundle(files);
  } catch (error) {
    process.stdout.write(`\nFAIL  build\n${error instanceof Error ? error.message : error}\n`);
    return [];
  }
}

function bootsMachine(file: string): boolean {
  return MACHINE.test(file);
}

function add(sum: Count, more: Count): void {
  sum.passed += more.passed;
  sum.failed += more.failed;
  sum.skipped += more.skipped;
}

function testFiles(options: { unit?: boolean; only?: string }): string[] {
  const all = readdirSync(fromRoot("test"), { recursive: true, encoding: "utf8" }).filter((f) =>
    f.endsWith(".test.ts"),
  );
  const boots = (file: string): boolean => bootsMachine(`test/${file}`);
  const wanted = all.sort().filter((file) => options.only === undefined || `test/${file}`.includes(options.only));
  const machine = options.unit ? [] : wanted.filter(boots);
  return [...wanted.filter((file) => !boots(file)), ...machine].map((file) => `test/${file}`);
}

/** Everything but the npm packages goes into the bundle, so that a test imports the sources as they are. */
async function bundle(files: readonly string[]): Promise<string[]> {
  const esbuild = await import("esbuild");
  const outdir = join(BUILD, "test");
  mkdirSync(outdir, { recursive: true });
  await esbuild.build({
    entryPoints: files.map((file) => fromRoot(file)),
    outdir,
    outbase: fromRoot("test"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    loader: { ".sh": "text" },
    sourcemap: "inline",
    logLevel: "error",
  });
  return files.map((file) => join(outdir, file.slice("test/".length).replace(/\.ts$/, ".mjs")));
}

async function runFile(path: string, signal: AbortSignal): Promise<{ text: string; count: Count }> {
  if (!existsSync(path)) throw new Error(`${path}: esbuild did not write it`);
  const child = spawn(process.execPath, ["--enable-source-maps", path], {
    cwd: fromRoot(),
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, FORCE_COLOR: "0" },
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const end = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", end);
  const timer = setTimeout(end, FILE_TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
  return { text, count: countOf(text, code) };
}

/** uvu's own last lines; a file that ended badly without a failed test of its own counts as one. */
export function countOf(text: string, code: number | null): Count {
  const figures = /^ {2}Total:\s+(\d+)\n {2}Passed:\s+(\d+)\n {2}Skipped:\s+(\d+)/m.exec(text);
  const [total = 0, passed = 0, skipped = 0] = (figures ?? []).slice(1).map(Number);
  const failed = total - passed;
  return { passed, skipped, failed: failed === 0 && (code !== 0 || figures === null) ? 1 : failed };
}
