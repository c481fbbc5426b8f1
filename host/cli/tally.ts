// SPDX-License-Identifier: MIT
//
// What a run of test files comes to: counts from uvu's own words, and the last lines of `glovebox test`. They name what
// failed, so that the end of a long log is enough, and the files that took longest.

const LONGEST = 5;

export interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** One file that ran, or one of the checks before them. */
export interface Ran {
  name: string;
  count: Count;
  /** The names of failed tests; a file may fail without one. */
  failures: string[];
  seconds: number;
}

/** uvu's own last lines; a file that ended badly without a failed test of its own counts as one. */
export function countOf(text: string, code: number | null): Count {
  const figures = /^ {2}Total:\s+(\d+)\n {2}Passed:\s+(\d+)\n {2}Skipped:\s+(\d+)/m.exec(text);
  const [total = 0, passed = 0, skipped = 0] = (figures ?? []).slice(1).map(Number);
  const failed = total - passed;
  return { passed, skipped, failed: failed === 0 && (code !== 0 || figures === null) ? 1 : failed };
}

/** The names after uvu's FAIL, with the suite's where it has one. */
export function failuresOf(text: string): string[] {
  return [...text.matchAll(/^ {3}FAIL {2}(.+)$/gm)].map(([, name = ""]) => name);
}

/** The last lines: failures by file, the longest files, the sum. */
export function summary(all: readonly Ran[]): string {
  const failed = all.filter(({ count }) => count.failed > 0);
  const lines = failed.flatMap(({ name, failures }) => [
    `  ${name}${failures.length === 0 ? ": ended badly, see above" : ""}`,
    ...failures.map((one) => `    ${one}`),
  ]);
  const longest = [...all].sort((a, b) => b.seconds - a.seconds).slice(0, LONGEST);
  const times = longest.map(({ name, seconds }) => `  ${seconds.toFixed(0).padStart(5)} s  ${name}`);
  const sum = (key: keyof Count): number => all.reduce((so, { count }) => so + count[key], 0);
  const skipped = sum("skipped") > 0 ? `, ${sum("skipped")} skipped` : "";
  return [
    ...(times.length > 0 ? ["longest:", ...times] : []),
    ...(lines.length > 0 ? ["failed:", ...lines] : []),
    `${sum("passed")} passed, ${sum("failed")} failed${skipped}`,
    "",
  ].join("\n");
}
