// SPDX-License-Identifier: MIT
//
// A scenario with test/guest-kernel as guests, and what was said in it (guest-kernel.sh keeps it).

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GUEST_KERNEL } from "../guest-kernel.js";
import type { MachineOptions } from "../machine.js";
import { DOM0_PROGRAMS } from "../native.js";
import { BUILD } from "../paths.js";
import { guestLog, runScenario, type ScenarioOptions, type ScenarioResult } from "../scenario.js";
import library from "./guest-kernel.sh";

export interface GuestKernelOptions {
  name: string;
  script: string;
  machine?: MachineOptions;
  timeoutMs?: number;
}

export function guestKernelOptions(options: GuestKernelOptions): ScenarioOptions {
  return {
    name: options.name,
    dom0Script: library + options.script,
    files: {
      gbctl: join(DOM0_PROGRAMS, "gbctl"),
      "glovebox.elf": join(BUILD, "unikernel/glovebox.elf"),
      "modules.img": join(BUILD, "unikernel/modules-test.img"),
      "guest-kernel": GUEST_KERNEL,
    },
    machine: { instructionNs: 8, ...options.machine },
    timeoutMs: options.timeoutMs,
  };
}

export async function guestKernelScenario(options: GuestKernelOptions): Promise<Said> {
  return new Said(await runScenario(guestKernelOptions(options)));
}

export class Said {
  readonly #answers = new Map<string, string>();

  constructor(readonly result: ScenarioResult) {
    for (const line of this.#read("answers").split("\n")) {
      const [label = "", answer = ""] = line.split("\t");
      this.#answers.set(label, answer);
    }
  }

  #read(name: string): string {
    const path = join(this.result.outputs, "said", name);
    return existsSync(path) ? readFileSync(path, "latin1") : "";
  }

  /** What a guest answered: `7 ok read 0x12`. */
  answer(label: string): string {
    return this.#answers.get(label) ?? `nothing was asked as ${label}`;
  }

  value(label: string): bigint {
    const found = / ok \w+ (0x[0-9a-f]+)$/.exec(this.answer(label));
    if (found === null) throw new Error(`${label}: "${this.answer(label)}" has no value`);
    return BigInt(found[1] as string);
  }

  code(name: string): number {
    return Number(this.#read(`${name}.code`) || Number.NaN);
  }

  out(name: string): string {
    return this.#read(`${name}.out`);
  }

  err(name: string): string {
    return this.#read(`${name}.err`);
  }

  json(name: string): Record<string, unknown> {
    const text = this.out(name);
    if (text === "") throw new Error(`${name} printed nothing: ${this.err(name)}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  /** Of `gbctl screenshot --crc --json`. */
  crc(name: string): bigint {
    return BigInt(`0x${String(this.json(name).crc32)}`);
  }

  /** Of `xl list`. */
  domains(name: string): string[] {
    return this.#read(name)
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(/\s+/)[0] as string);
  }

  text(name: string): string {
    return this.#read(name);
  }

  log(guest: string): string {
    return guestLog(this.result, guest).replaceAll("\r", "");
  }
}
