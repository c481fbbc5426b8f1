// SPDX-License-Identifier: MIT
//
// `glovebox test`: the checks, then every test/**/*.test.ts, each bundled and run as a process of its own, two at a
// time: each keeps one processor busy, as does an emulated machine. Those that boot one come last. uvu prints per file
// what passed, told when the file is through; what failed, and the sum, are the last lines.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { BUILD, fromRoot } from "../lab/paths.js";
import { build } from "./build.js";
import { UserError } from "./exit.js";
import { runChecks } from "./lint.js";
import { countOf, failuresOf, type Ran, summary } from "./tally.js";

/** Tests in these folders boot a machine, but for those in a folder `unit` there. */
const MACHINE = /^test\/(lab|xen)\/(?!unit\/)/;
const FILES_AT_A_TIME = 2;
const FILE_TIMEOUT_MS = 1_800_000;

export async function test(options: { unit?: boolean; only?: string }, signal: AbortSignal): Promise<void> {
  const files = testFiles(options);
  if (files.length === 0) throw new UserError(`no test file's path contains "${options.only}"`);
  const ran: Ran[] = [];
  if (options.only === undefined) ran.push(await checks());
  const bundles = await prepare(files);
  signal.throwIfAborted();
  if (bundles.length === 0) ran.push(result("build", { passed: 0, failed: 1, skipped: 0 }));
  await runAll(files, bundles, ran, signal);
  signal.throwIfAborted();
  process.stdout.write(`\n${summary(ran)}`);
  if (ran.some(({ count }) => count.failed > 0)) process.exitCode = 1;
}

async function checks(): Promise<Ran> {
  const begun = Date.now();
  const count = await runChecks({});
  return { ...result("checks", { ...count, skipped: 0 }), seconds: (Date.now() - begun) / 1000 };
}

function result(name: string, count: Ran["count"]): Ran {
  return { name, count, failures: [], seconds: 0 };
}

/** In their order; each one's output is printed whole. */
async function runAll(
  files: readonly string[],
  bundles: readonly string[],
  ran: Ran[],
  signal: AbortSignal,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < bundles.length && !signal.aborted) {
      const index = next++;
      const name = files[index] as string;
      const begun = Date.now();
      const { text, code } = await runFile(bundles[index] as string, signal);
      process.stdout.write(`\n${name}\n${text}`);
      const seconds = (Date.now() - begun) / 1000;
      ran.push({ name, count: countOf(text, code), failures: failuresOf(text), seconds });
    }
  };
  await Promise.all(Array.from({ length: FILES_AT_A_TIME }, worker));
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

async function runFile(path: string, signal: AbortSignal): Promise<{ text: string; code: number | null }> {
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
  return { text, code };
}
