// SPDX-License-Identifier: MIT
//
// Runs a program of the host: no shell, a time limit, and an error that says what was run and what it said.
// A full disk, whoever hits it, becomes a DiskFull that names the place.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

export interface ExecOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
  input?: Buffer | string;
  /** The program's output goes to this file instead of the result. */
  stdoutFile?: string;
  /** Shows the program's output on our own terminal instead of keeping it. */
  inherit?: boolean;
}

export interface ExecResult {
  stdout: string;
  stderr: string;
}

/** The text that every libc prints for ENOSPC, and for a file size limit. */
const FULL =
  /No space left on device|not have enough free space|don't have enough free space|File too large|Disk quota exceeded/i;

export class DiskFull extends Error {
  constructor(where: string) {
    super(
      `no space left on the disk that holds ${where}; nothing half-written was kept. Free some space and run again`,
    );
    this.name = "DiskFull";
  }
}

export class ExecError extends Error {
  constructor(
    readonly command: string,
    readonly status: string,
    readonly output: string,
  ) {
    super(`${command}: ${status}${output === "" ? "" : `\n${output}`}`);
    this.name = "ExecError";
  }
}

/** True for a system error of Node's that means "the disk is full". */
export function isDiskFull(error: unknown): boolean {
  if (error instanceof DiskFull) return true;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
}

const running = new Set<ChildProcess>();

/** Ends every program that exec started and that still runs; for signals. */
export function killAllExec(): void {
  for (const child of running) child.kill("SIGKILL");
}

const TAIL_LINES = 20;

function tail(text: string): string {
  return text.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
}

export function exec(program: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const command = [program, ...args].join(" ");
  const shown = command.length > 200 ? `${command.slice(0, 200)}...` : command;
  return new Promise((resolve, reject) => {
    const sink = options.stdoutFile === undefined ? "pipe" : openSync(options.stdoutFile, "w");
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? "ignore" : "pipe", sink, "pipe"],
    });
    if (typeof sink === "number") closeSync(sink);
    running.add(child);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => (options.inherit ? process.stdout.write(chunk) : out.push(chunk)));
    child.stderr?.on("data", (chunk: Buffer) => {
      err.push(chunk);
      if (options.inherit) process.stderr.write(chunk);
    });
    let late = false;
    const limit = options.timeoutMs ?? 600_000;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, limit);
    const done = () => {
      clearTimeout(timer);
      running.delete(child);
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      done();
      const why =
        error.code === "ENOENT" ? "no such program; `node build.mjs setup` installs what is missing" : error.message;
      reject(new ExecError(shown, why, ""));
    });
    child.on("close", (code, signal) => {
      done();
      const stdout = Buffer.concat(out).toString();
      const stderr = Buffer.concat(err).toString();
      if (code === 0) return resolve({ stdout, stderr });
      if (FULL.test(stderr) || signal === "SIGXFSZ") return reject(new DiskFull(options.cwd ?? process.cwd()));
      const status = late ? `ended after its time limit of ${limit / 1000} s` : `exit ${signal ?? code}`;
      reject(new ExecError(shown, status, tail(options.inherit ? "" : `${stdout}\n${stderr}`)));
    });
    if (options.input !== undefined) child.stdin?.on("error", () => {}).end(options.input);
  });
}
