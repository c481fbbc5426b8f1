// SPDX-License-Identifier: MIT
//
// A module's folder, anywhere, to its one file: what lies beside manifest.json says in which language it is. Whatever
// the compiler makes is not trusted: check.ts looks at every byte of it.
//
//   index.ts     AssemblyScript, compiled by the npm package of this tree
//   module.c     C, by clang and wasm-ld (Debian: clang, lld)
//   Cargo.toml   Rust, by cargo, for wasm32-unknown-unknown

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { type CompileOptions, compile, sourceMapOf } from "./compile.js";
import { PipelineError } from "./error.js";
import { type Manifest, parseManifest } from "./manifest.js";
import { attachManifest } from "./section.js";
import type { Bytes } from "./store.js";

const run = promisify(execFile);
const TOOL_SECONDS = 300;
const PAGE_BYTES = 65536;

type Compiler = (folder: string, manifest: Manifest) => Promise<Bytes>;

const COMPILERS: [landmark: string, compiler: Compiler][] = [
  ["index.ts", fromAssemblyScript],
  ["module.c", fromC],
  ["Cargo.toml", fromRust],
];

/** Compile, and put the manifest in. */
export async function compileFolder(folder: string): Promise<Bytes> {
  const subject = basename(folder);
  const manifestPath = join(folder, "manifest.json");
  if (!existsSync(manifestPath)) throw new PipelineError(subject, "manifest", `there is no file ${manifestPath}`);
  const json = readFileSync(manifestPath, "utf8");
  const manifest = parseManifest(subject, json);
  const found = COMPILERS.find(([landmark]) => existsSync(join(folder, landmark)));
  if (found === undefined) {
    const known = COMPILERS.map(([landmark]) => landmark).join(", ");
    throw new PipelineError(subject, "compile", `${folder} has no source: there is none of ${known}`);
  }
  return attachManifest(await found[1](folder, manifest), json);
}

async function fromAssemblyScript(folder: string, manifest: Manifest): Promise<Bytes> {
  return compile(scriptOf(folder, manifest));
}

function scriptOf(folder: string, { name, memoryPages }: Manifest): CompileOptions {
  return { name, entry: join(folder, "index.ts"), memoryPages };
}

/** Of what `compileFolder` makes: a byte to a line. Only the compiler of AssemblyScript writes one. */
export async function sourceMapOfFolder(folder: string): Promise<string | undefined> {
  if (!existsSync(join(folder, "index.ts"))) return undefined;
  const path = join(folder, "manifest.json");
  return sourceMapOf(scriptOf(folder, parseManifest(basename(folder), readFileSync(path, "utf8"))));
}

/** Integers only, one memory of a fixed size, the stack below everything so that an overflow is a fault. */
const CLANG_FLAGS = [
  "--target=wasm32",
  "-std=c11",
  "-O2",
  "-ffreestanding",
  "-nostdlib",
  "-fvisibility=hidden",
  "-mbulk-memory",
  "-msign-ext",
  "-Wall",
  "-Wl,--no-entry",
  "-Wl,--strip-all",
  "-Wl,--stack-first",
  "-Wl,-z,stack-size=8192",
];

async function fromC(folder: string, { name, memoryPages }: Manifest): Promise<Bytes> {
  const sources = readdirSync(folder)
    .filter((one) => one.endsWith(".c"))
    .sort();
  const bytes = memoryPages * PAGE_BYTES;
  return withOutput(name, async (output) => {
    const memory = [`-Wl,--initial-memory=${bytes}`, `-Wl,--max-memory=${bytes}`];
    await tool(name, folder, "clang", [...CLANG_FLAGS, ...memory, "-o", output, ...sources], CLANG_HINT);
  });
}

const CLANG_HINT = "C modules need clang and wasm-ld: install the Debian packages clang and lld";
const CARGO_HINT =
  "Rust modules need cargo with the target wasm32-unknown-unknown: rustup target add wasm32-unknown-unknown";

async function fromRust(folder: string, { name }: Manifest): Promise<Bytes> {
  const target = mkdtempSync(join(tmpdir(), "glovebox-cargo-"));
  try {
    const words = ["build", "--release", "--target", "wasm32-unknown-unknown", "--target-dir", target];
    await tool(name, folder, "cargo", words, CARGO_HINT);
    const made = join(target, "wasm32-unknown-unknown", "release", `${crateOf(folder, name)}.wasm`);
    return readFileSync(made);
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

/** Cargo names the file by the package, with _ for -. */
function crateOf(folder: string, name: string): string {
  const text = readFileSync(join(folder, "Cargo.toml"), "utf8");
  return (/^name\s*=\s*"([^"]+)"/m.exec(text)?.[1] ?? name).replaceAll("-", "_");
}

async function withOutput(name: string, make: (output: string) => Promise<void>): Promise<Bytes> {
  const directory = mkdtempSync(join(tmpdir(), "glovebox-compile-"));
  try {
    const output = join(directory, `${name}.wasm`);
    await make(output);
    return readFileSync(output);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function tool(name: string, cwd: string, program: string, words: string[], hint: string): Promise<void> {
  try {
    await run(program, words, { cwd, timeout: TOOL_SECONDS * 1000 });
  } catch (error) {
    const { code, stderr } = error as { code?: string | number; stderr?: string };
    const told = code === "ENOENT" ? `there is no ${program}` : stderr || String(error);
    const isSetup = code === "ENOENT" || /wasm-ld|target may not be installed|can't find crate for/.test(told);
    throw new PipelineError(name, "compile", isSetup ? `${told.trim()}\n${hint}` : told.trim());
  }
}
