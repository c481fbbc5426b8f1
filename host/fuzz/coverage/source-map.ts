// SPDX-License-Identifier: MIT
//
// A source map of WebAssembly (ECMA-426): one generated line, whose columns are bytes of the file. The text is
// anybody's: what does not decode is refused in words, what points nowhere is left out.

export interface Place {
  /** As the map names it. */
  source: string;
  /** From 1 on. */
  line: number;
}

export interface SourceMap {
  /** Where the instruction at this byte comes from. */
  at(offset: number): Place | undefined;
  /** The text of a source, where the map has it. */
  text(source: string): string | undefined;
}

export class SourceMapError extends Error {}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const MORE = 32;
const SHIFT_MAX = 30;
/** A segment has 1, 4 or 5 numbers: column; source, line, column; name. Each is what is added to the last. */
const WITH_SOURCE = 4;

interface Segment {
  column: number;
  place: Place | undefined;
}

export function parseSourceMap(subject: string, json: string): SourceMap {
  const { sources, mappings, texts } = partsOf(subject, json);
  const segments = segmentsOf(subject, mappings, sources);
  return {
    at(offset) {
      let [low, high] = [0, segments.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((segments[middle] as Segment).column <= offset) low = middle + 1;
        else high = middle;
      }
      return segments[low - 1]?.place;
    },
    text: (source) => texts[sources.indexOf(source)] ?? undefined,
  };
}

function partsOf(subject: string, json: string): { sources: string[]; mappings: string; texts: (string | null)[] } {
  let map: Record<string, unknown>;
  try {
    map = JSON.parse(json) as Record<string, unknown>;
  } catch {
    throw new SourceMapError(`${subject}: no source map: it is not JSON`);
  }
  const { version, sources, mappings, sourcesContent = [] } = map ?? {};
  const isList = (value: unknown): value is unknown[] => Array.isArray(value);
  if (version !== 3 || !isList(sources) || typeof mappings !== "string" || !isList(sourcesContent))
    throw new SourceMapError(`${subject}: no source map of version 3 with "sources" and "mappings"`);
  const texts = sourcesContent.map((one) => (typeof one === "string" ? one : null));
  return { sources: sources.map(String), mappings, texts };
}

/** By column, ascending. */
function segmentsOf(subject: string, mappings: string, sources: readonly string[]): Segment[] {
  const segments: Segment[] = [];
  const now = { column: 0, source: 0, line: 0 };
  for (const text of (mappings.split(";")[0] ?? "").split(",")) {
    if (text === "") continue;
    const numbers = numbersOf(subject, text);
    now.column += numbers[0] ?? 0;
    const known = numbers.length >= WITH_SOURCE;
    if (known) {
      now.source += numbers[1] ?? 0;
      now.line += numbers[2] ?? 0;
    }
    const source = sources[now.source];
    const place = known && source !== undefined && now.line >= 0 ? { source, line: now.line + 1 } : undefined;
    segments.push({ column: now.column, place });
  }
  return segments.sort((a, b) => a.column - b.column);
}

/** Base 64 digits, the lowest first: five bits each and one that says whether more come; the sign is the lowest bit. */
function numbersOf(subject: string, text: string): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (const letter of text) {
    const digit = DIGITS.indexOf(letter);
    if (digit < 0 || shift > SHIFT_MAX) throw new SourceMapError(`${subject}: a mapping that is none: "${text}"`);
    value += (digit & (MORE - 1)) * 2 ** shift;
    shift += 5;
    if ((digit & MORE) !== 0) continue;
    numbers.push(value % 2 === 1 ? -Math.floor(value / 2) : value / 2);
    [value, shift] = [0, 0];
  }
  return numbers;
}
