// SPDX-License-Identifier: MIT
//
// The wall-clock table: the least time of single accesses, the guest and who answers each on a processor of its own.
// Wall times of a shared machine are only good for ratios within one run, so all three stand in one run.

import { join } from "node:path";
import { DOM0_PROGRAMS } from "../lab/native.js";
import { BUILD } from "../lab/paths.js";
import { runScenario, type ScenarioOptions } from "../lab/scenario.js";
import { MODULE_IDS } from "./device.js";
import { image, type Wish } from "./latency.js";
import { KINDS, type Kind, readMeasurements } from "./measure.js";
import dom0Script from "./wall.sh";

const TIMEOUT_MS = 1_800_000;
const MAX_OF_PROCESS = 0.25;

export interface WallRow {
  who: string;
  /** Least microseconds for one access and back, the clock's own cost taken off. */
  minUs: Record<Kind, number>;
}

export interface WallReport {
  rows: WallRow[];
  wishes: Wish[];
}

export function wallScenario(): ScenarioOptions {
  const guest = {
    script: `gb-measure --label it ${MODULE_IDS} --bar 0 --io-bar 1 --offset 4 --count 2000\n`,
    cfg: { cpus: "1" },
  };
  return {
    name: "bench-wall",
    dom0Script,
    files: {
      gbctl: join(DOM0_PROGRAMS, "gbctl"),
      "bench-emulator": join(DOM0_PROGRAMS, "bench-emulator"),
      "glovebox.elf": image("glovebox"),
      "modules.img": join(BUILD, "unikernel/modules-test.img"),
    },
    guests: { busy: guest, block: guest, process: guest },
    machine: { cpus: 3, threads: "multi", xen: "dom0_max_vcpus=1" },
    timeoutMs: TIMEOUT_MS,
  };
}

export async function measureWall(signal: AbortSignal, say: (text: string) => void): Promise<WallReport> {
  const result = await runScenario({ ...wallScenario(), signal, onProgress: say });
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}\nlogs: ${result.dir}`);
  const row = (who: string, name: string): WallRow => {
    const measured = readMeasurements(result, name).get("it");
    if (measured === undefined) throw new Error(`guest ${name} measured nothing; logs: ${result.dir}`);
    const least = (kind: Kind): number => ((measured.timings[kind]?.min ?? Number.NaN) - measured.clock.min) / 1000;
    return { who, minUs: Object.fromEntries(KINDS.map((kind) => [kind, least(kind)])) as WallRow["minUs"] };
  };
  const rows = [
    row("driver domain, busy-wait", "busy"),
    row("driver domain, block", "block"),
    row("a C process in Dom0", "process"),
  ];
  const ratio = (rows[0]?.minUs.mmio_read ?? Number.NaN) / (rows[2]?.minUs.mmio_read ?? Number.NaN);
  const what = "MMIO read, busy-wait against the Dom0 process";
  return { rows, wishes: [{ what, got: ratio, limit: MAX_OF_PROCESS, unit: "times", met: ratio <= MAX_OF_PROCESS }] };
}
