// SPDX-License-Identifier: MIT
//
// `glovebox fuzz`: one session, its status as one line that is redrawn on a terminal (plain lines elsewhere), its
// finds as lines that stay, a summary at the end. Exit code 1 when something was found, 2 when there is nothing that
// can be fuzzed.

import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { fuzzSession, SessionError, type SessionReport, type SessionStatus } from "../fuzz/session.js";
import { FolderError } from "../fuzz/store.js";
import { PipelineError } from "../pipeline/index.js";
import { UserError } from "./exit.js";
import { moduleBytes, subjectOf } from "./module-file.js";

export interface FuzzOptions {
  time?: number;
  runs?: number;
  jobs?: number;
  seed?: number;
  corpus?: string;
  records?: number;
  force?: boolean;
  json?: boolean;
}

const EXIT_USAGE = 2;
/** The session could not go on: a full disk, a worker that died. What was found before stands in the folder. */
const EXIT_STOPPED = 3;
const TIME_DEFAULT = 60;
const RECORDS_DEFAULT = 64;
/** A call that takes more of its budget than this is told. */
const SLOW_SHARE = 0.5;
const PLAIN_SECONDS = 10;

export async function fuzz(path: string, options: FuzzOptions, signal: AbortSignal): Promise<void> {
  await session(subjectOf(path), await fileOf(path), options, signal);
}

/** Core and modules of this tree together. */
export async function fuzzCore(options: FuzzOptions, signal: AbortSignal): Promise<void> {
  await session("core", null, options, signal);
}

async function session(
  subject: string,
  file: Uint8Array | null,
  options: FuzzOptions,
  signal: AbortSignal,
): Promise<void> {
  const view = statusView(options.json ?? false);
  try {
    const report = await fuzzSession({
      subject,
      file,
      corpus: options.corpus ?? `fuzz-${basename(subject).replace(/\.wasm$/, "")}`,
      seed: options.seed ?? 1,
      jobs: options.jobs ?? availableParallelism(),
      runs: options.runs ?? 0,
      seconds: options.time ?? (options.runs === undefined ? TIME_DEFAULT : undefined),
      recordsMax: options.records ?? RECORDS_DEFAULT,
      force: options.force ?? false,
      signal,
      onStatus: view.status,
      onNote: view.note,
    });
    view.end();
    tell(report, options.json ?? false);
    if (report.crashes.length > 0) throw new UserError(`${report.module}: ${report.crashes.length} findings`);
  } catch (error) {
    view.end();
    if (error instanceof UserError) throw error;
    const isTheirs = [SessionError, PipelineError, FolderError].some((kind) => error instanceof kind);
    throw new UserError((error as Error).message, isTheirs ? EXIT_USAGE : EXIT_STOPPED);
  }
}

/** A file that is not there, or a folder that does not compile: nothing that can be fuzzed. */
export async function fileOf(path: string): Promise<Uint8Array> {
  try {
    return await moduleBytes(path);
  } catch (error) {
    if (error instanceof UserError || error instanceof PipelineError) throw new UserError(error.message, EXIT_USAGE);
    throw error;
  }
}

interface View {
  status(status: SessionStatus): void;
  note(text: string): void;
  end(): void;
}

function statusView(isQuiet: boolean): View {
  const isDrawn = process.stderr.isTTY === true;
  let shown = 0;
  const clear = (): void => {
    if (isDrawn) process.stderr.write("\r\x1b[K");
  };
  return {
    status(status) {
      if (isDrawn) process.stderr.write(`\r\x1b[K${statusLine(status).slice(0, (process.stderr.columns || 80) - 1)}`);
      else if (!isQuiet && status.seconds - shown >= PLAIN_SECONDS) {
        shown = status.seconds;
        process.stderr.write(`${statusLine(status)}\n`);
      }
    },
    note(text) {
      clear();
      process.stderr.write(`${text}\n`);
    },
    end: clear,
  };
}

export function statusLine(status: SessionStatus): string {
  const { seconds, executions, perSecond, edges, edgesMax, compares, corpus, crashes, slowestShare } = status;
  return [
    `${seconds.toFixed(0)} s`,
    `${count(executions)} runs`,
    `${count(perSecond)}/s`,
    `edges ${edges}/${edgesMax}`,
    `compares ${compares}`,
    `corpus ${corpus}`,
    `crashes ${crashes}`,
    `slowest ${(slowestShare * 100).toFixed(0)} %`,
  ].join("  ");
}

function count(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(0)} k` : value.toFixed(0);
}

function tell(report: SessionReport, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    return;
  }
  const { status, corpus, crashes } = report;
  const lines = [
    `${report.module} ${report.version}: ${statusLine(status)}`,
    `corpus: ${corpus.folder}, ${corpus.files} files, hash ${corpus.hash}; seed ${report.seed}, ${report.jobs} jobs`,
  ];
  if (status.slowestShare > SLOW_SHARE) lines.push(`slow: ${status.slowest} units of fuel`);
  for (const { story, path, worker, execution } of crashes) {
    lines.push(`found by worker ${worker} in run ${execution}: ${story}`, `  ${path}`);
  }
  if (report.interrupted) lines.push("interrupted; the same command goes on from this corpus");
  process.stdout.write(`${lines.join("\n")}\n`);
}
