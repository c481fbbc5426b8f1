// SPDX-License-Identifier: MIT
//
// The demo with one driver domain and three guests under FLASK (guests.sh), and the judgement of what it measured:
// each guest's picture has the same CRC-32 on both sides and is no other guest's, nobody's drawing traps, and Xen
// refused nothing.

import { join } from "node:path";
import { DOM0_PROGRAMS } from "../native.js";
import { guestLog, readOutput, type ScenarioOptions, type ScenarioResult } from "../scenario.js";
import { type Drawing, type Figures, GLOVEBOX_ELF, MODULES_IMG } from "./demo.js";
import guestsScript from "./guests.sh";
import endScript from "./guests-end.sh";
import guestScript from "./guests-guest.sh";

export const GUESTS = ["one", "two", "three"];
export const GUEST_LABEL = "system_u:system_r:glovebox_guest_t";
const MODE = "1024x768";
/** Linux, a ramdisk of 10 MB and one picture twice. */
const GUEST_MIB = 144;

export function guests(more = ""): ScenarioOptions {
  const guest = (variant: number) => ({
    script: `VARIANT=${variant}\n${guestScript}`,
    cfg: { memory: GUEST_MIB, seclabel: GUEST_LABEL },
  });
  return {
    name: "flask",
    xen: "flask",
    dom0Script: `GUESTS="${GUESTS.join(" ")}"\n${guestsScript}${more}${endScript}`,
    files: { gbctl: join(DOM0_PROGRAMS, "gbctl"), "glovebox.elf": GLOVEBOX_ELF, "modules.img": MODULES_IMG },
    guests: Object.fromEntries(GUESTS.map((name, variant) => [name, guest(variant)])),
  };
}

export interface GuestReport {
  name: string;
  kernel: string;
  display: string;
  label: string;
  drawing: Drawing;
  /** Counters of its vGPU at the end. */
  vgpu: Figures;
}

export interface GuestsReport {
  xen: string;
  /** From the first guest's creation to the last pixel of the last picture, in the machine's seconds. */
  seconds: number;
  domain: Figures;
  guests: GuestReport[];
  /** What is wrong, in words; empty when all is as promised. */
  faults: string[];
}

const line = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1]?.trim() ?? "";
const figures = (result: ScenarioResult, name: string): Figures => JSON.parse(readOutput(result, name)) as Figures;

export function readGuests(result: ScenarioResult): GuestsReport {
  const [begin = 0, end = 0] = readOutput(result, "times").split(" ").map(Number);
  const report = {
    xen: line(readOutput(result, "xl-info.txt"), /^xen_version +: (.*)$/m),
    seconds: Math.round((end - begin) * 10) / 10,
    domain: figures(result, "driver.json"),
    guests: GUESTS.map((name) => readGuest(result, name)),
  };
  return { ...report, faults: judge(report, result) };
}

function readGuest(result: ScenarioResult, name: string): GuestReport {
  const log = guestLog(result, name).replaceAll("\r", "");
  const crc = figures(result, `crc-${name}.json`);
  const traps =
    Number(figures(result, `after-${name}.json`).guest_traps) -
    Number(figures(result, `before-${name}.json`).guest_traps);
  const label = new RegExp(`^${name} .* (\\S+)$`, "m");
  return {
    name,
    kernel: line(log, /^GUEST up: (.*)$/m),
    display: line(log, /^GUEST display (.*)$/m),
    label: line(readOutput(result, "labels.txt"), label),
    drawing: {
      mode: MODE,
      traps,
      guestCrc: line(log, new RegExp(`^DRAW done ${MODE} crc=([0-9a-f]{8})`, "m")),
      domainCrc: `${crc.width}x${crc.height}` === MODE ? String(crc.crc32) : `of a picture ${crc.width}x${crc.height}`,
    },
    vgpu: figures(result, `stat-${name}.json`),
  };
}

/** What FLASK refused, in Xen's words. */
export function denials(xenLog: string): string[] {
  return [...xenLog.matchAll(/avc: +denied .*/g)].map((match) => match[0]);
}

function judge(report: Omit<GuestsReport, "faults">, result: ScenarioResult): string[] {
  const faults: string[] = [];
  for (const { name, display, label, drawing } of report.guests) {
    if (!display.endsWith("0x1234:0x1111 driver=bochs-drm")) faults.push(`guest ${name}: its display is "${display}"`);
    if (label !== GUEST_LABEL) faults.push(`guest ${name}: its label is "${label}"`);
    if (drawing.traps !== 0) faults.push(`guest ${name}: ${drawing.traps} traps while drawing instead of 0`);
    if (drawing.guestCrc !== drawing.domainCrc || drawing.guestCrc === "")
      faults.push(`guest ${name}: it drew CRC ${drawing.guestCrc}, the driver domain sees ${drawing.domainCrc}`);
  }
  const pictures = new Set(report.guests.map((guest) => guest.drawing.guestCrc));
  if (pictures.size !== report.guests.length) faults.push("two guests drew the same picture");
  if (report.domain.guests !== report.guests.length)
    faults.push(`the driver domain serves ${report.domain.guests} guests instead of ${report.guests.length}`);
  for (const denial of denials(readOutput(result, "xen.txt"))) faults.push(`FLASK refused: ${denial}`);
  return faults;
}
