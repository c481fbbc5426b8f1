// SPDX-License-Identifier: MIT
//
// A corpus on disk: a folder of trace files named by what they do, crashes in a folder of their own below it. A file
// appears under its name only when it is whole; what was there before a session is never removed by it.

import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder } from "../pipeline/store.js";
import {
  checkModule,
  decodeTrace,
  encodeTrace,
  TRACE_SUFFIX,
  type Trace,
  TraceError,
  traceHash,
} from "../trace/index.js";

export const CRASHES = "crashes";

/** Of which module the traces are. */
export interface Origin {
  name: string;
  version: string;
  wasmSha256: string;
}

export interface StoredTrace {
  path: string;
  trace: Trace;
}

export interface Loaded {
  traces: StoredTrace[];
  /** Files that were left out, with the reason. */
  refused: string[];
}

/** The folder cannot be written: full, read-only, gone. */
export class StoreError extends Error {
  constructor(path: string, error: unknown) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOSPC" ? "the disk is full" : message;
    super(`${path}: ${why}; what was written before is whole, run the same again to go on`);
    this.name = "StoreError";
  }
}

/** What was given cannot be read as a folder of inputs. */
export class FolderError extends Error {
  constructor(path: string, error: unknown) {
    const { code, message } = error as NodeJS.ErrnoException;
    super(`${path}: ${code === "ENOTDIR" ? "is no folder" : `the folder cannot be read: ${message}`}`);
    this.name = "FolderError";
  }
}

/** Traces of a folder, by name; a folder that is not there is empty. */
export function loadTraces(folder: string): Loaded {
  const loaded: Loaded = { traces: [], refused: [] };
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    try {
      loaded.traces.push({ path, trace: decodeTrace(path, readFileSync(path)) });
    } catch (error) {
      loaded.refused.push(error instanceof TraceError ? error.message : `${path}: ${(error as Error).message}`);
    }
  }
  return loaded;
}

/** The same, of one module; others are refused one by one. */
export function loadCorpus(
  folder: string,
  origin: Origin & { params: number },
  force = false,
  level: Trace["level"] = "module",
): Loaded {
  const { traces, refused } = loadTraces(folder);
  const loaded: Loaded = { traces: [], refused };
  for (const one of traces) {
    try {
      checkModule(one.path, one.trace, origin, force, level);
      loaded.traces.push(one);
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      loaded.refused.push(error.message);
    }
  }
  return loaded;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(TRACE_SUFFIX))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new FolderError(folder, error);
  }
}

/** Write a trace under its hash; answers the path, and whether it was not there before. */
export function saveTrace(folder: string, trace: Trace, prefix = ""): { path: string; isNew: boolean } {
  const path = join(folder, `${prefix}${traceHash(trace)}${TRACE_SUFFIX}`);
  const isNew = saveAs(path, trace);
  return { path, isNew };
}

/** Write a trace as this file; false: it is there already. */
export function saveAs(path: string, trace: Trace): boolean {
  const partial = `${path}.${process.pid}.partial`;
  try {
    if (existsSync(path)) return false;
    makeFolder(dirname(path));
    writeFileSync(partial, encodeTrace(trace));
    renameSync(partial, path);
    return true;
  } catch (error) {
    dropPartial(partial);
    throw new StoreError(path, error);
  }
}

/** Where even this fails there is nothing left behind. */
function dropPartial(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    return;
  }
}
