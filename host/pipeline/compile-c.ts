// SPDX-License-Identifier: MIT
//
// WebAssembly to C by wasm2c, the command-line tool that the npm package `wabt` carries. It sees only files that
// check.ts has passed: its reader has had memory-safety faults, so no vendor's own bytes may reach it.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PipelineError } from "./error.js";
import { inProject } from "./paths.js";
import { type Bytes, hashOf, kept } from "./store.js";

export interface GeneratedC {
  header: string;
  source: string;
}

const TOOL_SECONDS = 60;

/** a-module -> aModule: a name that wasm2c leaves alone. No two can meet: module names have no capitals. */
export function identifierOf(name: string): string {
  return name.replace(/-(.)/g, (_, first: string) => first.toUpperCase());
}

/** The C of one module; its functions are w2c_<identifier>_<export>, its header is w2c_<identifier>.h. */
export async function compileToC(name: string, wasm: Bytes): Promise<GeneratedC> {
  const version = readFileSync(inProject("node_modules/wabt/package.json"));
  const key = hashOf("wasm2c", version, name, wasm);
  const both = await kept("c.json", key, async () => Buffer.from(JSON.stringify(await runTool(name, wasm))));
  return JSON.parse(Buffer.from(both).toString()) as GeneratedC;
}

async function runTool(name: string, wasm: Bytes): Promise<GeneratedC> {
  const identifier = identifierOf(name);
  const directory = mkdtempSync(join(tmpdir(), "glovebox-wasm2c-"));
  try {
    const input = join(directory, "in.wasm");
    const source = join(directory, `w2c_${identifier}.c`);
    writeFileSync(input, wasm);
    const tool = inProject("node_modules/wabt/bin/wasm2c");
    await promisify(execFile)(process.execPath, [tool, "-n", identifier, "-o", source, input], {
      timeout: TOOL_SECONDS * 1000,
    });
    const header = join(directory, `w2c_${identifier}.h`);
    return { header: readFileSync(header, "utf8"), source: readFileSync(source, "utf8") };
  } catch (error) {
    const told = (error as { stderr?: string }).stderr;
    throw new PipelineError(name, "wasm2c", told || (error instanceof Error ? error.message : String(error)));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
