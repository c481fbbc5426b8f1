// SPDX-License-Identifier: MIT
//
// A simulation as a picture (SVG): who had the engine, over time, stacked; for many guests the largest ones and the sum
// of the rest. Text only, nothing is loaded from anywhere.

import type { Result } from "./simulate.js";

const WIDTH = 960;
const HEIGHT = 420;
const LEFT = 56;
const TOP = 36;
const PLOT_WIDTH = 680;
const PLOT_HEIGHT = 330;
const GUESTS_MAX = 12;
const REST = "#bbbbbb";
/** Paul Tol's bright and vibrant schemes: told apart by those who see fewer colours, too. */
const COLOURS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377"].concat([
  "#ee7733",
  "#0077bb",
  "#33bbee",
  "#ee3377",
  "#cc3311",
  "#009988",
]);

interface Band {
  name: string;
  colour: string;
  /** Part of the engine in each interval. */
  shares: number[];
}

/** `samplesMs` as the simulation was given them. */
export function plotOf(result: Result, samplesMs: readonly number[], title: string): string {
  const bands = bandsOf(result, samplesMs);
  const end = samplesMs[samplesMs.length - 1] as number;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}"`,
    `  font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="22" font-size="15">${escaped(title)}</text>`,
    ...stacked(bands),
    ...axes(end),
    ...bands.map(legend),
    "</svg>",
    "",
  ].join("\n");
}

function bandsOf(result: Result, samplesMs: readonly number[]): Band[] {
  const order = result.guests.map((_, i) => i).sort((a, b) => used(result, b) - used(result, a));
  const single = order.length <= GUESTS_MAX ? order.length : GUESTS_MAX - 1;
  const bands = order.slice(0, single).map((guest, i) => ({
    name: result.guests[guest]?.name as string,
    colour: COLOURS[i % COLOURS.length] as string,
    shares: intervals(result, samplesMs, [guest]),
  }));
  const rest = order.slice(single);
  if (rest.length === 0) return bands;
  return [...bands, { name: `${rest.length} others`, colour: REST, shares: intervals(result, samplesMs, rest) }];
}

function used(result: Result, guest: number): number {
  return result.guests[guest]?.usedNs as number;
}

function intervals(result: Result, samplesMs: readonly number[], guests: readonly number[]): number[] {
  const sums = result.samples.map((sample) => guests.reduce((sum, guest) => sum + (sample[guest] as number), 0));
  return sums.slice(1).map((sum, i) => {
    const span = (samplesMs[i + 1] as number) - (samplesMs[i] as number);
    return (sum - (sums[i] as number)) / (span * 1e6);
  });
}

function stacked(bands: readonly Band[]): string[] {
  const count = bands[0]?.shares.length ?? 0;
  const base = new Array<number>(count).fill(0);
  return bands.map(({ shares, colour }) => {
    const below = [...base];
    for (const [i, share] of shares.entries()) base[i] = (base[i] as number) + share;
    const upper = [...base].flatMap((y, i) => [point(i, y, count), point(i + 1, y, count)]);
    const lower = below.flatMap((y, i) => [point(i, y, count), point(i + 1, y, count)]).reverse();
    return `<polygon points="${[...upper, ...lower].join(" ")}" fill="${colour}"/>`;
  });
}

function point(i: number, share: number, count: number): string {
  const x = LEFT + (PLOT_WIDTH * i) / count;
  const y = TOP + PLOT_HEIGHT * (1 - Math.min(1, share));
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}

function axes(endMs: number): string[] {
  const bottom = TOP + PLOT_HEIGHT;
  const lines = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const y = TOP + PLOT_HEIGHT * (1 - part);
    const ends = `x1="${LEFT}" x2="${LEFT + PLOT_WIDTH}" y1="${y}" y2="${y}"`;
    const rule = `<line ${ends} stroke="black" stroke-opacity="0.25"/>`;
    return `${rule}<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${part * 100} %</text>`;
  });
  const times = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const x = LEFT + PLOT_WIDTH * part;
    return `<text x="${x}" y="${bottom + 18}" text-anchor="middle">${Math.round(endMs * part)}</text>`;
  });
  return [...lines, ...times, `<text x="${LEFT + PLOT_WIDTH / 2}" y="${bottom + 38}" text-anchor="middle">ms</text>`];
}

function legend({ name, colour }: Band, i: number): string {
  const x = LEFT + PLOT_WIDTH + 20;
  const y = TOP + 20 * i;
  const box = `<rect x="${x}" y="${y}" width="12" height="12" fill="${colour}"/>`;
  return `${box}<text x="${x + 18}" y="${y + 11}">${escaped(name)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
