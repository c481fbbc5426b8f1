// SPDX-License-Identifier: MIT
//
// `glovebox lint`: everything that looks at sources without running them.

import { ExecError, exec } from "../lab/exec.js";
import { fromRoot } from "../lab/paths.js";
import { UserError } from "./exit.js";

interface Checker {
  name: string;
  program: string;
  args: string[];
}

const BIN = fromRoot("node_modules/.bin");

const CPPCHECK = [
  "--library=native/cppcheck.xml",
  "--enable=warning,portability,performance",
  "--std=c11",
  "--quiet",
  "--inline-suppr",
  "--error-exitcode=1",
  "--suppress=missingInclude",
  // the linker's symbols of one section are pointers into one object, which C cannot say
  "--suppress=comparePointers:native/arch/x86_64/machine.c",
  "--suppress=unmatchedSuppression",
  "-Inative/include",
  "-Inative/xen",
  "-Inative/wasm",
  "-Inative/arch/x86_64",
  "-j2",
  "native",
  "test/probe",
  "test/guest-kernel",
];

const checkers = (fix: boolean): Checker[] => [
  {
    name: "format and lint",
    program: `${BIN}/biome`,
    args: fix ? ["check", "--write"] : ["ci", "--colors=off", "--error-on-warnings"],
  },
  { name: "types", program: `${BIN}/tsc`, args: ["--noEmit", "-p", "."] },
  { name: "cppcheck", program: "cppcheck", args: CPPCHECK },
];

export interface CheckCount {
  passed: number;
  failed: number;
}

export async function runChecks(options: { fix?: boolean }): Promise<CheckCount> {
  const count = { passed: 0, failed: 0 };
  for (const checker of checkers(options.fix ?? false)) {
    try {
      await exec(checker.program, checker.args, { cwd: fromRoot() });
      count.passed++;
      process.stdout.write(`ok    ${checker.name}\n`);
    } catch (error) {
      if (!(error instanceof ExecError)) throw error;
      count.failed++;
      process.stdout.write(`FAIL  ${checker.name}\n${error.output}\n`);
    }
  }
  return count;
}

export async function lint(options: { fix?: boolean }): Promise<void> {
  const { failed } = await runChecks(options);
  if (failed > 0) throw new UserError(`${failed} of the checks failed`);
}
