// SPDX-License-Identifier: MIT
//
// The tutorial's last step (tutorial.sh): what `glovebox image` left in a folder boots in the lab, and one guest gets a
// device of each module. The report says what the guest sees: PCI devices, and the starting points' registers.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { DOM0_PROGRAMS } from "../native.js";
import { guestLog, readOutput, type ScenarioOptions, type ScenarioResult } from "../scenario.js";
import dom0Script from "./tutorial.sh";
import script from "./tutorial-guest.sh";

/** What `glovebox image` makes. */
const FILES = ["glovebox.elf", "modules.img", "glovebox.cfg"];

export function tutorial(folder: string): ScenarioOptions {
  const missing = FILES.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) {
    throw new Error(`${folder} has no ${missing.join(", ")}; glovebox image --modules DIR -o ${folder} makes them`);
  }
  return {
    name: "tutorial",
    dom0Script,
    files: {
      gbctl: join(DOM0_PROGRAMS, "gbctl"),
      ...Object.fromEntries(FILES.map((name) => [name, resolve(folder, name)])),
    },
    guests: { tutorial: { script } },
  };
}

export interface TutorialDevice {
  /** NAME@VERSION */
  module: string;
  /** As the guest's sysfs has it. */
  address: string;
  ids: string;
  /** Only of vendor fffe: what gb-regs read. */
  identity?: string;
  scratch?: string;
  /** How many interrupts came for the one that was asked for. */
  interrupts?: number;
  /** The driver domain's counters. */
  traps: number;
  irqs: number;
}

export interface TutorialReport {
  devices: TutorialDevice[];
  faults: string[];
}

export function readTutorial(result: ScenarioResult): TutorialReport {
  const log = guestLog(result, "tutorial").replaceAll("\r", "");
  const titles = readOutput(result, "titles.txt").trim().split("\n");
  const seen = [...log.matchAll(/^DEVICE (\S+) 0x(\w{4}):0x(\w{4}) /gm)];
  const devices = titles.flatMap((module, i) => {
    const [, address, vendor, device] = seen[i] ?? [];
    if (address === undefined) return [];
    const said = (word: string): string | undefined => new RegExp(`^${word} ${address} (.*)$`, "m").exec(log)?.[1];
    const { traps, irqs } = JSON.parse(readOutput(result, `stat-${i}.json`)) as { traps: number; irqs: number };
    const own = vendor === "fffe" ? registers(said) : {};
    return [{ module, address, ids: `${vendor}:${device}`, ...own, traps, irqs }];
  });
  return { devices, faults: judge(titles, devices, readOutput(result, "refused.txt")) };
}

function registers(said: (word: string) => string | undefined): Partial<TutorialDevice> {
  const value = (word: string): string => /^REGS (0x\w+)$/.exec(said(word) ?? "")?.[1] ?? said(word) ?? "nothing";
  const [, before, after] = /^INTERRUPT before=(\d+) after=(\d+)$/.exec(said("RAISED") ?? "") ?? [];
  return { identity: value("IDENTITY"), scratch: value("SCRATCH"), interrupts: Number(after) - Number(before) };
}

function judge(titles: readonly string[], devices: readonly TutorialDevice[], refused: string): string[] {
  const faults = refused.trim() === "" ? [] : [`refused at the start: ${refused.trim()}`];
  if (devices.length < titles.length) {
    faults.push(`the guest shows ${devices.length} devices for ${titles.length} modules (${titles.join(", ")})`);
  }
  return faults;
}

/** As plain lines, one for each device. */
export function tutorialText({ devices }: TutorialReport): string {
  const lines = devices.map(({ module, address, ids, identity, interrupts }) => {
    const registers = identity === undefined ? "" : `: IDENTITY reads ${identity}, interrupts received ${interrupts}`;
    return `${module} is ${address}, ${ids} in the guest${registers}\n`;
  });
  return lines.join("");
}
