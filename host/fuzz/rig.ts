// SPDX-License-Identifier: MIT
//
// The second rig: a module's C, as it goes into a .gbx file, built with clang for fuzzers and sanitizers (native/fuzz).
// The same trace files go in; faults, fuel and answers must be those of V8.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { identifierOf } from "../pipeline/compile-c.js";
import { nativeSources } from "../pipeline/gcc.js";
import { moduleGlue } from "../pipeline/glue.js";
import type { PreparedModule } from "../pipeline/module.js";
import { inProject } from "../pipeline/paths.js";

/** "records": libFuzzer with a mutator that keeps inputs a list of operations. */
export type RigKind = "replay" | "libfuzzer" | "records" | "afl";

const COMPILER: Record<RigKind, string> = {
  replay: "clang",
  libfuzzer: "clang",
  records: "clang",
  afl: "afl-clang-fast",
};
/** afl-clang-fast takes -fsanitize=fuzzer for "with our driver for libFuzzer's targets": persistent, shared memory. */
const FLAGS: Record<RigKind, string[]> = {
  replay: ["-fsanitize=address,fuzzer-no-link"],
  libfuzzer: ["-fsanitize=address,fuzzer"],
  records: ["-fsanitize=address,fuzzer"],
  afl: ["-fsanitize=fuzzer"],
};
const MAIN: Record<RigKind, readonly string[]> = {
  replay: ["replay.c"],
  libfuzzer: ["libfuzzer.c"],
  records: ["libfuzzer.c", "records.c"],
  afl: ["libfuzzer.c"],
};

/** Build one program into `folder`; answers its path. */
export function buildRig(module: PreparedModule, folder: string, kind: RigKind): string {
  mkdirSync(folder, { recursive: true });
  const id = identifierOf(module.name);
  writeFileSync(join(folder, `w2c_${id}.h`), module.c.header);
  writeFileSync(join(folder, `w2c_${id}.c`), module.c.source);
  writeFileSync(join(folder, "glue.c"), moduleGlue(module.manifest, module.report, { symbol: "gb_module" }));
  const { include, iquote } = nativeSources();
  const paths = [folder, ...iquote.map((one) => inProject(one)), inProject("native/fuzz")];
  const flags = ["-O2", "-g", "-std=c11", "-fno-strict-aliasing", ...FLAGS[kind]];
  const quoted = paths.flatMap((one) => ["-iquote", one]);
  const std = include.flatMap((one) => ["-isystem", inProject(one)]);
  const compile = (source: string, object: string, more: string[]): string => {
    const out = join(folder, `${kind}-${object}`);
    execFileSync(COMPILER[kind], [...flags, ...quoted, ...more, "-c", source, "-o", out], QUIET);
    return out;
  };
  const objects = [
    ...[`w2c_${id}`, "glue"].map((name) => compile(join(folder, `${name}.c`), `${name}.o`, ["-w", ...std])),
    ...["xen/crc32.c", ...["trace.c", "model.c", "rig.c", ...MAIN[kind]].map((name) => `fuzz/${name}`)].map((name) =>
      compile(inProject("native", name), basename(name).replace(/c$/, "o"), STRICT),
    ),
  ];
  const program = join(folder, kind);
  execFileSync(COMPILER[kind], [...flags, ...objects, "-o", program], QUIET);
  return program;
}

const STRICT = ["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"];
const QUIET = {
  stdio: ["ignore", "ignore", "pipe"] as ["ignore", "ignore", "pipe"],
  env: { ...process.env, AFL_QUIET: "1" },
};

export interface RigOutcome {
  fault: number;
  operation: number;
  fuel: number;
  answers: string;
  /** Of the module's state, as shim_instance_hash() has it. */
  hash: string;
}

/** How each of these trace files ends in the rig. */
export function replayRig(program: string, files: readonly string[]): RigOutcome[] {
  const text = execFileSync(program, files as string[], { encoding: "utf8", maxBuffer: 1 << 28 });
  return [...text.matchAll(RIG_LINE)].map(([, fault, operation, fuel, answers = "", hash = ""]) => {
    return { fault: Number(fault), operation: Number(operation), fuel: Number(fuel), answers, hash };
  });
}

/** What native/fuzz/replay.c prints for each file. */
export const RIG_LINE = / fault (\d+) operation (\d+) fuel (\d+) answers ([0-9a-f]{16}) hash ([0-9a-f]{8})$/gm;
