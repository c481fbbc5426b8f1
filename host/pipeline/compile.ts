// SPDX-License-Identifier: MIT
//
// AssemblyScript to WebAssembly, in memory. The flags keep the language to what the driver domain can prove: no
// runtime (so no heap and no start function), memory of a fixed size, `assert` without text.
//
// The output is not trusted: check.ts looks at every byte of it, whoever's compiler made it.

import { readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { PipelineError } from "./error.js";
import { inProject, projectRoot } from "./paths.js";
import { type Bytes, hashOf, kept } from "./store.js";

export interface CompileOptions {
  /** For messages. */
  name: string;
  /** The entry file, absolute or relative to the project. */
  entry: string;
  /** Linear memory in pages of 64 KiB: what it starts with and all that it will ever have. */
  memoryPages: number;
  /** Text that stands in for a source file of the project, by its path there. */
  instead?: ReadonlyMap<string, string>;
  /** More options of asc. */
  flags?: string[];
}

function flags(options: CompileOptions): string[] {
  const pages = String(options.memoryPages);
  return [
    "-O3",
    "--runtime",
    "stub",
    "--use",
    "abort=",
    "--initialMemory",
    pages,
    "--maximumMemory",
    pages,
    ...(options.flags ?? []),
  ];
}

function sourceOf(path: string, instead?: ReadonlyMap<string, string>): string | null {
  return instead?.get(relative(projectRoot(), path)) ?? readIfFile(path);
}

function readIfFile(path: string): string | null {
  const known = statSync(path, { throwIfNoEntry: false });
  return known?.isFile() ? readFileSync(path, "utf8") : null;
}

/** Compile one entry file and what it imports. */
export async function compile(options: CompileOptions): Promise<Bytes> {
  const entry = relative(projectRoot(), resolve(projectRoot(), options.entry));
  const text = readIfFile(inProject(entry));
  if (text === null) throw new PipelineError(options.name, "compile", `there is no file ${entry}`);
  const key = hashOf(compilerVersion(), ...flags(options), ...sourcesOf(entry, options.instead));
  return kept("wasm", key, async () => (await runCompiler(entry, options)).wasm);
}

/**
 * The source map (version 3, with the sources' texts) of what `compile` makes of the same: a byte of the code to a
 * line. Paths are relative to the project; the compiler's own library is "~lib/...".
 */
export async function sourceMapOf(options: CompileOptions): Promise<string> {
  const wasm = await compile(options);
  const entry = relative(projectRoot(), resolve(projectRoot(), options.entry));
  const mapped = { ...options, flags: [...(options.flags ?? []), "--sourceMap"] };
  const bytes = await kept("wasm.map", hashOf("map", wasm, ...sourcesOf(entry, options.instead)), async () => {
    const made = await runCompiler(entry, mapped);
    const isSame = made.map !== undefined && Buffer.from(made.wasm.subarray(0, wasm.length)).equals(wasm);
    if (!isSame) throw new PipelineError(options.name, "compile", "with a source map the code is another");
    return Buffer.from(made.map as string);
  });
  return Buffer.from(bytes).toString();
}

/** The entry and every file that it imports, directly or not, as [path, text, path, text, ...]. */
function sourcesOf(entry: string, instead?: ReadonlyMap<string, string>): string[] {
  const seen = new Map<string, string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    const text = sourceOf(inProject(path), instead);
    if (text === null) return;
    seen.set(path, text);
    for (const [, from] of text.matchAll(/\bfrom\s+"(\.[^"]+)"/g)) {
      const target = join(dirname(path), from as string);
      visit(`${target}.ts`);
      visit(join(target, "index.ts"));
    }
  };
  visit(entry);
  return [...seen.entries()].flat();
}

function compilerVersion(): string {
  return readFileSync(inProject("node_modules/assemblyscript/package.json"), "utf8");
}

async function runCompiler(entry: string, options: CompileOptions): Promise<{ wasm: Bytes; map: string | undefined }> {
  const asc = await import("assemblyscript/asc");
  const written = new Map<string, string | Bytes>();
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main([entry, "--outFile", "out.wasm", ...flags(options)], {
    stdout: asc.createMemoryStream(),
    stderr,
    readFile: (name: string, base: string) => sourceOf(resolve(projectRoot(), base, name), options.instead),
    writeFile: (name: string, contents: string | Bytes) => {
      written.set(name, contents);
    },
    listFiles: () => null,
  });
  const [wasm, map] = [written.get("out.wasm"), written.get("out.wasm.map")];
  if (error || wasm === undefined || typeof wasm === "string") {
    throw new PipelineError(options.name, "compile", `${entry} does not compile\n${stderr.toString()}`);
  }
  return { wasm, map: typeof map === "string" ? map : undefined };
}
