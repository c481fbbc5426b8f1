// SPDX-License-Identifier: MIT
//
// A guest of a scenario: its xl configuration and what is laid over the common ramdisk (its script and our test
// programs). Dom0 joins the two ramdisks; Linux unpacks joined archives one after the other.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CpioEntry, cpio, directory, file } from "./cpio.js";
import { GUEST_PROGRAMS } from "./native.js";

export interface GuestOptions {
  /** POSIX sh; `load MODULE` inserts a kernel module, our programs are in PATH. */
  script: string;
  /** Lines for the configuration; a key given here replaces the usual line. */
  cfg?: Record<string, string | number | boolean | string[]> | undefined;
  /** More files for /lab: name there -> path here. */
  files?: Record<string, string> | undefined;
  /** Which of our programs; all of them when it is not said. */
  programs?: string[] | undefined;
}

const GUEST_MIB = 256;
/**
 * The emulated processor is AMD's family 15, and for that Linux looks for an AGP bridge in every slot of 256 buses,
 * twice, by some 16,000 reads that find nothing: a third of its boot. For family 20 it knows that there is none.
 */
const CPUID = "host,family=20";

export function guestConfig(name: string, guest: GuestOptions): string {
  const cfg = {
    name,
    type: "pvh",
    kernel: guest.cfg?.type === "hvm" ? "/boot/vmlinuz" : "/boot/vmlinux",
    ramdisk: `/lab/guests/${name}.img`,
    extra: "console=hvc0 pci=conf1,noacpi loglevel=6",
    memory: GUEST_MIB,
    vcpus: 1,
    tsc_mode: "native",
    cpuid: CPUID,
    on_poweroff: "destroy",
    on_reboot: "destroy",
    on_crash: "destroy",
    ...guest.cfg,
  };
  return `${Object.entries(cfg)
    .map(([key, value]) => `${key} = ${JSON.stringify(typeof value === "boolean" ? Number(value) : value)}`)
    .join("\n")}\n`;
}

export function guestOverlay(guest: GuestOptions): Buffer {
  const entries: CpioEntry[] = [directory("lab"), file("lab/scenario.sh", guest.script)];
  const programs = guest.programs ?? (existsSync(GUEST_PROGRAMS) ? readdirSync(GUEST_PROGRAMS) : []);
  for (const name of programs) entries.push(file(`lab/${name}`, readFileSync(join(GUEST_PROGRAMS, name))));
  for (const [name, path] of Object.entries(guest.files ?? {})) entries.push(file(`lab/${name}`, readFileSync(path)));
  return cpio(entries);
}
