// SPDX-License-Identifier: MIT
//
// Xen and Dom0 booted once for all: the machine's whole state at the moment at which Dom0's first program looks for its
// scenario (dom0/initramfs.sh), in the lab's cache, for QEMU to go on from. Another kernel, hypervisor, policy, command
// line, QEMU or processor of the host is another entry, and boots for itself.

import { readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cached, hashFile } from "./cache.js";
import { Console } from "./console.js";
import { exec } from "./exec.js";
import { BOOT_LINKS, type Boot, type Machine, type MachineOptions, qemuArguments, startMachine } from "./machine.js";
import { Qmp } from "./qmp.js";

export interface BootedOptions {
  say: (text: string) => void;
  signal?: AbortSignal | undefined;
}

/** A disk's size is part of the machine, so all scenarios' disks have the same. Sparse. */
export const DISK_BYTES = 256 << 20;
/** Raised when the code below changes what it makes. */
const RECIPE = 2;
const NAME = "booted";
const STATE = "state";
const DISKS = { input: "input", output: "output" };
const BOOT_MS = 900_000;
const POLL_MS = 50;
/** Of the cache's entries, some 150 MiB each: those used last. */
const KEPT = 8;

/** The path of the state, made if there is none. */
export async function booted(boot: Boot, machine: MachineOptions, options: BootedOptions): Promise<string> {
  const { say, signal } = options;
  const dir = await cached({
    name: NAME,
    recipe: await recipe(boot, machine),
    make: (scratch) => make(scratch, boot, machine, options),
    onProgress: say,
  });
  signal?.throwIfAborted();
  const now = new Date();
  utimesSync(dir, now, now); // used now
  dropOld(dirname(dir), basename(dir));
  return join(dir, STATE);
}

async function recipe({ images, hypervisor }: Boot, machine: MachineOptions): Promise<string> {
  const { stdout } = await exec("qemu-system-x86_64", ["--version"]);
  const parts = hypervisor === undefined ? [] : [await hashFile(hypervisor.xen), await hashFile(hypervisor.policy)];
  const processor = cpus()[0]?.model; // whose clock Xen has measured
  return JSON.stringify([
    stdout,
    processor,
    basename(images.dir),
    parts,
    qemuArguments(machine, "", DISKS),
    DISK_BYTES,
    RECIPE,
  ]);
}

async function make(scratch: string, boot: Boot, machine: MachineOptions, options: BootedOptions): Promise<void> {
  options.say("Xen and Dom0 boot; later runs go on from there");
  for (const disk of Object.values(DISKS)) {
    writeFileSync(join(scratch, disk), "");
    truncateSync(join(scratch, disk), DISK_BYTES);
  }
  const qemu = startMachine(boot, machine, DISKS, scratch);
  const stop = (): void => void qemu.stop();
  options.signal?.addEventListener("abort", stop);
  try {
    await waitForBoot(qemu, join(scratch, "console.log"));
    await save(qemu);
  } catch (error) {
    options.signal?.throwIfAborted(); // that was why
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", stop);
    await qemu.stop();
  }
  for (const name of [...Object.values(DISKS), ...BOOT_LINKS]) rmSync(join(scratch, name), { force: true });
}

async function waitForBoot(qemu: Machine, log: string): Promise<void> {
  let found = (_why: string): void => {};
  const booted = new Promise<string>((resolve) => {
    found = resolve;
  });
  const console = new Console(log, (mark) => {
    if (mark.kind === "booted") found("");
    if (mark.kind === "dead" || mark.kind === "fail") found(mark.text);
  });
  qemu.process.stdout?.on("data", (chunk: Buffer) => console.feed(chunk));
  const ended = qemu.ended.then((how) => how || "the machine switched itself off");
  const timer = setTimeout(() => found(`not within ${BOOT_MS / 1000} s`), BOOT_MS);
  const why = await Promise.race([booted, ended]);
  clearTimeout(timer);
  qemu.process.stdout?.removeAllListeners("data").resume();
  await console.close(); // the log is a part of the entry
  if (why !== "") throw new Error(`Xen and Dom0 did not boot: ${why}\nthe last lines:\n${console.lastLines()}`);
}

/**
 * QEMU writes the state of a machine that stands still. Of one that runs, under TCG, not all that it writes meanwhile
 * arrives: Dom0's kernel then finds its lists broken.
 */
async function save(qemu: Machine): Promise<void> {
  const qmp = await Qmp.of(qemu);
  await qmp.ask("stop");
  await qmp.ask("migrate-set-parameters", { "max-bandwidth": 2 ** 40 });
  await qmp.ask("migrate", { uri: `exec:cat >${STATE}` });
  for (;;) {
    const { status, "error-desc": why } = await qmp.ask("query-migrate");
    if (status === "completed") return;
    if (status === "failed") throw new Error(`QEMU could not save the machine: ${why}`);
    await sleep(POLL_MS);
  }
}

/** A machine that began from a state is started, and looks for its scenario when it gets a line. */
export async function goOn(machine: Machine): Promise<void> {
  const qmp = await Qmp.of(machine);
  while ((await qmp.ask("query-status")).status === "inmigrate") await sleep(POLL_MS);
  await qmp.ask("cont");
  machine.process.stdin?.write("\n");
}

function dropOld(root: string, used: string): void {
  const entries = readdirSync(root).filter((name) => name.startsWith(`${NAME}-`) && name !== used);
  const age = (name: string): number => statSync(join(root, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const old = entries.sort((a, b) => age(b) - age(a)).slice(KEPT - 1);
  for (const name of old) rmSync(join(root, name), { recursive: true, force: true });
}
