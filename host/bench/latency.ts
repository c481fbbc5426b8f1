// SPDX-License-Identifier: MIT
//
// The latency table: trapped accesses in thousands of instructions, and the driver domain's size and start. All of
// it from one run of the machine under -icount, where a nanosecond of any clock is half an instruction.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DOM0_PROGRAMS } from "../lab/native.js";
import { BUILD } from "../lab/paths.js";
import { readOutput, runScenario, type ScenarioOptions, type ScenarioResult } from "../lab/scenario.js";
import { MODULE_IDS } from "./device.js";
import dom0Script from "./latency.sh";
import { KINDS, type Kind, type Measurement, readMeasurements } from "./measure.js";

/** -icount shift=1: each instruction takes 2^1 ns of virtual time (QEMU, docs/devel/tcg-icount). */
export const NS_PER_INSTRUCTION = 2;
const TIMEOUT_MS = 1_500_000;
const IMAGE_LIMIT_BYTES = 512 * 1024;
const READY_LIMIT_NS = 5_000_000;
const MEMORY_LIMIT_BYTES = 16 << 20;
const MAX_OF_BARE = 1.05;
const MAX_OF_QEMU = 0.65;
/** An address and a port that nobody claims: between a PVH guest's RAM and the local APIC, below COM2's ports. */
const UNCLAIMED = "--mmio-phys 0xfd000000 --port 0x2f0";
/** QEMU's stdvga answers its DISPI registers in BAR 2; the PCI address port is QEMU's, too. */
const QEMU_REGISTER = "--device 1234:1111 --bar 2 --offset 0x500";
const QEMU_PORT = "--port 0xcf8";

export interface LatencyRow {
  who: string;
  /** Thousands of instructions for one access and back; null where it was not measured. */
  kiloInstructions: Record<Kind, number | null>;
}

export interface Wish {
  what: string;
  got: number;
  limit: number;
  unit: string;
  met: boolean;
}

export interface LatencyReport {
  rows: LatencyRow[];
  imageBytes: number;
  memoryBytes: number;
  unpauseToReadyNs: number;
  entryToReadyNs: number;
  wishes: Wish[];
}

const files = (): Record<string, string> => {
  const dom0 = ["gbctl", "bench-emulator", "bench-ready"].map((name) => [name, join(DOM0_PROGRAMS, name)]);
  const images = ["glovebox", "glovebox-bare"].map((name) => [`${name}.elf`, image(name)]);
  const modules = ["modules.img", "modules-test.img"].map((name) => [name, join(BUILD, "unikernel", name)]);
  return Object.fromEntries([...dom0, ...images, ...modules]) as Record<string, string>;
};

export const image = (name: string): string => join(BUILD, `unikernel/${name}.elf`);

export function latencyScenario(): ScenarioOptions {
  const device = (label: string): string => `gb-measure --label ${label} ${MODULE_IDS} --bar 0 --io-bar 1 --offset 4\n`;
  return {
    name: "bench-latency",
    dom0Script,
    files: files(),
    guests: {
      module: { script: `${device("module")}gb-measure --label xen ${UNCLAIMED}\n` },
      bare: { script: device("bare") },
      process: { script: device("process") },
      qemu: {
        script: `gb-measure --label qemu-mmio ${QEMU_REGISTER}\ngb-measure --label qemu-port ${QEMU_PORT}\n`,
        programs: ["gb-measure"],
        cfg: {
          ...{ type: "hvm", vga: "stdvga", vnc: 0, sdl: 0, ramdisk: "/lab/guests/qemu.img.gz" },
          extra: "console=hvc0 xen_emul_unplug=never loglevel=6",
        },
      },
    },
    machine: { cpus: 1, instructionNs: 2, hvm: true },
    timeoutMs: TIMEOUT_MS,
  };
}

export async function measureLatency(signal: AbortSignal, say: (text: string) => void): Promise<LatencyReport> {
  const result = await runScenario({ ...latencyScenario(), signal, onProgress: say });
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}\nlogs: ${result.dir}`);
  return readLatency(result);
}

export function readLatency(result: ScenarioResult): LatencyReport {
  const module = readMeasurements(result, "module");
  const qemu = readMeasurements(result, "qemu");
  const rows = [
    row("a module in the driver domain", module.get("module")),
    row("the same device in C in the same shim", readMeasurements(result, "bare").get("bare")),
    row("a C process in Dom0", readMeasurements(result, "process").get("process")),
    row("QEMU in Dom0, stdvga BAR 2", qemu.get("qemu-mmio"), qemu.get("qemu-port")),
    row("Xen by itself, nobody claims it", module.get("xen")),
  ];
  const ready = readOutput(result, "ready.jsonl").trim().split("\n");
  const figures = JSON.parse(readOutput(result, "ready-stat.json")) as Record<string, number>;
  const report = {
    rows,
    imageBytes: loadedBytes(image("glovebox")),
    memoryBytes: Number(figures.memory_pages) * 4096,
    unpauseToReadyNs: Math.max(
      ...ready.map((line) => Number((JSON.parse(line) as Record<string, number>).unpause_to_ready_ns)),
    ),
    entryToReadyNs: Number(figures.ready_ns) - Number(figures.entry_ns),
  };
  return { ...report, wishes: wishes(report) };
}

function row(who: string, ...measured: (Measurement | undefined)[]): LatencyRow {
  const cost = (kind: Kind): number | null => {
    const found = measured.find((each) => each?.timings[kind] !== undefined);
    const timing = found?.timings[kind];
    if (found === undefined || timing === undefined) return null;
    return (timing.median - found.clock.median) / NS_PER_INSTRUCTION / 1000;
  };
  return {
    who,
    kiloInstructions: Object.fromEntries(KINDS.map((kind) => [kind, cost(kind)])) as LatencyRow["kiloInstructions"],
  };
}

/** What of the ELF file is loaded: text, constants, data; not symbols, not zeroed memory. */
function loadedBytes(path: string): number {
  const elf = readFileSync(path);
  const table = Number(elf.readBigUInt64LE(32)); // e_phoff
  const size = elf.readUInt16LE(54); // e_phentsize
  let bytes = 0;
  for (let i = 0; i < elf.readUInt16LE(56); i++) {
    const header = table + i * size;
    if (elf.readUInt32LE(header) === 1) bytes += Number(elf.readBigUInt64LE(header + 32)); // PT_LOAD: p_filesz
  }
  return bytes === 0 ? statSync(path).size : bytes;
}

function wishes(report: Omit<LatencyReport, "wishes">): Wish[] {
  const read = (index: number): number => report.rows[index]?.kiloInstructions.mmio_read ?? Number.NaN;
  const wish = (what: string, got: number, limit: number, unit: string): Wish => ({
    what,
    got,
    limit,
    unit,
    met: got <= limit,
  });
  return [
    wish("MMIO read, a module against the same in C", read(0) / read(1), MAX_OF_BARE, "times"),
    wish("MMIO read, a module against QEMU", read(0) / read(3), MAX_OF_QEMU, "times"),
    wish("image", report.imageBytes / 1024, IMAGE_LIMIT_BYTES / 1024, "KiB"),
    wish("memory", report.memoryBytes / (1 << 20), MEMORY_LIMIT_BYTES / (1 << 20), "MiB"),
    wish("unpause to ready, virtual", report.unpauseToReadyNs / 1e6, READY_LIMIT_NS / 1e6, "ms"),
  ];
}
