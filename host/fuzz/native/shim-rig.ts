// SPDX-License-Identifier: MIT
//
// A module's C with the shim around it (native/fuzz/shim), under ASan and UBSan: replayed, and fuzzed by libFuzzer.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { compileToC, identifierOf } from "../../pipeline/compile-c.js";
import { coreBorder, type Export } from "../../pipeline/contract.js";
import { coreGlue, moduleGlue } from "../../pipeline/glue.js";
import type { PreparedModule } from "../../pipeline/module.js";
import { writeWhole } from "../../pipeline/store.js";
import { compileMediator } from "../module/driver.js";
import { RIG_LINE, type RigOutcome } from "../rig.js";
import { buildProgram, type Change, shimPaths, shimSources } from "./clang.js";

const OURS = ["trace.c", "shim/rig.c"];
const MAIN = { replay: ["replay.c"], libfuzzer: ["libfuzzer.c", "records.c"] };
/** As many files in one command line. */
const BATCH = 512;

/** `planted`: a text in wasm2c's C that is replaced, to see that the difference is found. */
export async function buildShimRig(
  module: PreparedModule,
  folder: string,
  kind: "replay" | "libfuzzer",
  planted?: { generated?: [from: string, to: string]; change?: Change },
): Promise<string> {
  const id = identifierOf(module.name);
  const [from, to] = planted?.generated ?? ["", ""];
  if (!module.c.source.includes(from)) throw new Error(`wasm2c's C has no ${from}`);
  const source = join(folder, `w2c_${id}.c`);
  const glue = join(folder, "glue.c");
  writeWhole(join(folder, `w2c_${id}.h`), module.c.header);
  writeWhole(source, from === "" ? module.c.source : module.c.source.replaceAll(from, to));
  writeWhole(glue, moduleGlue(module.manifest, module.report, { symbol: "gb_module" }));
  const core = await mediatorC(folder);
  const change = planted?.change;
  return buildProgram(
    {
      name: `shim-${kind}`,
      main: kind === "libfuzzer" ? "libfuzzer" : "own",
      sources: [...[...OURS, ...MAIN[kind]].map((name) => `native/fuzz/${name}`), ...shimSources()],
      generated: { folder, sources: [source, glue, ...core] },
      iquote: ["native/fuzz", "native/fuzz/shim", ...shimPaths()],
      ...(change && { change }),
    },
    folder,
  );
}

/** The fuzzer's mediator as a core: what wasm2c makes of it, and the C between that and the shim. */
async function mediatorC(folder: string): Promise<string[]> {
  const { header, source } = await compileToC("core", await compileMediator());
  const border = coreBorder();
  const paths = { header: "w2c_core.h", source: "w2c_core.c", glue: "core_glue.c" };
  writeWhole(join(folder, paths.header), header);
  writeWhole(join(folder, paths.source), source);
  writeWhole(join(folder, paths.glue), coreGlue([], { ...border, exports: [...border.exports, ...RIG_EXPORTS] }));
  return [join(folder, paths.source), join(folder, paths.glue)];
}

const exported = (name: string, result: Export["result"], ...parameters: Export["parameters"]): Export => {
  return { name: `rig_${name}`, parameters, result, required: true };
};

/** native/fuzz/shim/mediator.h */
const RIG_EXPORTS: Export[] = [
  exported("manifest", "u32"),
  exported("params", "u32"),
  exported("budget", "u32", "u32"),
  exported("begin", "void", "u32"),
  exported("ready", "void"),
  exported("record", "void", "u32", "u32", "u32", "u32", "u64", "u64"),
  exported("call", "u32"),
  exported("argument", "u64", "u32"),
  exported("answered", "void", "u64"),
  exported("answers", "u64"),
];

/** What a sanitizer said, and the file that it said it of. */
export class RigFault extends Error {
  constructor(
    readonly file: string | undefined,
    readonly told: string,
  ) {
    super(told);
  }
}

/** How each of these traces ends; with a ramdisk the module comes from there, by way of the domain's loader. */
export function replayShim(program: string, files: readonly string[], ramdisk?: string): RigOutcome[] {
  const env = { ...process.env, ...(ramdisk === undefined ? {} : { FAKE_RAMDISK: ramdisk }) };
  const outcomes: RigOutcome[] = [];
  for (let i = 0; i < files.length; i += BATCH) {
    const batch = files.slice(i, i + BATCH);
    outcomes.push(...replayBatch(program, batch, env));
  }
  return outcomes;
}

function replayBatch(program: string, files: readonly string[], env: NodeJS.ProcessEnv): RigOutcome[] {
  const told = { encoding: "utf8", maxBuffer: 1 << 28, env, stdio: "pipe" } as const;
  try {
    return outcomesOf(execFileSync(program, files, told));
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new RigFault(files[outcomesOf(stdout).length], `${stdout.slice(-300)}${stderr}`);
  }
}

function outcomesOf(text: string): RigOutcome[] {
  return [...text.matchAll(RIG_LINE)].map(([, fault, operation, fuel, answers = "", hash = ""]) => {
    return { fault: Number(fault), operation: Number(operation), fuel: Number(fuel), answers, hash };
  });
}
