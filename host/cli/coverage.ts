// SPDX-License-Identifier: MIT
//
// `glovebox coverage`: what the inputs of a corpus reach, as text, HTML or JSON. A folder is compiled, and its source
// map made; beside FILE.wasm the map is FILE.wasm.map, where there is one.

import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { htmlOf } from "../fuzz/coverage/html.js";
import { type CoverageReport, reportOf } from "../fuzz/coverage/report.js";
import { parseSourceMap, type SourceMap, SourceMapError } from "../fuzz/coverage/source-map.js";
import { headOf, textOf } from "../fuzz/coverage/text.js";
import { corpusOf, originOf, runCoverage, SessionError } from "../fuzz/session.js";
import { FolderError } from "../fuzz/store.js";
import { sourceMapOf } from "../pipeline/compile.js";
import { PipelineError } from "../pipeline/index.js";
import { inProject } from "../pipeline/paths.js";
import { sourceMapOfFolder } from "../pipeline/source.js";
import { coreSource } from "../sim/tree.js";
import { UserError } from "./exit.js";
import { fileOf } from "./fuzz.js";
import { print, printJson, put, subjectOf } from "./module-file.js";

export interface CoverageOptions {
  core?: boolean;
  corpus?: string;
  html?: string;
  text?: boolean;
  json?: boolean;
  force?: boolean;
}

const EXIT_USAGE = 2;

/** `path`: a module's file or folder; undefined: the core. */
export async function coverage(path: string | undefined, options: CoverageOptions): Promise<void> {
  try {
    const subject = path === undefined ? "core" : subjectOf(path);
    const file = path === undefined ? null : await fileOf(path);
    const map = await mapOf(path);
    tell(await measure(subject, file, map, options), map, options);
  } catch (error) {
    const isTheirs = [SessionError, PipelineError, SourceMapError, FolderError].some((kind) => error instanceof kind);
    throw isTheirs ? new UserError((error as Error).message, EXIT_USAGE) : error;
  }
}

async function mapOf(path: string | undefined): Promise<SourceMap | undefined> {
  const json = await mapText(path);
  return json === undefined ? undefined : parseSourceMap(path === undefined ? "core" : `${path}.map`, json);
}

async function mapText(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return sourceMapOf(coreSource());
  if (statSync(path).isDirectory()) return sourceMapOfFolder(resolve(path));
  return existsSync(`${path}.map`) ? readFileSync(`${path}.map`, "utf8") : undefined;
}

async function measure(
  subject: string,
  file: Uint8Array | null,
  map: SourceMap | undefined,
  options: CoverageOptions,
): Promise<CoverageReport> {
  const corpus = options.corpus ?? `fuzz-${basename(subject).replace(/\.wasm$/, "")}`;
  if (!existsSync(corpus)) throw new SessionError(`there is no folder ${corpus}: whose inputs? --corpus DIR`);
  const { traces, refused } = corpusOf({ subject, file, corpus, force: options.force ?? false });
  for (const reason of refused) process.stderr.write(`left out: ${reason}\n`);
  if (traces.length === 0) throw new SessionError(`${corpus}: no inputs of ${originOf(subject, file).name} in it`);
  const seeds = traces.map(({ trace }) => ({ params: trace.params, records: trace.records }));
  const { reach, faults } = await runCoverage({ subject, file }, seeds);
  const { name, version } = originOf(subject, file);
  return reportOf({ module: name, version, corpus, inputs: seeds.length, faults }, reach, map);
}

function tell(report: CoverageReport, map: SourceMap | undefined, options: CoverageOptions): void {
  if (options.html !== undefined)
    put(
      options.html,
      htmlOf(report, (source) => map?.text(source) ?? ownText(source)),
    );
  if (options.json) printJson(report);
  else if (options.html === undefined || options.text) print(textOf(report));
  else print(`${headOf(report)}\n${options.html}`);
}

/** A source that the map names but does not hold: of this tree, or beside us. */
function ownText(source: string): string | undefined {
  const path = [inProject(source), join(process.cwd(), source)].find((one) => existsSync(one));
  return path === undefined ? undefined : readFileSync(path, "utf8");
}
