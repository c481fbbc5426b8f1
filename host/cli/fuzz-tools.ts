// SPDX-License-Identifier: MIT
//
// The verbs around the fuzzer that look at its files: minimize, corpus stats, corpus merge, corpus add. A module runs
// in a child process here as well.

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CORE_ORIGIN, corpusOf, originOf, runMerge, runMinimize, SessionError } from "../fuzz/session.js";
import { FolderError, loadTraces, StoreError, saveAs, saveTrace } from "../fuzz/store.js";
import { parseManifest } from "../pipeline/manifest.js";
import { inProject } from "../pipeline/paths.js";
import { detachManifest } from "../pipeline/section.js";
import { isInput } from "../sim/replay/input.js";
import {
  checkModule,
  decodeRecords,
  decodeTrace,
  KIND_TEXT,
  kindName,
  moduleTrace,
  RECORD_BYTES,
  specificationOf,
  TRACE_MAGIC,
  TRACE_SUFFIX,
  type Trace,
  TraceError,
  traceOfRing,
} from "../trace/index.js";
import { UserError } from "./exit.js";
import { fileOf } from "./fuzz.js";
import { print, printJson, subjectOf } from "./module-file.js";

const EXIT_USAGE = 2;
/** A full disk. */
const EXIT_STOPPED = 3;
/** Where modules lie that a trace may name without --module. */
const MODULE_FOLDERS = ["unikernel/modules", "test/modules"];

/** What goes wrong with the files that were given is wrong usage. */
async function usage<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreError) throw new UserError(error.message, EXIT_STOPPED);
    const isTheirs = [TraceError, SessionError, FolderError].some((kind) => error instanceof kind);
    throw isTheirs ? new UserError((error as Error).message, EXIT_USAGE) : error;
  }
}

function readTrace(path: string): ReturnType<typeof decodeTrace> {
  if (!existsSync(path)) throw new UserError(`there is no file ${path}`, EXIT_USAGE);
  return decodeTrace(path, readFileSync(path));
}

/** The module that is named, or the one of this tree that has the trace's name. */
async function moduleFor(name: string, given: string | undefined): Promise<{ subject: string; file: Uint8Array }> {
  const own = MODULE_FOLDERS.map((one) => inProject(one, name)).find((one) => existsSync(join(one, "manifest.json")));
  const path = given ?? own;
  if (path === undefined) throw new UserError(`which module is "${name}"? name its file with --module`, EXIT_USAGE);
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

/** A folder that must be there. */
function tracesOf(folder: string): ReturnType<typeof loadTraces> {
  if (!existsSync(folder)) throw new UserError(`there is no folder ${folder}`, EXIT_USAGE);
  return loadTraces(folder);
}

export interface CorpusOptions {
  module?: string;
  force?: boolean;
  json?: boolean;
}

/** What is in a folder, without running anything. */
export async function corpusStats(folder: string, options: CorpusOptions): Promise<void> {
  await usage(() => {
    const { traces, refused } = tracesOf(folder);
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

export interface MergeOptions extends CorpusOptions {
  least?: boolean;
}

/** What is needed of some folders to reach all that they reach, into one folder. */
export async function corpusMerge(into: string, from: readonly string[], options: MergeOptions): Promise<void> {
  await usage(async () => {
    const loaded = [loadTraces(into), ...from.map(tracesOf)];
    for (const reason of loaded.flatMap((one) => one.refused)) process.stderr.write(`left out: ${reason}\n`);
    const first = loaded.flatMap((one) => one.traces)[0]?.trace.name;
    if (first === undefined) throw new UserError(`no inputs in ${[into, ...from].join(", ")}`, EXIT_USAGE);
    const isCore = first === CORE_ORIGIN.name && options.module === undefined;
    const module = isCore ? { subject: "core", file: null } : await moduleFor(first, options.module);
    const force = options.force ?? false;
    const all = [into, ...from].flatMap((corpus) => corpusOf({ ...module, corpus, force }).traces);
    const wire = all.map(({ trace }) => ({ params: trace.params, records: trace.records }));
    const needed = await runMerge(module, wire, options.least ? "least" : "merge");
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
  guest?: number;
  vgpu: number;
}

/** A recording of `gbctl trace`: what one vGPU's module saw of it becomes an input. */
export async function corpusAdd(folder: string, recording: string, options: AddOptions): Promise<void> {
  await usage(async () => {
    if (!existsSync(recording)) throw new UserError(`there is no file ${recording}`, EXIT_USAGE);
    const bytes = new Uint8Array(readFileSync(recording));
    const isWhole = Buffer.from(bytes.subarray(0, TRACE_MAGIC.length)).toString("latin1") === TRACE_MAGIC;
    const ring = isWhole ? decodeTrace(recording, bytes) : traceOfRing(recording, bytes);
    const said = specificationOf(ring, options.vgpu);
    const name = (said.get("module") ?? "").replace(/@.*/, "");
    if (options.module === undefined && name === "")
      throw new UserError("whose calls? name the module's file with --module", EXIT_USAGE);
    const module = await moduleFor(name, options.module);
    const manifest = parseManifest(module.subject, detachManifest(module.subject, module.file));
    if (name !== "" && name !== manifest.name)
      throw new TraceError(recording, `vGPU ${options.vgpu} has module ${name}, not ${manifest.name}`);
    const { wasmSha256 } = originOf(module.subject, module.file);
    const params = manifest.params.map(
      (one) => numberOf(recording, one.name, said.get(one.name)) ?? BigInt(one.default),
    );
    const who = { domid: options.guest ?? onlyGuestOf(recording, ring), vgpu: options.vgpu };
    const { trace, left } = moduleTrace(recording, ring, { manifest, wasmSha256, params }, who);
    const { path } = saveTrace(folder, trace);
    const calls = trace.records.length / RECORD_BYTES;
    if (options.json) printJson({ path, module: manifest.name, calls, left });
    else print(`${path}: ${calls} calls${left > 0 ? `; ${left} accesses were left out` : ""}`);
  });
}

function numberOf(recording: string, name: string, text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (/^(0x[0-9a-f]{1,16}|[0-9]{1,20})$/i.test(text)) return BigInt(text);
  throw new TraceError(recording, `its specification says ${name}=${text}, which is no number`);
}

/** `gbctl trace -o` keeps one guest's records and no other's. */
function onlyGuestOf(recording: string, ring: Trace): number {
  const all = decodeRecords(ring.records).filter((one) => one.kind !== KIND_TEXT);
  const guests = new Set(all.map((one) => one.domid));
  if (guests.size === 1) return [...guests][0] as number;
  throw new UserError(`${recording} has ${guests.size} guests: which? --guest DOMID`, EXIT_USAGE);
}
