// SPDX-License-Identifier: MIT
//
// A report of coverage as one HTML file that needs nothing else: a table, then each source with its lines in colours.
// Names and sources are anybody's text and are escaped.

import { branchLine, type CoverageReport, type FileReport, type LineReport, stateOf } from "./report.js";
import { headOf, percent } from "./text.js";

const STYLE = `
body { font: 14px/1.45 sans-serif; margin: 2em; color: #222; background: #fff }
table { border-collapse: collapse } td, th { padding: 2px 10px; text-align: right }
td:first-child, th:first-child { text-align: left } th { border-bottom: 1px solid #888 }
pre { margin: 0; font: 12px/1.4 monospace } details { margin: 1em 0 } summary { cursor: pointer; font-weight: bold }
.line { white-space: pre; padding-right: 1em } .number { color: #888; display: inline-block; width: 4em }
.reached { background: #dff5df } .partly { background: #fff3c4 } .missed { background: #fbd9d9 }
.why { color: #9a6700; padding-left: 2em }`;

/** `textOf` a source; undefined: nobody has it. */
export function htmlOf(report: CoverageReport, textOf: (path: string) => string | undefined): string {
  const { files, neverEntered, oneSided, untold } = report;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(`${report.module}: coverage`)}</title>
<style>${STYLE}</style></head><body>
<h1>${escaped(report.module)}: what the corpus reaches</h1>
<p>${escaped(headOf(report))}</p>
<p><span class="reached">&nbsp;all of the line's code ran, its branches both ways&nbsp;</span>
<span class="partly">&nbsp;some of it&nbsp;</span> <span class="missed">&nbsp;nothing&nbsp;</span></p>
${summary(files)}
${list(
  "Functions never entered",
  neverEntered.map(({ at, name }) => `${at}  ${name}`),
)}
${files.length === 0 ? list("Branches with one side never taken", oneSided.map(branchLine)) : ""}
${list(
  "Functions that could not be told apart",
  untold.map(({ at, name }) => `${at}  ${name}`),
)}
${files.map((one, i) => source(one, i, textOf(one.path))).join("\n")}
</body></html>
`;
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (one) => ENTITIES[one] as string);
}

function summary(files: readonly FileReport[]): string {
  if (files.length === 0) return "<p>No source map: by function and byte of the file.</p>";
  const rows = files.map(({ path, sum: { lines, instructions, branches } }, i) => {
    const cells = [`${lines.reached}/${lines.all}`, percent(lines), percent(instructions)];
    const numbers = [...cells, `${branches.reached}/${branches.all}`].map((one) => `<td>${one}</td>`).join("");
    return `<tr><td><a href="#f${i}">${escaped(path)}</a></td>${numbers}</tr>`;
  });
  const head = "<tr><th>file</th><th>lines</th><th></th><th>instructions</th><th>branches both ways</th></tr>";
  return `<table>${head}${rows.join("\n")}</table>`;
}

function list(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `<h2>${title}</h2><pre>${lines.map(escaped).join("\n")}</pre>`;
}

function source({ path, lines }: FileReport, index: number, text: string | undefined): string {
  const known = new Map(lines.map((one) => [one.line, one]));
  const last = lines.at(-1)?.line ?? 0;
  const all = text === undefined ? Array.from({ length: last }, () => "") : text.replace(/\n$/, "").split("\n");
  const rows = all.map((one, i) => row(i + 1, one, known.get(i + 1)));
  const shown = text === undefined ? rows.filter((_, i) => known.has(i + 1)) : rows;
  return `<details open id="f${index}"><summary>${escaped(path)}</summary><pre>${shown.join("\n")}</pre></details>`;
}

function row(number: number, text: string, line: LineReport | undefined): string {
  const state = line === undefined ? "" : ` ${stateOf(line)}`;
  const why = line === undefined || line.oneSided.length === 0 ? "" : [...new Set(line.oneSided)].join("; ");
  const told = why === "" ? "" : `<span class="why">${escaped(why)}</span>`;
  return `<span class="line${state}"><span class="number">${number}</span>${escaped(text)}</span>${told}`;
}
