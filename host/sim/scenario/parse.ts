// SPDX-License-Identifier: MIT
//
// A scenario is text, a step a line (docs/SIMULATOR.md): words, then what is expected: `= VALUE` or `~ PATTERN`.

export interface Step {
  line: number;
  words: string[];
  /** The rest of the line behind the words of a step that takes free text. */
  rest: string;
  expect: { is: string } | { like: RegExp } | undefined;
}

export class ScenarioTextError extends Error {
  constructor(subject: string, line: number, reason: string) {
    super(`${subject}: line ${line}: ${reason}`);
    this.name = "ScenarioTextError";
  }
}

const LINE_BYTES_MAX = 1024;
const STEPS_MAX = 10_000;

export function parseScenario(subject: string, text: string): Step[] {
  const steps: Step[] = [];
  for (const [i, raw] of text.split("\n").entries()) {
    if (raw.length > LINE_BYTES_MAX) {
      throw new ScenarioTextError(subject, i + 1, `${raw.length} characters, limit ${LINE_BYTES_MAX}`);
    }
    const line = raw.replace(/(^|\s)#.*$/, "").trim();
    if (line === "") continue;
    if (steps.length === STEPS_MAX) throw new ScenarioTextError(subject, i + 1, `more than ${STEPS_MAX} steps`);
    steps.push(parseStep(subject, i + 1, line));
  }
  return steps;
}

function parseStep(subject: string, line: number, text: string): Step {
  const found = /^(.*?)\s+([=~])\s+(.*)$/.exec(text);
  const before = found?.[1] ?? text;
  const words = before.split(/\s+/);
  return { line, words, rest: before, expect: found === null ? undefined : expectation(subject, line, found) };
}

function expectation(subject: string, line: number, found: RegExpExecArray): Step["expect"] {
  const wanted = found[3] as string;
  if (found[2] === "=") return { is: wanted };
  try {
    return { like: new RegExp(wanted) };
  } catch {
    throw new ScenarioTextError(subject, line, `"${wanted}" is no regular expression`);
  }
}

/** A number as guests and people write it: decimal or 0x. */
export function numberOf(word: string | undefined): bigint {
  if (word === undefined || !/^(0x[0-9a-f]+|\d+)$/i.test(word)) throw new Error(`"${word ?? ""}" is no number`);
  return BigInt(word);
}

/** Nanoseconds of `250ms`, `3s`, `10us`, `7`. */
export function durationOf(word: string | undefined): bigint {
  const found = /^(\d+)(ns|us|ms|s)?$/.exec(word ?? "");
  if (found === null) throw new Error(`"${word ?? ""}" is no time: a number with ns, us, ms or s`);
  const unit = { ns: 1n, us: 1_000n, ms: 1_000_000n, s: 1_000_000_000n }[(found[2] ?? "ns") as "ns"];
  return BigInt(found[1] as string) * unit;
}
