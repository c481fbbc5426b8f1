// SPDX-License-Identifier: MIT
//
// What a simulation says: for each guest the share that it got beside the one that a fluid engine would give it, waits,
// deadlines, what became of it; and what the decisions cost.

import { fluidShares } from "./fluid.js";
import type { Distribution, GuestLoad, Load } from "./load.js";
import type { PolicyName } from "./scheduler.js";
import type { GuestResult, Result } from "./simulate.js";

export interface GuestReport {
  name: string;
  share: number;
  /** By the fluid model of the parameters and loads at the start; null for the deadline policy. */
  wanted: number | null;
  done: number;
  waitP50Us: number;
  waitP99Us: number;
  waitMaxUs: number;
  /** Longest time that it wanted the engine and did not get it. */
  gapUs: number;
  late: number;
  withDeadline: number;
  lost: boolean;
}

export interface Report {
  policy: PolicyName;
  timeMs: number;
  busy: number;
  decisions: number;
  stepsPerDecision: number;
  stepsMax: number;
  nsPerDecision: number;
  /** Of all guests: the largest difference between share and wanted, over wanted. */
  shareErrorMax: number | null;
  guests: GuestReport[];
}

/** `wallNs` is what the whole run took, this program's own part included. */
export function reportOf(load: Load, policy: PolicyName, result: Result, wallNs: number): Report {
  const wanted = policy === "deadline" ? undefined : fluidShares(policy, load.guests.map(drinker));
  const guests = result.guests.map((guest, i) => guestReport(guest, result.timeNs, wanted?.[i] ?? null));
  const errors = guests.flatMap(({ share, wanted: w }) => (w === null || w === 0 ? [] : [Math.abs(share - w) / w]));
  return {
    policy,
    timeMs: result.timeNs / 1e6,
    busy: result.busyNs / result.timeNs,
    decisions: result.decisions,
    stepsPerDecision: result.decisions === 0 ? 0 : result.steps / result.decisions,
    stepsMax: result.stepsMax,
    nsPerDecision: result.decisions === 0 ? 0 : wallNs / result.decisions,
    shareErrorMax: wanted === undefined ? null : errors.reduce((most, one) => Math.max(most, one), 0),
    guests,
  };
}

function drinker(guest: GuestLoad) {
  const { weight = 1, cap = 100, priority = "normal", execQuantumUs = 2000 } = guest;
  return { weight, cap, priority, execQuantumUs, demand: Math.min(1, demandOf(guest)) };
}

/** Part of the engine that it asks for; a closed one at most what it takes when it never waits. */
function demandOf({ arrivals, costUs = 1000 }: GuestLoad): number {
  const cost = mean(costUs);
  if (arrivals.kind === "periodic") return cost / arrivals.everyUs;
  if (arrivals.kind === "poisson") return cost / arrivals.meanUs;
  if (arrivals.kind === "closed") return cost / (cost + mean(arrivals.thinkUs));
  return 1;
}

function mean(distribution: Distribution): number {
  if (typeof distribution === "number") return distribution;
  return "mean" in distribution ? distribution.mean : (distribution.min + distribution.max) / 2;
}

function guestReport(guest: GuestResult, timeNs: number, wanted: number | null): GuestReport {
  const waits = Float64Array.from(guest.waitsNs).sort();
  const at = (part: number): number => (waits[Math.max(0, Math.ceil(waits.length * part) - 1)] ?? 0) / 1000;
  return {
    name: guest.name,
    share: guest.usedNs / timeNs,
    wanted,
    done: guest.done,
    waitP50Us: at(0.5),
    waitP99Us: at(0.99),
    waitMaxUs: at(1),
    gapUs: guest.gapNs / 1000,
    late: guest.late,
    withDeadline: guest.withDeadline,
    lost: guest.lost,
  };
}

const ROWS_MAX = 40;

export function tableOf(report: Report): string {
  const head = ["guest", "share", "wanted", "done", "wait p50", "p99", "longest gap", "late", ""];
  const rows = report.guests
    .slice(0, ROWS_MAX)
    .map((guest) => [
      guest.name,
      percent(guest.share),
      guest.wanted === null ? "-" : percent(guest.wanted),
      String(guest.done),
      ms(guest.waitP50Us),
      ms(guest.waitP99Us),
      ms(guest.gapUs),
      guest.withDeadline === 0 ? "-" : `${guest.late}/${guest.withDeadline}`,
      guest.lost ? "lost" : "",
    ]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] as string).length)));
  const line = (row: string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join("  ")
      .trimEnd();
  const more =
    report.guests.length > ROWS_MAX ? [`... and ${report.guests.length - ROWS_MAX} more (--json has all)`] : [];
  return [line(head), ...rows.map(line), ...more, "", summary(report)].join("\n");
}

function summary(report: Report): string {
  const error = report.shareErrorMax === null ? "" : `, share error at most ${percent(report.shareErrorMax)}`;
  return (
    `policy ${report.policy}, ${report.timeMs} ms simulated: engine busy ${percent(report.busy)}${error}; ` +
    `${report.decisions} decisions of ${report.stepsPerDecision.toFixed(1)} steps ` +
    `(at most ${report.stepsMax} a call), ` +
    `${Math.round(report.nsPerDecision)} ns each with all of the simulation`
  );
}

function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`;
}

function ms(us: number): string {
  return `${(us / 1000).toFixed(2)} ms`;
}
