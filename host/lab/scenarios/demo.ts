// SPDX-License-Identifier: MIT
//
// The demo (demo.sh) and the judgement of what it measured: the display driver is Linux's own, each picture has the
// same CRC-32 in the guest and in the driver domain, and nothing trapped between its first and its last pixel.

import { join } from "node:path";
import { DOM0_PROGRAMS } from "../native.js";
import { BUILD } from "../paths.js";
import { guestLog, readOutput, type ScenarioOptions, type ScenarioResult } from "../scenario.js";
import dom0Script from "./demo.sh";
import script from "./demo-guest.sh";

/** The driver domain, as xl boots it. */
export const GLOVEBOX_ELF = join(BUILD, "unikernel/glovebox.elf");
/** Its modules, as shipped. */
export const MODULES_IMG = join(BUILD, "unikernel/modules.img");
export const MODES = ["1024x768", "1280x720"];

export function demo(): ScenarioOptions {
  return {
    name: "demo",
    dom0Script,
    files: { gbctl: join(DOM0_PROGRAMS, "gbctl"), "glovebox.elf": GLOVEBOX_ELF, "modules.img": MODULES_IMG },
    guests: { demo: { script } },
  };
}

/** What gbctl prints with --json: figures are numbers, the rest text. */
export type Figures = Record<string, number | string>;

export interface Drawing {
  mode: string;
  /** Of the whole guest, from before the first pixel to after the last. */
  traps: number;
  guestCrc: string;
  domainCrc: string;
}

export interface DemoReport {
  xen: string;
  kernel: string;
  display: string;
  drawings: Drawing[];
  /** Counters of the vGPU at the end. */
  vgpu: Figures;
  /** Figures of the driver domain. */
  domain: Figures;
  /** What is wrong, in words; empty when all is as promised. */
  faults: string[];
}

export function readDemo(result: ScenarioResult): DemoReport {
  const guest = guestLog(result, "demo").replaceAll("\r", "");
  const info = readOutput(result, "xl-info.txt");
  const line = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1]?.trim() ?? "";
  const report = {
    xen: line(info, /^xen_version +: (.*)$/m),
    kernel: line(guest, /^GUEST up: (.*)$/m),
    display: line(guest, /^GUEST display (.*)$/m),
    drawings: MODES.map((mode) => readDrawing(result, guest, mode)),
    vgpu: figures(result, "stat.json"),
    domain: figures(result, "driver.json"),
  };
  return { ...report, faults: judge(report) };
}

function figures(result: ScenarioResult, name: string): Figures {
  return JSON.parse(readOutput(result, name)) as Figures;
}

function readDrawing(result: ScenarioResult, guest: string, mode: string): Drawing {
  const before = figures(result, `before-${mode}.json`);
  const after = figures(result, `after-${mode}.json`);
  const crc = figures(result, `crc-${mode}.json`);
  const said = new RegExp(`^DRAW done ${mode} crc=([0-9a-f]{8})`, "m").exec(guest)?.[1] ?? "none";
  const traps = Number(after.guest_traps) - Number(before.guest_traps);
  const size = `${crc.width}x${crc.height}`;
  return { mode, traps, guestCrc: said, domainCrc: size === mode ? String(crc.crc32) : `of a picture ${size}` };
}

function judge(report: Omit<DemoReport, "faults">): string[] {
  const faults: string[] = [];
  if (!/0x1234:0x1111 driver=bochs-drm$/.test(report.display)) {
    faults.push(`the guest's display is "${report.display}" instead of 0x1234:0x1111 with driver=bochs-drm`);
  }
  for (const { mode, traps, guestCrc, domainCrc } of report.drawings) {
    if (traps !== 0) faults.push(`${mode}: ${traps} traps while drawing instead of 0`);
    if (guestCrc !== domainCrc)
      faults.push(`${mode}: the guest drew CRC ${guestCrc}, the driver domain sees ${domainCrc}`);
  }
  return faults;
}
