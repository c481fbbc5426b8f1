// SPDX-License-Identifier: MIT
//
// The demos' figures as a few lines of text.

import type { DemoReport, Figures } from "../lab/scenarios/demo.js";
import { percent, type Screen, type TrioGuest, type TrioReport } from "../lab/scenarios/trio.js";

const COUNTERS = {
  mmio_reads: "MMIO reads",
  mmio_writes: "MMIO writes",
  pio_reads: "port reads",
  pio_writes: "port writes",
  config_reads: "config reads",
  config_writes: "config writes",
  invalidates: "invalidates",
};
const PAGE_KIB = 4;
const NS_PER_MS = 1e6;
const KIB = 1024;

export function summary(report: DemoReport, picture: string, logs: string): string {
  const { domain, vgpu } = report;
  const ready = (number(domain, "ready_ns") - number(domain, "entry_ns")) / NS_PER_MS;
  const memory = (number(domain, "memory_pages") * PAGE_KIB) / KIB;
  const rows = [
    [
      "booted",
      `Xen ${report.xen}; driver domain, ready ${ready.toFixed(1)} ms after its start; guest with ${report.kernel}`,
    ],
    ["display", `${vgpu.module} at ${report.display}`],
    ["traps", `${vgpu.traps} at the display: ${traps(vgpu)}; ${vgpu.guest_traps} of the guest in all`],
    ...report.drawings.map((d) => [
      "drawing",
      `${d.mode}: ${d.traps} traps, CRC-32 ${d.guestCrc} in the guest, ${d.domainCrc} in the driver domain`,
    ]),
    ["fuel", `${vgpu.fuel_used} used, at most ${vgpu.fuel_max} in one call`],
    ["memory", `${memory} MiB domain, ${(number(domain, "image_bytes") / KIB).toFixed(0)} KiB image; ${ram(vgpu)}`],
    ["logs", logs],
    ["picture", picture],
  ];
  return table(rows);
}

/** One line for each guest, a table of who got what of the engine, and the pictures' places. */
export function trioSummary(report: TrioReport, pictures: readonly string[], logs: string): string {
  const { domain, guests } = report;
  const memory = (number(domain, "memory_pages") * PAGE_KIB) / KIB;
  const rows = [
    [
      "booted",
      `Xen ${report.xen} with FLASK, enforcing; one driver domain of ${memory} MiB for ${domain.guests} guests`,
    ],
    ...guests.map((guest) => [guest.name, `${guest.kernel}, ${guest.vgpu.module}; ${guest.vgpu.traps} traps`]),
    ...guests.flatMap((guest) => guest.screens).map((screen) => ["", screenText(screen)]),
    ["shares", SHARE_HEAD],
    ...guests.map((guest) => ["", shareText(guest)]),
    ["logs", logs],
    ...pictures.map((path, index) => [index === 0 ? "pictures" : "", path]),
  ];
  return table(rows);
}

const screenText = ({ name, mode, guestCrc, domainCrc }: Screen): string =>
  `${name.padEnd(8)} ${mode.padEnd(9)} CRC-32 ${guestCrc} in the guest, ${domainCrc} in the driver domain`;

const columns = (cells: readonly string[]): string =>
  cells.map((cell, index) => (index === 0 ? cell.padEnd(6) : cell.padStart(11))).join(" ");
const SHARE_HEAD = columns(["guest", "weight", "wanted", "got", "frames/s", "wait p50", "wait p99", "traps/frame"]);

/** Who draws into mapped memory wants nothing of the engine. */
function shareText({ name, share, drawing }: TrioGuest): string {
  if (share === undefined) return `${columns([name, "-", "-", "-"])}     (${drawing?.traps} traps for a whole picture)`;
  const us = (value: number): string => `${(value / 1000).toFixed(1)} ms`;
  return columns([
    name,
    String(share.weight),
    percent(share.wanted),
    percent(share.got),
    share.framesPerSecond.toFixed(1),
    us(share.waitP50Us),
    us(share.waitP99Us),
    share.trapsPerFrame.toFixed(3),
  ]);
}

const table = (rows: readonly (readonly string[])[]): string =>
  `\n${rows.map(([name = "", text]) => `${name.padEnd(8)} ${text}`).join("\n")}\n`;

function number(figures: Figures, key: string): number {
  return Number(figures[key] ?? 0);
}

function traps(vgpu: Figures): string {
  const parts = Object.entries(COUNTERS).map(([key, name]) => ({ count: number(vgpu, key), name }));
  return parts
    .filter(({ count }) => count > 0)
    .map(({ count, name }) => `${count} ${name}`)
    .join(", ");
}

const ram = (vgpu: Figures): string =>
  `${(number(vgpu, "ram_pages") * PAGE_KIB) / KIB} MiB of video memory in the guest`;
