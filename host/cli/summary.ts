// SPDX-License-Identifier: MIT
//
// The demos' figures as a few lines of text.

import type { DemoReport, Figures } from "../lab/scenarios/demo.js";
import type { GuestsReport } from "../lab/scenarios/guests.js";

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

/** One line for each guest, and its picture's place. */
export function guestsSummary(report: GuestsReport, pictures: readonly string[], logs: string): string {
  const { domain, guests } = report;
  const memory = (number(domain, "memory_pages") * PAGE_KIB) / KIB;
  const rows = [
    [
      "booted",
      `Xen ${report.xen} with FLASK, enforcing; one driver domain of ${memory} MiB for ${domain.guests} guests`,
    ],
    ["drawn", `${report.seconds} s from the first guest's creation to the last pixel of all`],
    ...guests.map(({ name, label, kernel, drawing, vgpu }) => [
      name,
      `${kernel}, ${label}; ${vgpu.module}, ${vgpu.traps} traps, ${drawing.traps} while drawing; ` +
        `CRC-32 ${drawing.guestCrc} in the guest, ${drawing.domainCrc} in the driver domain`,
    ]),
    ["logs", logs],
    ...pictures.map((path, index) => [index === 0 ? "pictures" : "", path]),
  ];
  return table(rows);
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
