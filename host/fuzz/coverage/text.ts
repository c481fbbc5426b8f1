// SPDX-License-Identifier: MIT
//
// A report of coverage as text: a table of files, then what was not reached, each with its place.

import { branchLine, type CoverageReport, type FileReport, type Share, stateOf } from "./report.js";

export function textOf(report: CoverageReport): string {
  const { files, neverEntered, oneSided, untold } = report;
  return [
    headOf(report),
    ...(files.length > 0 ? table(files) : ["no source map: by function and byte of the file"]),
    ...list(
      "functions never entered",
      neverEntered.map(({ at, name }) => `${at}  ${name}`),
    ),
    ...list("lines not reached", files.flatMap(missedOf)),
    ...list("branches with one side never taken", oneSided.map(branchLine)),
    ...list(
      "functions that could not be told apart",
      untold.map(({ at, name }) => `${at}  ${name}`),
    ),
  ].join("\n");
}

/** One line: who, how many inputs, how much of what. */
export function headOf({ module, version, corpus, inputs, faults, sum }: CoverageReport): string {
  const parts = [
    ...(sum.lines.all > 0 ? [`${of(sum.lines)} lines`] : []),
    `${of(sum.instructions)} instructions`,
    `${of(sum.functions)} functions`,
    `${of(sum.branches)} branches both ways`,
  ];
  const ended = faults > 0 ? ` (${faults} end in a fault)` : "";
  const title = [module, version].filter(Boolean).join(" ");
  return `${title}: ${inputs} inputs of ${corpus}${ended} reach ${parts.join(", ")}`;
}

const of = ({ reached, all }: Share): string => `${reached} of ${all}`;

export function percent({ reached, all }: Share): string {
  return all === 0 ? "-" : `${((100 * reached) / all).toFixed(1)} %`;
}

function table(files: readonly FileReport[]): string[] {
  const rows = files.map(({ path, sum: { lines, branches } }) => [
    path,
    `${lines.reached}/${lines.all}`,
    percent(lines),
    `${branches.reached}/${branches.all}`,
  ]);
  const all = [["file", "lines", "", "branches"], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all.map(([path = "", ...numbers]) =>
    [path.padEnd(widths[0] ?? 0), ...numbers.map((one, i) => one.padStart(widths[i + 1] ?? 0))].join("  "),
  );
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((one) => `  ${one}`)];
}

/** "FILE:12, 40-43": neighbours in the list of lines that have code. */
function missedOf({ path, lines }: FileReport): string[] {
  const runs: [first: number, last: number][] = [];
  let before = false;
  for (const one of lines) {
    const missed = stateOf(one) === "missed";
    const run = runs.at(-1);
    if (missed && before && run !== undefined) run[1] = one.line;
    else if (missed) runs.push([one.line, one.line]);
    before = missed;
  }
  const words = runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  return words.length === 0 ? [] : [`${path}:${words.join(", ")}`];
}
