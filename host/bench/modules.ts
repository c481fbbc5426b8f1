// SPDX-License-Identifier: MIT
//
// What modules cost: a call and an instance's life in instructions (native/bench/modules.c counts them by
// single-stepping), packing in seconds beside gcc alone on the same C, and what the files weigh. No machine is booted;
// what a whole trap costs on Xen is the latency table's.

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identifierOf } from "../pipeline/compile-c.js";
import { packPrepared } from "../pipeline/gbx.js";
import { nativeSources } from "../pipeline/gcc.js";
import { buildModule, type PreparedModule, prepareModule } from "../pipeline/module.js";
import { moduleFolders } from "../pipeline/module-images.js";
import { inProject } from "../pipeline/paths.js";
import { attachManifest, detachManifest, withoutCustomSections } from "../pipeline/section.js";
import type { Wish } from "./latency.js";

const SUBJECT = "test/modules/register-file";
const SHIM = ["native/wasm/instance.c", "native/wasm/arena.c", "native/wasm/call.c", "native/xen/crc32.c"];
const RIG = ["native/bench/modules.c", "native/bench/plain_device.c", "native/arch/x86_64/string.c", ...SHIM];
/** Of native/sources.json's cflags, what an ordinary process cannot have. */
const FREESTANDING =
  /^-(ffreestanding|fno-pic|fno-pie|mcmodel=|ffunction-sections|fdata-sections|fno-asynchronous|mno-red|std=)/;
const ROUNDS = 3;
/** As -icount shift=1 counts, by which the latency table goes. */
export const NS_PER_INSTRUCTION = 2;
const RESET_US_MAX = 100;

export interface CallRow {
  who: string;
  instructions: number;
  /** What the module was charged; none for plain C. */
  fuel?: number;
}

export interface FileRow {
  module: string;
  wasmBytes: number;
  gbxBytes: number;
  /** From the vendor's file to the .gbx file with nothing kept from before, and gcc -O2 alone on its C; least of 3. */
  packSeconds: number;
  gccSeconds: number;
}

export interface ModulesReport {
  calls: CallRow[];
  files: FileRow[];
  wishes: Wish[];
}

export async function measureModules(say: (text: string) => void): Promise<ModulesReport> {
  const folder = inProject("build/module-bench");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  say("an instance, step by step");
  const calls = await measureCalls(folder);
  const files: FileRow[] = [];
  for (const one of moduleFolders("test")) {
    say(`packing ${one}`);
    files.push(await measurePack(one, folder));
  }
  const created = calls.find((row) => row.who === "create")?.instructions ?? Number.NaN;
  const us = (created * NS_PER_INSTRUCTION) / 1000;
  const what = "making an instance, virtual";
  return { calls, files, wishes: [{ what, got: us, limit: RESET_US_MAX, unit: "us", met: us <= RESET_US_MAX }] };
}

async function measureCalls(folder: string): Promise<CallRow[]> {
  const file = await buildModule(SUBJECT);
  const { bytes } = await packPrepared(await prepareModule(SUBJECT, file), file);
  const [gbx, rig] = [join(folder, "module.gbx"), join(folder, "rig")];
  writeFileSync(gbx, bytes);
  const { cflags, iquote } = nativeSources();
  const flags = cflags.filter((flag) => !FREESTANDING.test(flag));
  const quoted = [...iquote, "native/bench"].flatMap((one) => ["-iquote", inProject(one)]);
  const sources = RIG.map((one) => inProject(one));
  execFileSync("gcc", ["-std=gnu11", ...flags, ...quoted, "-rdynamic", ...sources, "-ldl", "-o", rig]);
  const lines = execFileSync(rig, [gbx], { encoding: "utf8" }).trim().split("\n");
  const rows = lines.map((line) => {
    const [who = "", steps, fuel] = line.split(" ");
    return { who, steps: Number(steps), fuel: Number(fuel) };
  });
  const empty = rows.find((row) => row.who === "nothing")?.steps ?? Number.NaN;
  return rows.flatMap(({ who, steps, fuel }) => {
    if (who === "nothing") return [];
    return [{ who, instructions: steps - empty, ...(fuel > 0 && { fuel }) }];
  });
}

/** Each round packs it under a name that nobody has seen, so that nothing of it is kept from before. */
async function measurePack(source: string, folder: string): Promise<FileRow> {
  const file = await buildModule(source);
  const manifest = JSON.parse(detachManifest(source, file)) as { name: string };
  const plain = withoutCustomSections(file);
  const [packs, compiles]: [number[], number[]] = [[], []];
  let gbxBytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const name = `bench-${Date.now()}-${round}`;
    const fresh = attachManifest(plain, JSON.stringify({ ...manifest, name }));
    const begin = performance.now();
    const module = await prepareModule(source, fresh);
    const { bytes } = await packPrepared(module, fresh);
    packs.push((performance.now() - begin) / 1000);
    gbxBytes = bytes.length;
    compiles.push(compileAlone(module, folder));
  }
  const [packSeconds, gccSeconds] = [Math.min(...packs), Math.min(...compiles)];
  return { module: manifest.name, wasmBytes: file.length, gbxBytes, packSeconds, gccSeconds };
}

function compileAlone({ name, c }: PreparedModule, folder: string): number {
  const stem = join(folder, `w2c_${identifierOf(name)}`);
  writeFileSync(`${stem}.h`, c.header);
  writeFileSync(`${stem}.c`, c.source);
  const { gbxCflags, generatedWarnings, include, iquote } = nativeSources();
  const system = [...include.flatMap((one) => ["-isystem", inProject(one)]), "-iquote", folder];
  const quoted = iquote.flatMap((one) => ["-iquote", inProject(one)]);
  const begin = performance.now();
  execFileSync("gcc", [...gbxCflags, ...generatedWarnings, ...system, ...quoted, "-c", `${stem}.c`, "-o", `${stem}.o`]);
  return (performance.now() - begin) / 1000;
}
