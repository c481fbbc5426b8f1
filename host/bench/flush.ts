// SPDX-License-Identifier: MIT
//
// The flush table: what it costs until a whole screen that a guest has drawn is where it is shown, with Linux' own
// virtio_gpu driver, on ours and on QEMU's. All of it from one run of the machine under -icount, where one processor
// does everything: so what a flush adds to a fenced command is what it costs, whoever does it and when
// (native/guest/kms_time.c).

import { join } from "node:path";
import { DOM0_PROGRAMS } from "../lab/native.js";
import { BUILD } from "../lab/paths.js";
import { readOutput, runScenario, type ScenarioOptions, type ScenarioResult } from "../lab/scenario.js";
import dom0Script from "./flush.sh";
import guestScript from "./flush-guest.sh";
import { image, NS_PER_INSTRUCTION, type Wish } from "./latency.js";
import { figure, table, wishText } from "./table.js";

const TIMEOUT_MS = 2_400_000;
const MAX_TRAPS = 0.1;
const MAX_OF_QEMU = 0.5;
/** Quiet, as to a guest that draws on its screen alone. */
const LINE = "console=hvc0 loglevel=6 vt.global_cursor_default=0";
/** As the latency table's HVM guest, with one more device; flush.sh knows its slot. */
const HVM = {
  ...{ type: "hvm", vga: "stdvga", vnc: 0, sdl: 0, ramdisk: "/lab/guests/hvm.img.gz" },
  extra: `${LINE} xen_emul_unplug=never`,
  device_model_args_hvm: ["-device", "virtio-gpu-pci,addr=06"],
};

/** As flush.sh names them. */
export const FLUSH_ROWS = [
  ["blob", "blobs, no polling"],
  ["polled", "blobs, 50 us of polling (the default)"],
  ["transfer", "transferred, no polling"],
  ["polled-transfer", "transferred, 50 us of polling"],
  ["qemu", "QEMU in Dom0, HVM guest"],
] as const;
type RowName = (typeof FLUSH_ROWS)[number][0];

export interface FlushRow {
  name: RowName;
  who: string;
  /** Thousands of instructions: until the driver comes back, until it is done; without pause for each of many. */
  call: number;
  done: number;
  many: number;
  /** Traps for a flush: one alone, and one of many without pause; QEMU counts none. */
  traps: number | null;
  manyTraps: number | null;
}

export interface FlushReport {
  rows: FlushRow[];
  wishes: Wish[];
}

export function flushScenario(): ScenarioOptions {
  return {
    name: "bench-flush",
    dom0Script,
    files: {
      gbctl: join(DOM0_PROGRAMS, "gbctl"),
      "glovebox.elf": image("glovebox"),
      "modules.img": join(BUILD, "unikernel/modules.img"),
    },
    guests: {
      pvh: { script: guestScript, programs: ["gb-kms"], cfg: { extra: `${LINE} pci=conf1,noacpi` } },
      hvm: { script: guestScript, programs: ["gb-kms"], cfg: HVM },
    },
    machine: { cpus: 1, instructionNs: 2, hvm: true },
    timeoutMs: TIMEOUT_MS,
  };
}

export async function measureFlush(signal: AbortSignal, say: (text: string) => void): Promise<FlushReport> {
  const result = await runScenario({ ...flushScenario(), signal, onProgress: say });
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}\nlogs: ${result.dir}`);
  return readFlush(result);
}

interface Timed {
  all: number;
  median: number;
  mean: number;
}

export function readFlush(result: ScenarioResult): FlushReport {
  const timed = readTimed(readOutput(result, "timed.txt"));
  const rows = FLUSH_ROWS.map(([name, who]) => {
    const of = (phase: string): Timed => {
      const found = timed.get(`${name} ${phase}`);
      if (found === undefined) throw new Error(`guest measured no ${phase} of ${name}; logs: ${result.dir}`);
      return found;
    };
    const kilo = (ns: number): number => ns / NS_PER_INSTRUCTION / 1000;
    const clock = of("clock").median;
    return {
      ...{ name, who, call: kilo(of("flush").median - clock), done: kilo(of("both").median - of("fence").median) },
      many: kilo(of("many").mean - clock),
      traps: name === "qemu" ? null : trapsOf(result, name, "flush") / of("flush").all,
      manyTraps: name === "qemu" ? null : trapsOf(result, name, "many") / of("many").all,
    };
  });
  return { rows, wishes: wishes(rows) };
}

/** Lines `ROW PHASE KMS timed WHAT all=108 pause_us=3000 min=.. median=.. mean=..`, in nanoseconds. */
function readTimed(text: string): Map<string, Timed> {
  const lines = text.matchAll(/^(\S+ \S+) KMS timed \w+ all=(\d+) pause_us=\d+ min=\d+ median=(\d+) mean=(\d+)$/gm);
  return new Map(
    [...lines].map(([, key = "", all, median, mean]) => [
      key,
      { all: Number(all), median: Number(median), mean: Number(mean) },
    ]),
  );
}

/** As the vGPU counts them. */
function trapsOf(result: ScenarioResult, name: RowName, phase: string): number {
  const traps = (when: string): number =>
    Number((JSON.parse(readOutput(result, `${name}-${phase}-${when}.json`)) as { traps: number }).traps);
  return traps("after") - traps("before");
}

function wishes(rows: readonly FlushRow[]): Wish[] {
  const row = (name: RowName): FlushRow => rows.find((one) => one.name === name) as FlushRow;
  const wish = (what: string, got: number, limit: number, unit: string): Wish => ({
    ...{ what, got, limit, unit },
    met: got <= limit,
  });
  const traps = (name: RowName): number => row(name).manyTraps ?? Number.NaN;
  return [
    wish("a flush until it is done, blobs, against QEMU's", row("blob").done / row("qemu").done, MAX_OF_QEMU, "times"),
    wish("traps for a flush without pause, blobs", traps("polled"), MAX_TRAPS, "traps"),
    wish("traps for a flush without pause, transferred", traps("polled-transfer"), MAX_TRAPS, "traps"),
  ];
}

export function flushText({ rows, wishes }: FlushReport): string {
  const head = ["who shows it", "call", "to done", "traps", "without pause", "traps"];
  const cells = rows.map(({ who, call, done, many, traps, manyTraps }) => [
    who,
    ...[call, done, traps, many, manyTraps].map(figure),
  ]);
  return [
    "A flush of 1024x768, thousand instructions (medians of 100, -icount; without pause: mean of 1000)",
    ...table(head, cells),
    "",
    ...wishes.map(wishText),
    "",
  ].join("\n");
}
