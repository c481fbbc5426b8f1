// SPDX-License-Identifier: MIT
//
// The benches' reports as text.

import { type CanaryReport, type Summary, summaryOf } from "./canaries.js";
import type { FuzzBenchReport } from "./fuzz.js";
import type { LatencyReport, Wish } from "./latency.js";
import { KINDS } from "./measure.js";
import { type ModulesReport, NS_PER_INSTRUCTION } from "./modules.js";
import type { WallReport } from "./wall.js";

const HEAD = ["MMIO read", "MMIO write", "port in", "port out"];

export function latencyText(report: LatencyReport): string {
  const first = report.rows[0]?.kiloInstructions.mmio_read ?? Number.NaN;
  const rows = report.rows.map(({ who, kiloInstructions }) => [
    who,
    ...KINDS.map((kind) => figure(kiloInstructions[kind])),
    figure((kiloInstructions.mmio_read ?? Number.NaN) / first),
  ]);
  const lines = table(["who answers", ...HEAD, "read / ours"], rows);
  return [
    "Trap latency, thousand instructions there and back (median of 3000, -icount)",
    ...lines,
    "",
    `from entry to ready: ${(report.entryToReadyNs / 1000).toFixed(1)} us virtual`,
    ...report.wishes.map(wishText),
    "",
  ].join("\n");
}

export function wallText(report: WallReport): string {
  const rows = report.rows.map(({ who, minUs }) => [who, ...KINDS.map((kind) => figure(minUs[kind]))]);
  const lines = table(["who answers", ...HEAD], rows);
  return [
    "Trap latency, least wall-clock microseconds (compare inside this table only)",
    ...lines,
    "",
    ...report.wishes.map(wishText),
    "",
  ].join("\n");
}

export function fuzzText(report: FuzzBenchReport): string {
  const first = report.rows[0]?.perSecond ?? Number.NaN;
  const rows = report.rows.map(({ who, perSecond }) => [who, perSecond.toFixed(0), figure(first / perSecond)]);
  return [
    `Fuzzing ${report.module}, ${report.inputs} inputs of 64 operations: executions a second of processor time`,
    ...table(["who", "a second", "first / this"], rows),
    "",
    ...report.wishes.map(wishText),
    "",
  ].join("\n");
}

/** A table of Markdown, as docs/FUZZING.md has it. */
export function canariesText(report: CanaryReport): string {
  const seconds = (value: number, { limit }: Summary): string =>
    Number.isFinite(value) ? figure(value) : `> ${limit}`;
  const runs = (value: number): string => (Number.isFinite(value) ? String(value) : "-");
  const rows = report.rows.map(({ canary, ours, peer }) => {
    const own = summaryOf(ours);
    const cells = [canary, `${own.found}/${own.of}`, runs(own.executions)].concat(
      [own.cpuSeconds, own.worst].map((one) => seconds(one, own)),
    );
    if (typeof peer === "string" || peer.length === 0)
      return [...cells, typeof peer === "string" ? peer : "not asked", "", ""];
    const theirs = summaryOf(peer);
    return [...cells, `${theirs.found}/${theirs.of}`, runs(theirs.executions), seconds(theirs.cpuSeconds, theirs)];
  });
  const head = ["canary", "found", "runs", "seconds", "worst", "peer", "runs", "seconds"];
  const all = report.rows.flatMap(({ ours, peer }) => (Array.isArray(peer) ? [...ours, ...peer] : ours));
  const at = [...new Set(all.map((one) => one.commit))].join(", ");
  return [
    `Canaries: medians over seeds from 1, processor time, at most ${report.seconds} s each; at ${at}`,
    "",
    ...[head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`),
    "",
    ...report.wishes.map(wishText),
    "",
  ].join("\n");
}

export function modulesText(report: ModulesReport): string {
  const us = (instructions: number): string => figure((instructions * NS_PER_INSTRUCTION) / 1000);
  const calls = report.calls.map(({ who, instructions, fuel }) => [
    who,
    String(instructions),
    us(instructions),
    fuel === undefined ? "-" : String(fuel),
  ]);
  const files = report.files.map(({ module, wasmBytes, gbxBytes, packSeconds, gccSeconds }) => [
    module,
    String(wasmBytes),
    String(gbxBytes),
    figure(packSeconds),
    figure(gccSeconds),
  ]);
  return [
    `An instance of register-file, counted step by step (${NS_PER_INSTRUCTION} ns an instruction, as under -icount)`,
    ...table(["what", "instructions", "us virtual", "fuel"], calls),
    "",
    "Packing, seconds of the clock, nothing kept from before",
    ...table(["module", ".wasm bytes", ".gbx bytes", "pack s", "gcc alone s"], files),
    "",
    ...report.wishes.map(wishText),
    "",
  ].join("\n");
}

export const figure = (value: number | null): string =>
  value === null || Number.isNaN(value) ? "-" : value.toFixed(2);

export const wishText = ({ what, got, limit, unit, met }: Wish): string =>
  `${met ? "met " : "MISS"}  ${what}: ${figure(got)} ${unit}, wanted at most ${figure(limit)}`;

export function table(head: string[], rows: string[][]): string[] {
  const width = head.map((_, i) => Math.max(...[head, ...rows].map((row) => (row[i] ?? "").length)));
  const line = (row: string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(width[i] ?? 0) : cell.padStart(width[i] ?? 0))).join("  ");
  return [line(head), ...rows.map(line)];
}
