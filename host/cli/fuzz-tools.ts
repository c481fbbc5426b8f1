// SPDX-License-Identifier: MIT
//
// The verbs around the fuzzer that look at its files: minimize, corpus stats, corpus merge, corpus add. A module runs
// in a child process here as well.

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CORE_ORIGIN, corpusOf, originOf, runMerge, runMinimize, SessionError } from "../fuzz/session.js";
import { loadTraces, StoreError, saveAs, saveTrace } from "../fuzz/store.js";
import { parseManifest } from "../pipeline/manifest.js";
import { inProject } from "../pipeline/paths.js";
import { detachManifest } from "../pipeline/section.js";
import { isInput } from "../sim/replay/input.js";
import {
  checkModule,
  decodeRecords,
  decodeTrace,
  kindName,
  moduleTrace,
  RECORD_BYTES,
  TRACE_SUFFIX,
  TraceError,
  traceOfRing,
} from "../trace/index.js";
import { UserError } from "./exit.js";
import { fileOf } from "./fuzz.js";
import { print, printJson, subjectOf } from "./module-file.js";

const EXIT_USAGE = 2;
/** Where modules lie that a trace may name without --module. */
const MODULE_FOLDERS = ["unikernel/modules", "test/modules"];

/** What goes wrong with the files that were given is wrong usage. */
async function usage<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isTheirs = error instanceof TraceError || error instanceof SessionError || error instanceof StoreError;
    if (isTheirs) throw new UserError(error.message, error instanceof StoreError ? 1 : EXIT_USAGE);
    throw error;
  }
}

function readTrace(path: string): ReturnType<typeof decodeTrace> {
  if (!existsSync(path)) throw new UserError(`there is no file ${path}`, EXIT_USAGE);
  return decodeTrace(path, readFileSync(path));
}

/** The module that is named, or the one of this tree that has the trace's name. */
async function moduleFor(name: string, given: string | undefined): Promise<{ subject: string; file: Uint8Array }> {
  const own = MODULE_FOLDERS.map((one) => inProject(one, name)).find((one) => existsSync(one));
  const path = given ?? own;
  if (path === undefined) throw new UserError(`which module? name its file with --module`, EXIT_USAGE);
  return { subject: subjectOf(path), file: await fileOf(path) };
}

export interface MinimizeOptions {
  module?: string;
  out?: string;
  force?: boolean;
  json?: boolean;
}

/** A smaller file beside the given one, that ends in the same finding. */
export async function minimizeFile(path: string, options: MinimizeOptions): Promise<void> {
  await usage(async () => {
    const trace = readTrace(path);
    const isCore = trace.level === "core" && isInput(trace);
    const module = isCore ? { subject: "core", file: null } : await moduleFor(trace.name, options.module);
    checkModule(path, trace, originOf(module.subject, module.file), options.force, isCore ? "core" : "module");
    const result = await runMinimize(module, { params: trace.params, records: trace.records });
    if (result === undefined) throw new UserError(`${path}: it ends in no finding, so there is nothing to keep`);
    const out = options.out ?? join(dirname(path), `${basename(path, TRACE_SUFFIX)}.min${TRACE_SUFFIX}`);
    const { wasmSha256 } = originOf(module.subject, module.file);
    saveAs(out, { ...trace, wasmSha256, records: result.input.records, story: result.story });
    const [before, after] = [trace.records, result.input.records].map((one) => one.length / RECORD_BYTES);
    if (options.json) printJson({ out, story: result.story, before, after });
    else print(`${out}: ${after} of ${before} operations\n${result.story}`);
  });
}

export interface CorpusOptions {
  module?: string;
  force?: boolean;
  json?: boolean;
}

/** What is in a folder, without running anything. */
export async function corpusStats(folder: string, options: CorpusOptions): Promise<void> {
  await usage(() => {
    const { traces, refused } = loadTraces(folder);
    const kinds = new Map<string, number>();
    const modules = new Map<string, number>();
    let records = 0;
    for (const { trace } of traces) {
      const module = `${trace.name} ${trace.version} ${trace.wasmSha256.slice(0, 16)}`;
      modules.set(module, (modules.get(module) ?? 0) + 1);
      for (const one of decodeRecords(trace.records)) {
        records++;
        kinds.set(kindName(one.kind), (kinds.get(kindName(one.kind)) ?? 0) + 1);
      }
    }
    const report = {
      folder,
      files: traces.length,
      records,
      modules: Object.fromEntries(modules),
      kinds: Object.fromEntries([...kinds].sort()),
      refused,
    };
    if (options.json) return printJson(report);
    print(`${folder}: ${traces.length} files, ${records} records`);
    for (const [name, count] of modules) print(`  ${name}: ${count} files`);
    for (const [name, count] of [...kinds].sort()) print(`  ${name.padEnd(14)} ${count}`);
    for (const reason of refused) print(`  unreadable: ${reason}`);
  });
}

/** What is needed of some folders to reach all that they reach, into one folder. */
export async function corpusMerge(into: string, from: readonly string[], options: CorpusOptions): Promise<void> {
  await usage(async () => {
    const first = [into, ...from].flatMap((one) => loadTraces(one).traces)[0]?.trace.name;
    const isCore = first === CORE_ORIGIN.name && options.module === undefined;
    const module = isCore ? { subject: "core", file: null } : await moduleFor(first ?? "", options.module);
    const force = options.force ?? false;
    const all = [into, ...from].flatMap((corpus) => corpusOf({ ...module, corpus, force }).traces);
    const wire = all.map(({ trace }) => ({ params: trace.params, records: trace.records }));
    const needed = await runMerge(module, wire);
    const origin = originOf(module.subject, module.file);
    const base = {
      ...origin,
      level: isCore ? ("core" as const) : ("module" as const),
      seed: 0n,
      dropped: 0,
      story: "",
    };
    const added = needed.filter((one) => saveTrace(into, { ...base, ...one }).isNew).length;
    if (options.json) printJson({ into, given: all.length, needed: needed.length, added });
    else print(`${into}: ${needed.length} of ${all.length} inputs reach all of it; ${added} are new there`);
  });
}

export interface AddOptions extends CorpusOptions {
  guest: number;
  vgpu: number;
}

/** A recording of `gbctl trace --raw`: what one vGPU's module saw of it becomes an input. */
export async function corpusAdd(folder: string, recording: string, options: AddOptions): Promise<void> {
  await usage(async () => {
    if (!existsSync(recording)) throw new UserError(`there is no file ${recording}`, EXIT_USAGE);
    if (options.module === undefined)
      throw new UserError("whose calls? name the module's file with --module", EXIT_USAGE);
    const module = await moduleFor("", options.module);
    const manifest = parseManifest(module.subject, detachManifest(module.subject, module.file));
    const { wasmSha256 } = originOf(module.subject, module.file);
    const params = manifest.params.map((one) => BigInt(one.default));
    const who = { domid: options.guest, vgpu: options.vgpu };
    const ring = traceOfRing(recording, readFileSync(recording));
    const { trace, left } = moduleTrace(recording, ring, { manifest, wasmSha256, params }, who);
    const { path } = saveTrace(folder, trace);
    print(`${path}: ${trace.records.length / RECORD_BYTES} calls${left > 0 ? `; ${left} accesses were left out` : ""}`);
  });
}
