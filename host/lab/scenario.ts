// SPDX-License-Identifier: MIT
//
// A scenario: a script for Dom0, scripts for guests, files; out come an exit code, files and logs. Each run has a
// folder of its own, so runs may go on side by side. Whatever happens - a panic, the time limit, Ctrl-C - QEMU is
// gone when runScenario returns, and the folder says what happened.

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { booted, DISK_BYTES, goOn } from "./booted.js";
import { Console, type Mark } from "./console.js";
import dom0Init from "./dom0/init.sh";
import dom0Lib from "./dom0/lib.sh";
import { DiskFull, exec, isDiskFull } from "./exec.js";
import { flaskXen } from "./flask/hypervisor.js";
import { policy } from "./flask/policy.js";
import { type GuestOptions, guestConfig, guestOverlay } from "./guest.js";
import { heartbeat } from "./heartbeat.js";
import { type Images, images } from "./images.js";
import { BOOT_LINKS, type Hypervisor, type Machine, type MachineOptions, startMachine } from "./machine.js";
import { DOM0_PROGRAMS } from "./native.js";
import { LAB_RUNS } from "./paths.js";
import { attachTerminal } from "./terminal.js";

export interface ScenarioOptions {
  name: string;
  /** POSIX sh, run in Dom0 in /lab, with host/lab/dom0/lib.sh. */
  dom0Script: string;
  /** Host files for /lab/files in Dom0: name there -> path here. */
  files?: Record<string, string> | undefined;
  /** /lab/guests/NAME.cfg and NAME.img are made for each. */
  guests?: Record<string, GuestOptions> | undefined;
  machine?: MachineOptions | undefined;
  /** Debian's hypervisor, or the same built with FLASK, enforcing, with our policy. */
  xen?: "stock" | "flask" | undefined;
  timeoutMs?: number | undefined;
  /** Afterwards: a shell in Dom0 on this terminal. */
  keep?: boolean | undefined;
  onProgress?: ((text: string) => void) | undefined;
  onNote?: ((text: string) => void) | undefined;
  /** With keep: called when the outputs are there and before the shell begins. */
  onKeep?: ((result: ScenarioResult) => Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
}

export interface ScenarioResult {
  exitCode: number;
  /** Why it failed, in the script's own words; empty when it did not. */
  failure: string;
  /** The run's folder. */
  dir: string;
  /** What the script saved, and all logs. */
  outputs: string;
  consoleLog: string;
  lastStep: string;
}

export class ScenarioError extends Error {
  constructor(
    message: string,
    readonly step: string,
    readonly consoleLog: string,
  ) {
    super(message);
    this.name = "ScenarioError";
  }
}

/** For a machine that hangs; one on a slow host is not to be ended. */
const TIMEOUT_MS = 1_500_000;
/** After the time limit Dom0 gets this long to hand over its logs. */
const GRACE_MS = 40_000;
/** For the rest of a message. */
const LAST_WORDS_MS = 2000;
const INPUT_BLOCK_BYTES = 64 << 10;
const SECTOR_BYTES = 512;
const RUNS_KEPT = 20;
const GUEST_LINES = 6;

export async function runScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const say = options.onProgress ?? (() => {});
  const machineOptions = { ...options.machine, ...(options.keep ? { instructionNs: undefined } : {}) };
  say("the lab's images");
  const parts = await images({ hvm: machineOptions.hvm, onProgress: say });
  const hypervisor = options.xen === "flask" ? await flaskHypervisor(parts, say) : undefined;
  const boot = { images: parts, hypervisor };
  options.signal?.throwIfAborted();
  const from = await booted(boot, machineOptions, { say, signal: options.signal });
  const dir = makeRunDir(options.name);
  try {
    const disks = await makeDisks(dir, options);
    say("QEMU and Xen start");
    const machine = startMachine(boot, machineOptions, disks, dir, from);
    const run = new Run(options, dir, machine);
    const typed = options.keep ?? false; // by somebody who would not like our lines between
    if (machineOptions.instructionNs === undefined && !typed) heartbeat(machine);
    goOn(machine).catch((error: Error) => run.fail(error));
    return await run.finish();
  } catch (error) {
    throw isDiskFull(error) ? new DiskFull(dir) : error;
  } finally {
    for (const name of ["input.tar", "output.tar", ...BOOT_LINKS]) rmSync(join(dir, name), { force: true });
  }
}

async function flaskHypervisor(images: Images, say: (text: string) => void): Promise<Hypervisor> {
  const xen = await flaskXen(images, say);
  return { xen: xen.xen, policy: (await policy(xen, say)).binary };
}

