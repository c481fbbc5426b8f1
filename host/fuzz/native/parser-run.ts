// SPDX-License-Identifier: MIT
//
// One target of parsers.ts, built and run: first its seeds and those kept in the tree, then libFuzzer goes on from
// there. The same seed and number of runs give the same inputs.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inProject } from "../../pipeline/paths.js";
import { buildProgram, type Change } from "./clang.js";
import { type FuzzerReport, runFuzzer } from "./libfuzzer.js";
import type { Parser } from "./parsers.js";

export interface ParserOptions {
  /** Scratch; what is found goes to `crashes` below `corpus`. */
  folder: string;
  /** Begin with its inputs too, and leave new ones there; without it nothing is kept. */
  corpus?: string | undefined;
  seed: number;
  runs?: number | undefined;
  seconds?: number | undefined;
  change?: Change;
  signal?: AbortSignal;
}

/** What is built to run them; relative to the project. */
export const PARSERS_FOLDER = "build/parsers";

/** Inputs of earlier campaigns, minimised, and whatever was found once. */
export const keptSeeds = (name: string): string => inProject("test/fuzz/parsers", name);

export async function runParser(parser: Parser, options: ParserOptions): Promise<FuzzerReport> {
  const { folder, corpus, seed, runs, seconds, change, signal } = options;
  const { name, sources, included = [], iquote } = parser;
  const program = await buildProgram(
    { name, main: "libfuzzer", sources, included, iquote, ...(change && { change }) },
    folder,
  );
  const fresh = join(folder, `${name}-new`);
  rmSync(fresh, { recursive: true, force: true });
  const kept = keptSeeds(name);
  return runFuzzer({
    program,
    corpora: [
      corpus ?? fresh,
      await writeSeeds(parser, join(folder, `${name}-seeds`)),
      ...(existsSync(kept) ? [kept] : []),
    ],
    artifacts: join(corpus ?? folder, "crashes"),
    seed,
    runs,
    seconds,
    lengthMax: parser.lengthMax,
    dictionary: writeDictionary(parser, folder),
    signal,
  });
}

async function writeSeeds(parser: Parser, folder: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const bytes of await parser.seeds()) {
    writeFileSync(join(folder, createHash("sha1").update(bytes).digest("hex")), bytes);
  }
  return folder;
}

function writeDictionary({ name, dictionary }: Parser, folder: string): string | undefined {
  if (dictionary === undefined) return undefined;
  const path = join(folder, `${name}.dict`);
  writeFileSync(path, dictionary.map((one) => `"${one.replace("\n", "\\x0a")}"\n`).join(""));
  return path;
}
