// SPDX-License-Identifier: MIT
//
// A scenario of the simulator (host/sim/scenarios) as a script for a real Xen: the same steps by test/guest-kernel,
// xenstore and xl, the same words as answers. Only what a step of that scenario needs is translated.

import { readFileSync } from "node:fs";
import { inProject } from "../../pipeline/paths.js";
import { isGuestCommand } from "../../sim/scenario/guest.js";
import { parseScenario, type Step } from "../../sim/scenario/parse.js";
import library from "./conformance.sh";

export const CONFORMANCE = "host/sim/scenarios/conformance.txt";

export function conformanceSteps(): Step[] {
  return parseScenario(CONFORMANCE, readFileSync(inProject(CONFORMANCE), "utf8"));
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The script, to come behind guest-kernel.sh. */
export function conformanceScript(steps: readonly Step[]): string {
  return `${library}\n${steps.map(line).join("\n")}\n`;
}

function line({ line: at, words }: Step): string {
  const [first = "", second = "", ...rest] = words;
  switch (first) {
    case "guest":
      return birth(at, second, rest);
    case "attach":
      return `put ${at} "vgpu/$GUEST/${rest[0]}" ${quote(rest.slice(1).join(" "))}`;
    case "detach":
      return `drop ${at} "vgpu/$GUEST/${rest[0]}"`;
    case "state":
    case "error":
      return `at ${at} "vgpu/$GUEST/${rest[0]}/${first}"`;
    case "request":
      return `request ${at} "${[second, ...rest].map((word) => (word === "a" ? "$GUEST" : word)).join(" ")}"`;
    case "die":
      return `kill_guest ${at}`;
    default:
      if (!isGuestCommand(second)) throw new Error(`line ${at}: "${first} ${second}" has no translation for the lab`);
      return `ask ${at} ${first} ${quote([second, ...rest].join(" "))}`;
  }
}

function birth(at: number, name: string, words: readonly string[]): string {
  const modules = words.map((word) => {
    const [module, ...params] = word.split(":");
    return [`--module ${module}`, ...params.map((one) => `--param ${one}`)].join(" ");
  });
  return `configure ${name} 1\nup ${name} ${modules.join(" ")}\nbegin ${name} ${at}`;
}

/** What must differ: the guest's number, and how much room Xen found in its allowance. */
export function normalised(answer: string): string {
  return answer.replace(/\bguest \d+\b/g, "guest G").replace(/Xen gave \d+/, "Xen gave N");
}
