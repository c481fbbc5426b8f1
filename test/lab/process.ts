// SPDX-License-Identifier: MIT
//
// For tests that look at the program from outside: starts it, finds its QEMU, waits for things.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

export interface Running {
  child: ChildProcess;
  /** All that it has printed. */
  text: () => string;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export function startProgram(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
  let text = "";
  const collect = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  return { child, text: () => text, ended };
}

export const glovebox = (...args: string[]): Running => startProgram(process.execPath, ["build.mjs", ...args]);

/** The QEMU that this process started, by pid. */
export function qemuOf(parent: number): number | undefined {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readIfThere(`/proc/${name}/stat`);
    const behindName = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // proc(5): state, ppid, ...
    if (Number(behindName[1]) !== parent) continue;
    if (readIfThere(`/proc/${name}/cmdline`).startsWith("qemu-system-x86_64\0")) return Number(name);
  }
  return undefined;
}

/** Empty when it is not there. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it ended while we looked
  }
}

export const lives = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/^State:\s+[ZX]/m.test(readIfThere(`/proc/${pid}/status`));

export async function until<T>(what: () => T | undefined | false, timeoutMs: number, name: string): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = what();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`${name}: not within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