function makeRunDir(name: string): string {
  mkdirSync(LAB_RUNS, { recursive: true });
  dropOldRuns(name);
  const stamp = new Date().toISOString().replaceAll(/[-:]|\..*/g, "");
  for (let n = 0; ; n++) {
    const dir = join(LAB_RUNS, `${name}-${stamp}${n === 0 ? "" : `-${n}`}`);
    try {
      mkdirSync(dir);
      mkdirSync(join(dir, "outputs"));
      return dir;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/** Run folders are kept for reading, but not for ever. */
function dropOldRuns(name: string): void {
  const runs = readdirSync(LAB_RUNS).filter((entry) => entry.replace(/-\d{8}T\d{6}(-\d+)?$/, "") === name);
  for (const old of runs.sort().slice(0, -RUNS_KEPT)) rmSync(join(LAB_RUNS, old), { recursive: true, force: true });
}

async function makeDisks(dir: string, options: ScenarioOptions): Promise<{ input: string; output: string }> {
  const stage = join(dir, "stage");
  for (const sub of ["files", "guests"]) mkdirSync(join(stage, sub), { recursive: true });
  writeFileSync(join(stage, "init.sh"), dom0Init, { mode: 0o755 });
  writeFileSync(join(stage, "lib.sh"), dom0Lib);
  writeFileSync(join(stage, "scenario.sh"), options.dom0Script);
  if (options.keep) writeFileSync(join(stage, "keep"), "");
  const files = { "await-line": join(DOM0_PROGRAMS, "await-line"), ...options.files };
  for (const [name, path] of Object.entries(files)) await copy(path, join(stage, "files", name));
  for (const [name, guest] of Object.entries(options.guests ?? {})) {
    writeFileSync(join(stage, "guests", `${name}.cpio`), guestOverlay(guest));
    writeFileSync(join(stage, "guests", `${name}.cfg`), guestConfig(name, guest));
  }
  const input = join(dir, "input.tar");
  await exec("tar", ["--owner=0", "--group=0", "-cf", input, "-C", stage, "."]);
  rmSync(stage, { recursive: true });
  finishInput(input);
  const output = join(dir, "output.tar");
  writeFileSync(output, "");
  truncateSync(output, DISK_BYTES);
  return { input, output };
}

/** As dom0/initramfs.sh reads it: at the disk's end stands how many blocks the tar takes. */
function finishInput(path: string): void {
  const blocks = Math.ceil(statSync(path).size / INPUT_BLOCK_BYTES);
  if (blocks * INPUT_BLOCK_BYTES >= DISK_BYTES)
    throw new Error(`the scenario's files take ${statSync(path).size >> 20} MiB, their disk holds ${DISK_BYTES >> 20}`);
  truncateSync(path, DISK_BYTES - SECTOR_BYTES);
  appendFileSync(path, String(blocks).padEnd(SECTOR_BYTES, "\0"));
}

async function copy(from: string, to: string): Promise<void> {
  if (!existsSync(from)) throw new Error(`the scenario's file ${from} is not there: was it built?`);
  await exec("cp", ["-L", "--", from, to]);
}

/** From QEMU's start to its end. */
class Run {
  readonly #console: Console;
  readonly #outputs: string;
  #step = "QEMU and Xen start";
  #failure = "";
  #death = "";
  /** The console as it stood when the time was up. */
  #lastLines = "";
  #exitCode: number | undefined;
  #unpacked: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #keeping: Promise<void> | undefined;

  constructor(
    readonly options: ScenarioOptions,
    readonly dir: string,
    readonly machine: Machine,
  ) {
    this.#outputs = join(dir, "outputs");
    this.#console = new Console(join(dir, "console.log"), (mark) => this.#onMark(mark));
    machine.process.stdout?.on("data", (chunk: Buffer) => this.#console.feed(chunk));
    this.#timer = setTimeout(() => this.#onTimeLimit(), options.timeoutMs ?? TIMEOUT_MS);
  }

  /** It cannot go on. A QEMU that has ended says why itself. */
  fail(error: Error): void {
    const timer = setTimeout(() => {
      this.#death ||= error.message;
      void this.machine.stop();
    }, LAST_WORDS_MS);
    void this.machine.ended.then(() => clearTimeout(timer));
  }

  async finish(): Promise<ScenarioResult> {
    const stop = (): void => {
      this.#death ||= "interrupted";
      void this.machine.stop();
    };
    this.options.signal?.addEventListener("abort", stop);
    if (this.options.signal?.aborted) stop();
    try {
      const how = await this.machine.ended;
      if (this.#exitCode === undefined)
        this.#death ||= how || "the machine switched itself off before the scenario ended";
      await this.#keeping;
      if (this.#unpacked !== undefined) await this.#unpacked;
    } finally {
      clearTimeout(this.#timer);
      this.options.signal?.removeEventListener("abort", stop);
      await this.machine.stop();
      await this.#console.close();
    }
    this.options.signal?.throwIfAborted();
    if (this.#death !== "") throw this.#error();
    return this.#result();
  }

  #onMark(mark: Mark): void {
    switch (mark.kind) {
      case "step":
        this.#step = mark.text;
        this.options.onProgress?.(mark.text);
        break;
      case "note":
        this.options.onNote?.(mark.text);
        break;
      case "fail":
        this.#failure ||= mark.text;
        break;
      case "saved":
        this.#unpacked ??= this.#unpack();
        break;
      case "exit":
        this.#exitCode = mark.code;
        if (!this.options.keep) this.#rearm(GRACE_MS, "Dom0 did not switch off");
        break;
      case "keep":
        this.#keeping ??= this.#keep();
        break;
      case "dead":
        if (this.#exitCode !== undefined) break;
        this.#death ||= mark.text;
        this.#rearm(LAST_WORDS_MS, mark.text);
        break;
    }
  }

  /** First asks Dom0 for the logs; when it does not answer, ends QEMU. */
  #onTimeLimit(): void {
    const limit = (this.options.timeoutMs ?? TIMEOUT_MS) / 1000;
    this.#death ||= `the scenario ran into its time limit of ${limit} s`;
    this.#lastLines = this.#console.lastLines();
    this.machine.process.stdin?.write("@@stop\n");
    this.#rearm(GRACE_MS, this.#death);
  }

  #rearm(delayMs: number, death: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#death ||= this.#unpacked === undefined ? death : "";
      void this.machine.stop();
    }, delayMs);
  }

  async #unpack(): Promise<void> {
    await exec("tar", ["--no-same-owner", "-xf", join(this.dir, "output.tar"), "-C", this.#outputs]);
  }

  async #keep(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#unpacked;
    await this.options.onKeep?.(this.#result());
    await attachTerminal(this.machine);
  }

  #result(): ScenarioResult {
    const codeFile = join(this.#outputs, "exit-code");
    const exitCode = existsSync(codeFile) ? Number.parseInt(readFileSync(codeFile, "utf8"), 10) : (this.#exitCode ?? 1);
    return {
      exitCode: this.#failure === "" ? exitCode : exitCode || 1,
      failure: this.#failure,
      dir: this.dir,
      outputs: this.#outputs,
      consoleLog: join(this.dir, "console.log"),
      lastStep: this.#step,
    };
  }

  /** What the guests said last, when Dom0 could still hand over their logs. */
  #guestLines(): string {
    const logs = join(this.#outputs, "log/console");
    if (!existsSync(logs)) return "";
    const said = (name: string): string => lastOf(readFileSync(join(logs, name), "latin1"), GUEST_LINES);
    return readdirSync(logs)
      .map((name) => `the last lines of ${name}:\n${indent(said(name))}\n`)
      .join("");
  }

  #error(): ScenarioError {
    const log = join(this.dir, "console.log");
    const why = this.#failure === "" ? this.#death : `${this.#failure} (then: ${this.#death})`;
    const text =
      `scenario ${this.options.name} died in the step "${this.#step}": ${why}\n` +
      `the last lines of the console:\n${indent(this.#lastLines || this.#console.lastLines())}\n` +
      `${this.#guestLines()}all of it: ${log}`;
    return new ScenarioError(text, this.#step, log);
  }
}

const lastOf = (text: string, lines: number): string => text.trimEnd().split("\n").slice(-lines).join("\n");

const indent = (text: string): string => text.replaceAll(/^/gm, "  | ");

/** The text of a scenario's output file; an error that lists what there is when it is missing. */
export function readOutput(result: ScenarioResult, name: string): string {
  const path = join(result.outputs, name);
  if (existsSync(path)) return readFileSync(path, "utf8");
  const there = readdirSync(result.outputs).join(" ");
  throw new Error(
    `scenario ${basename(result.dir)}: no output ${name}; there are: ${there}; log: ${result.consoleLog}`,
  );
}

/** What a guest printed. */
export function guestLog(result: ScenarioResult, guest: string): string {
  return readOutput(result, `log/console/guest-${guest}.log`);
}
