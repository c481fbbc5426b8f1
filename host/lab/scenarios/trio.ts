// SPDX-License-Identifier: MIT
//
// The demo with one driver domain for three guests under FLASK (trio.sh, trio-guests.sh): two on virtio-gpu with two
// outputs each, one on bochs-display; and the judgement of what it measured: each picture has the same CRC-32 on both
// sides and is no other's, drawing into mapped memory does not trap, both that want the engine get it by weight, Xen
// refused nothing.

import { join } from "node:path";
import type { GuestOptions } from "../guest.js";
import { DOM0_PROGRAMS } from "../native.js";
import { guestLog, readOutput, type ScenarioOptions, type ScenarioResult } from "../scenario.js";
import { type Drawing, type Figures, GLOVEBOX_ELF, MODULES_IMG } from "./demo.js";
import { denials, GUEST_LABEL } from "./guests.js";
import panelScript from "./guests-guest.sh";
import trioScript from "./trio.sh";
import endScript from "./trio-end.sh";
import pairScript from "./trio-guest.sh";
import guestsScript from "./trio-guests.sh";

export const MODES = ["1024x768", "1280x720"];
export const WEIGHTS = { left: 8, right: 4 } as const;
export const PAIR = ["left", "right"] as const;
/** Every screen: guest and output; also the pictures' names. */
export const SCREENS = ["left-0", "left-1", "right-0", "right-1", "panel-0"];
/** Of what is wanted; how exact shares are is test/xen's business, over longer times. */
const SHARE_TOLERANCE = 0.1;
const SHARE_SECONDS = 8;
const TOTAL_WEIGHT = WEIGHTS.left + WEIGHTS.right;
/** Linux, its ramdisk, the pictures. */
const GUEST_MIB = 144;
const PANEL_VARIANT = 4;

/** What Dom0 and the guests do when the driver domain of trio.sh is there. */
export interface TrioScene {
  name: string;
  /** Of the outputs of each guest on virtio-gpu. */
  modes: readonly string[];
  /** Dom0; also creates the guests. */
  script: string;
  /** The guests on virtio-gpu, when gb-kms has ended. */
  guestScript?: string;
  guestFiles?: Record<string, string>;
}

export function trio(): ScenarioOptions {
  const set = `LEFT_WEIGHT=${WEIGHTS.left}\nRIGHT_WEIGHT=${WEIGHTS.right}\nSHARE_SECONDS=${SHARE_SECONDS}\n`;
  return trioScene({ name: "trio", modes: MODES, script: set + guestsScript + endScript });
}

export function trioScene(scene: TrioScene): ScenarioOptions {
  const cfg = { memory: GUEST_MIB, seclabel: GUEST_LABEL };
  const pair: GuestOptions = {
    script: pairScript + (scene.guestScript ?? ""),
    programs: ["gb-kms"],
    files: scene.guestFiles,
    cfg,
  };
  return {
    name: scene.name,
    xen: "flask",
    dom0Script: `MODES="${scene.modes.join(" ")}"\n${trioScript}${scene.script}`,
    files: { gbctl: join(DOM0_PROGRAMS, "gbctl"), "glovebox.elf": GLOVEBOX_ELF, "modules.img": MODULES_IMG },
    guests: {
      ...Object.fromEntries(PAIR.map((name) => [name, pair])),
      panel: { script: `VARIANT=${PANEL_VARIANT}\n${panelScript}`, programs: ["gb-draw"], cfg },
    },
  };
}

/** What one of the pair got of the engine while both wanted it all the time. */
export interface Share {
  weight: number;
  /** Parts of the engine's time. */
  wanted: number;
  got: number;
  framesPerSecond: number;
  waitP50Us: number;
  waitP99Us: number;
  trapsPerFrame: number;
}

export interface Screen {
  name: string;
  mode: string;
  guestCrc: string;
  domainCrc: string;
}

export interface TrioGuest {
  name: string;
  kernel: string;
  display: string;
  label: string;
  screens: Screen[];
  /** Of the guests that share the engine. */
  share?: Share;
  /** Of the guest that draws into mapped memory: traps meanwhile. */
  drawing?: Drawing;
  /** Counters of its vGPU at the end. */
  vgpu: Figures;
}

export interface TrioReport {
  xen: string;
  domain: Figures;
  guests: TrioGuest[];
  /** What is wrong, in words; empty when all is as promised. */
  faults: string[];
}

const line = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1]?.trim() ?? "";
const figures = (result: ScenarioResult, name: string): Figures =>
  JSON.parse(readOutput(result, `${name}.json`)) as Figures;
export const logOf = (result: ScenarioResult, name: string): string => guestLog(result, name).replaceAll("\r", "");

export function readTrio(result: ScenarioResult): TrioReport {
  const report = {
    xen: line(readOutput(result, "xl-info.txt"), /^xen_version +: (.*)$/m),
    domain: figures(result, "driver"),
    guests: [...PAIR.map((name) => readPair(result, name)), readPanel(result)],
  };
  return { ...report, faults: judge(report, result) };
}

