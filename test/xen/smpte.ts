// SPDX-License-Identifier: MIT
//
// The picture that Debian's modetest shows when it sets a mode: SMPTE's colour bars in three rows, over the framebuffer
// of all outputs that it sets, side by side.

import type { PNG } from "pngjs";

type Colour = readonly [number, number, number];

const GREY: Colour = [192, 192, 192];
const YELLOW: Colour = [192, 192, 0];
const CYAN: Colour = [0, 192, 192];
const GREEN: Colour = [0, 192, 0];
const MAGENTA: Colour = [192, 0, 192];
const RED: Colour = [192, 0, 0];
const BLUE: Colour = [0, 0, 192];
const BLACK: Colour = [19, 19, 19];
const IN_PHASE: Colour = [0, 33, 76];
const WHITE: Colour = [255, 255, 255];
const QUADRATURE: Colour = [50, 0, 106];
const DARKER: Colour = [9, 9, 9];
const LIGHTER: Colour = [29, 29, 29];

interface Row {
  /** Part of the height where it ends. */
  until: number;
  /** Of equal width over their part of the whole; parts in sevenths. */
  bars: { sevenths: number; colours: readonly Colour[] }[];
}

const ROWS: Row[] = [
  { until: 6 / 9, bars: [{ sevenths: 7, colours: [GREY, YELLOW, CYAN, GREEN, MAGENTA, RED, BLUE] }] },
  { until: 7 / 9, bars: [{ sevenths: 7, colours: [BLUE, BLACK, MAGENTA, BLACK, CYAN, BLACK, GREY] }] },
  {
    until: 1,
    bars: [
      { sevenths: 5, colours: [IN_PHASE, WHITE, QUADRATURE, BLACK] },
      { sevenths: 1, colours: [DARKER, BLACK, LIGHTER] },
      { sevenths: 1, colours: [BLACK] },
    ],
  },
];

/** Places are parts of the whole; a little before its beginning is the first. */
const rowAt = (y: number): Row | undefined => ROWS.find(({ until }) => y < until);

function colourAt(row: Row, x: number): Colour | undefined {
  let left = 0;
  for (const { sevenths, colours } of row.bars) {
    const within = (x * 7 - left) / sevenths;
    if (within < 1) return colours[Math.max(0, Math.floor(within * colours.length))];
    left += sevenths;
  }
  return undefined;
}

/** What is at the nth pixel, when its neighbours are of the same; one at an edge may belong to either. */
function steady<T>(at: (place: number) => T, pixel: number): T | undefined {
  const what = at(pixel + 0.5);
  return at(pixel - 1) === what && at(pixel + 2) === what ? what : undefined;
}

export interface Part {
  /** Of the whole framebuffer. */
  width: number;
  height: number;
  /** Where this output's part begins. */
  x: number;
}

/** How many pixels differ from the bars, and how many were looked at: all but those at an edge. */
export function compareBars(png: PNG, part: Part): { different: number; compared: number } {
  const columns = new Map<Row, (Colour | undefined)[]>();
  for (const row of ROWS) {
    const at = (x: number): Colour | undefined => colourAt(row, (part.x + x) / part.width);
    columns.set(
      row,
      Array.from({ length: png.width }, (_, x) => steady(at, x)),
    );
  }
  let [different, compared] = [0, 0];
  for (let y = 0; y < png.height; y++) {
    const row = steady((place) => rowAt(place / part.height), y);
    for (const [x, wanted] of (row && columns.get(row))?.entries() ?? []) {
      if (wanted === undefined) continue;
      compared++;
      const pixel = (y * png.width + x) * 4;
      if (wanted.some((value, index) => png.data[pixel + index] !== value)) different++;
    }
  }
  return { different, compared };
}
