// SPDX-License-Identifier: MIT
//
// The commands of docs/TUTORIAL.md as a reader types them: each line of its `sh` blocks, in order, in one shell.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { inProject } from "../../host/pipeline/paths.js";

/** What boots a machine. */
const BOOTS = /^glovebox lab /;

const lines = (): string[] => {
  const text = readFileSync(inProject("docs/TUTORIAL.md"), "utf8");
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = ""]) => block.trimEnd().split("\n"));
};

export const tutorialCommands = (): string[] => lines().filter((line) => !BOOTS.test(line));
export const tutorialBoots = (): string[] => lines().filter((line) => BOOTS.test(line));

export interface Typed {
  status: number | null;
  stdout: string;
  stderr: string;
  seconds: number;
}

export async function type(commands: readonly string[], cwd: string): Promise<Typed> {
  const program = `"${process.execPath}" "${inProject("build/host/glovebox.mjs")}"`;
  const script = `set -e\nglovebox() { ${program} "$@"; }\n${commands.join("\n")}\n`;
  const begin = Date.now();
  const child = spawn("sh", ["-c", script], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { status, ...said, seconds: (Date.now() - begin) / 1000 };
}
