// SPDX-License-Identifier: MIT
//
// One run of QEMU: a PC with AMD's virtualisation, all emulated, no network, no display, its serial line in our
// hands. The child dies with us, whatever ends us: setpriv asks the kernel for that.
//
// The CPU flags and the reasons for them: with SMAP, PKU or RDTSCP Dom0 or its guests do not start under TCG.

import { type ChildProcess, spawn } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Images } from "./images.js";

export interface MachineOptions {
  cpus?: number | undefined;
  memoryMiB?: number | undefined;
  dom0MiB?: number | undefined;
  /** "multi" is quicker with several CPUs, but guests triple-fault now and then under QEMU 7.2. */
  threads?: "single" | "multi" | undefined;
  /**
   * What an instruction takes of the machine's time, in ns; time in which it has nothing to do is skipped. So what the
   * host does beside it changes nothing. 2 is what figures are measured with, 8 about what QEMU needs, so that busy
   * waiting costs the host no more than it seems. Without it: the host's clock. Not for guests with Linux
   * (docs/decisions/0025).
   */
  instructionNs?: 2 | 8 | undefined;
  /** Dom0 with QEMU, for HVM guests. */
  hvm?: boolean | undefined;
  /** More words for Xen's command line. */
  xen?: string | undefined;
  /** More words for Dom0's command line. */
  dom0?: string | undefined;
}

/** Another hypervisor than Debian's, and the policy that it boots with. */
export interface Hypervisor {
  xen: string;
  policy: string;
}

/** What is booted. */
export interface Boot {
  images: Images;
  hypervisor?: Hypervisor | undefined;
}

export interface Disks {
  input: string;
  output: string;
}

/** The child's stream that is QEMU's Machine Protocol (qmp.ts). */
export const QMP_FD = 3;

export interface Machine {
  process: ChildProcess;
  /** Ends QEMU, if it still runs, and waits for it. */
  stop(): Promise<void>;
  /** Resolves when QEMU has ended; the text says how, empty when it ended by itself and in order. */
  ended: Promise<string>;
}

const CPU = "qemu64,+svm,+npt,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand,-rdtscp";
const XEN_LINE = "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all conring_size=1m noreboot";
const DOM0_LINE = "console=hvc0 loglevel=5 quiet net.ifnames=0";
export const MEMORY_MIB = 2048;
export const DOM0_MIB = 1024;

const commas = (text: string): string => text.replaceAll(",", ",,");

export function qemuArguments(options: MachineOptions, rootDisk: string, disks: Disks, policy = ""): string[] {
  const dom0 = options.dom0MiB ?? DOM0_MIB;
  const xen = `${XEN_LINE} dom0_mem=${dom0}M,max:${dom0}M ${options.xen ?? ""}`.trim();
  const dom0Line = `vmlinux ${DOM0_LINE} ${options.dom0 ?? ""}`.trim();
  const ns = options.instructionNs;
  const threads = ns !== undefined ? "single" : (options.threads ?? "single");
  const disk = (name: string, path: string, more: string): string[] => [
    "-drive",
    `if=none,id=${name},format=raw,cache=unsafe,${more}file=${commas(path)}`,
    "-device",
    `virtio-blk-pci,drive=${name}`,
  ];
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-nic", "none", "-no-reboot"],
    ...["-M", "q35", "-cpu", CPU, "-accel", `tcg,thread=${threads}`, "-smp", String(options.cpus ?? 1)],
    ...(ns !== undefined ? ["-icount", `shift=${Math.log2(ns)},sleep=off`] : []),
    ...["-m", String(options.memoryMiB ?? MEMORY_MIB)],
    ...["-chardev", "stdio,id=com1,signal=off", "-serial", "chardev:com1"],
    ...["-kernel", "xen", "-append", xen, "-initrd", `${commas(dom0Line)},dom0.img${policy}`],
    ...disk("root", rootDisk, "snapshot=on,"),
    ...disk("input", disks.input, "read-only=on,"),
    ...disk("output", disks.output, ""),
  ];
}

/** `from`: the path of a state that it goes on from (booted.ts), instead of booting. */
export function startMachine(
  { images, hypervisor }: Boot,
  options: MachineOptions,
  disks: Disks,
  scratch: string,
  from?: string,
): Machine {
  const policy = hypervisor === undefined ? "" : ",xenpolicy";
  const args = qemuArguments(options, join(images.dir, "root.ext4"), disks, policy);
  args.push("-chardev", `socket,id=qmp,fd=${QMP_FD}`, "-mon", "chardev=qmp,mode=control");
  if (from !== undefined) args.push("-incoming", `exec:cat '${from.replaceAll("'", "'\\''")}'`);
  linkParts(images, scratch, hypervisor);
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", "qemu-system-x86_64", ...args], {
    cwd: scratch,
    env: { ...process.env, TMPDIR: scratch },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    detached: true, // Ctrl-C on the terminal is for us; we end QEMU in order
  });
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4000);
  });
  child.stdin?.on("error", () => {});
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(`QEMU did not start: ${error.message}`));
    child.on("close", (code, signal) =>
      resolve(code === 0 ? "" : `QEMU ended with ${signal ?? code}: ${complaint.trim()}`),
    );
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await ended;
  };
  return { process: child, stop, ended };
}

export const BOOT_LINKS = ["xen", "vmlinux", "dom0.img", "xenpolicy"];

/** QEMU reads what it boots by short names, side by side: its -initrd splits at blanks and commas. */
function linkParts(images: Images, dir: string, hypervisor: Hypervisor | undefined): void {
  const link = (path: string, name: string): void => symlinkSync(path, join(dir, name));
  link(hypervisor?.xen ?? join(images.dir, "xen"), "xen");
  for (const name of ["vmlinux", "dom0.img"]) link(join(images.dir, name), name);
  if (hypervisor !== undefined) link(hypervisor.policy, "xenpolicy");
}