function readGuest(result: ScenarioResult, name: string): Omit<TrioGuest, "screens"> {
  const log = logOf(result, name);
  return {
    name,
    kernel: line(log, /^GUEST up: (.*)$/m),
    display: line(log, /^GUEST display (.*)$/m),
    label: line(readOutput(result, "labels.txt"), new RegExp(`^${name} .* (\\S+)$`, "m")),
    vgpu: figures(result, `stat-${name}`),
  };
}

function readPair(result: ScenarioResult, name: (typeof PAIR)[number]): TrioGuest {
  const log = logOf(result, name);
  const screens = MODES.map((mode, output) =>
    readScreen(result, `${name}-${output}`, mode, `^KMS drawn ${output} ${mode} crc=([0-9a-f]{8})`, log),
  );
  return { ...readGuest(result, name), screens, share: readShare(result, name) };
}

function readPanel(result: ScenarioResult): TrioGuest {
  const [mode = ""] = MODES;
  const screen = readScreen(result, "panel-0", mode, `^DRAW done ${mode} crc=([0-9a-f]{8})`, logOf(result, "panel"));
  const traps = (when: string): number => Number(figures(result, `stat-${when}-panel`).guest_traps);
  const drawing = { ...screen, traps: traps("after") - traps("before") };
  return { ...readGuest(result, "panel"), screens: [screen], drawing };
}

function readScreen(result: ScenarioResult, name: string, mode: string, said: string, log: string): Screen {
  const crc = figures(result, `crc-drawn-${name}`);
  const size = `${crc.width}x${crc.height}`;
  return {
    name,
    mode,
    guestCrc: line(log, new RegExp(said, "m")),
    domainCrc: size === mode ? String(crc.crc32) : `of a picture ${size}`,
  };
}

function readShare(result: ScenarioResult, name: (typeof PAIR)[number]): Share {
  const begin = figures(result, `engine-begin-${name}`);
  const end = figures(result, `engine-end-${name}`);
  const since = (key: string): number => Number(end[key]) - Number(begin[key]);
  const traps = (when: string): number => Number(figures(result, `stat-${when}-${name}`).guest_traps);
  return {
    weight: Number(end.weight),
    wanted: WEIGHTS[name] / TOTAL_WEIGHT,
    got: since("busy_ns") === 0 ? 0 : since("engine_ns") / since("busy_ns"),
    framesPerSecond: since("done") / (since("now_ns") / 1e9),
    waitP50Us: Number(end.wait_p50_us),
    waitP99Us: Number(end.wait_p99_us),
    trapsPerFrame: (traps("end") - traps("begin")) / Math.max(since("done"), 1),
  };
}

function judge(report: Omit<TrioReport, "faults">, result: ScenarioResult): string[] {
  const faults: string[] = [];
  const screens = report.guests.flatMap((guest) => guest.screens);
  for (const guest of report.guests) faults.push(...judgeGuest(guest));
  for (const { name, mode, guestCrc, domainCrc } of screens) {
    if (guestCrc !== domainCrc || guestCrc === "")
      faults.push(`${name}, ${mode}: the guest drew CRC ${guestCrc}, the driver domain sees ${domainCrc}`);
  }
  for (const { name, domainCrc } of screens.filter(({ name }) => !name.startsWith("panel"))) {
    const after = figures(result, `crc-flooded-${name}`).crc32;
    if (after !== domainCrc) faults.push(`${name}: CRC ${domainCrc} became ${after} while its engine was shared`);
  }
  if (new Set(screens.map((screen) => screen.guestCrc)).size !== SCREENS.length)
    faults.push("two outputs show the same picture");
  if (report.domain.guests !== report.guests.length)
    faults.push(`the driver domain serves ${report.domain.guests} guests instead of ${report.guests.length}`);
  for (const denial of denials(readOutput(result, "xen.txt"))) faults.push(`FLASK refused: ${denial}`);
  return faults;
}

function judgeGuest({ name, display, label, share, drawing }: TrioGuest): string[] {
  const faults: string[] = [];
  const driver = share === undefined ? "bochs-drm" : "virtio_gpu";
  if (!display.endsWith(`driver=${driver}`)) faults.push(`guest ${name}: its display is "${display}"`);
  if (label !== GUEST_LABEL) faults.push(`guest ${name}: its label is "${label}"`);
  if (drawing !== undefined && drawing.traps !== 0)
    faults.push(`guest ${name}: ${drawing.traps} traps while drawing instead of 0`);
  if (share !== undefined && Math.abs(share.got / share.wanted - 1) > SHARE_TOLERANCE)
    faults.push(`guest ${name}: got ${percent(share.got)} of the engine instead of ${percent(share.wanted)}`);
  return faults;
}

export const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
