// SPDX-License-Identifier: MIT
//
// `glovebox rig`: the C that is made of a module, or the C that parses what somebody else wrote (--parser), under
// clang's sanitizers and libFuzzer. Exit code 1 when something was found.

import { basename, join } from "node:path";
import { PARSERS_FOLDER, runParser } from "../fuzz/native/parser-run.js";
import { type Parser, parsers } from "../fuzz/native/parsers.js";
import { rigSession } from "../fuzz/native/rig-session.js";
import { SessionError } from "../fuzz/session.js";
import { FolderError } from "../fuzz/store.js";
import { PipelineError } from "../pipeline/index.js";
import { inProject } from "../pipeline/paths.js";
import { UserError } from "./exit.js";
import { fileOf } from "./fuzz.js";
import { print, printJson, subjectOf } from "./module-file.js";

export interface RigOptions {
  parser?: string;
  corpus?: string;
  time?: number;
  runs?: number;
  seed?: number;
  force?: boolean;
  json?: boolean;
}

const EXIT_USAGE = 2;
const TIME_DEFAULT = 60;

/** Seconds or runs, as they were given; a minute when neither was. */
export function bounds({ time, runs }: RigOptions): { seconds: number | undefined; runs: number | undefined } {
  return { seconds: time ?? (runs === undefined ? TIME_DEFAULT : undefined), runs };
}

/** One target, or all of them one after the other; each has the whole time. */
export async function rigParsers(name: string, options: RigOptions, signal: AbortSignal): Promise<void> {
  const all = parsers();
  const chosen = name === "all" ? all : all.filter((one) => one.name === name);
  const names = all.map((one) => one.name).join(", ");
  if (chosen.length === 0) throw new UserError(`no parser "${name}"; there are: all, ${names}`, EXIT_USAGE);
  const rows = [];
  for (const parser of chosen) {
    signal.throwIfAborted();
    rows.push(await one(parser, options, signal));
  }
  if (options.json) printJson(rows);
  const found = rows.filter((row) => row.story !== undefined);
  if (found.length > 0) throw new UserError(`${found.map((row) => row.parser).join(", ")}: ${found.length} findings`);
}

async function one(parser: Parser, options: RigOptions, signal: AbortSignal) {
  const report = await runParser(parser, {
    folder: inProject(PARSERS_FOLDER, parser.name),
    corpus: join(options.corpus ?? "fuzz-parsers", parser.name),
    seed: options.seed ?? 1,
    ...bounds(options),
    signal,
  });
  const { runs, edges, features, corpus, seconds, story, artifact } = report;
  if (!options.json) {
    print(`${parser.name}: ${parser.about}`);
    print(`  ${runs} runs in ${seconds.toFixed(0)} s, ${edges} edges, ${features} features, ${corpus} inputs kept`);
    if (story !== undefined) print(`  FOUND ${story}\n  ${artifact ?? "its input is not known"}`);
  }
  return { parser: parser.name, ...report };
}

/** The corpus of `glovebox fuzz` through the module's C. */
export async function rigModule(path: string, options: RigOptions, signal: AbortSignal): Promise<void> {
  const subject = subjectOf(path);
  const name = basename(subject).replace(/\.wasm$/, "");
  const file = await fileOf(path);
  const corpus = options.corpus ?? `fuzz-${name}`;
  try {
    const report = await rigSession({
      subject,
      file,
      corpus,
      folder: inProject("build/rig", name),
      force: options.force ?? false,
      seed: options.seed ?? 1,
      ...bounds(options),
      signal,
    });
    const { module, replayed, refused, made, added, fuzzer, finds } = report;
    if (options.json) printJson(report);
    else {
      for (const reason of refused) print(`left out: ${reason}`);
      print(`${module}: ${replayed} traces of ${corpus} compared on V8 and in C with the shim`);
      print(`  libFuzzer: ${fuzzer.runs} runs in ${fuzzer.seconds.toFixed(0)} s, ${fuzzer.edges} edges of the C`);
      print(`  ${made} new inputs compared, ${added} of them added to ${corpus}`);
      for (const find of finds) print(`  FOUND ${find.story}\n  ${find.path}`);
    }
    if (finds.length > 0) throw new UserError(`${module}: ${finds.length} findings`);
  } catch (error) {
    const isTheirs = [SessionError, PipelineError, FolderError].some((kind) => error instanceof kind);
    throw isTheirs ? new UserError((error as Error).message, EXIT_USAGE) : error;
  }
}
