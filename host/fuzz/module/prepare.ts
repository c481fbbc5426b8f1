// SPDX-License-Identifier: MIT
//
// From a module's file to what the fuzzer runs: checked, with fuel (host/pipeline), with coverage (../cover), and the
// driver beside it. The file is anybody's; this runs in the child process that will also fuzz it.

import type { Manifest } from "../../pipeline/manifest.js";
import { prepareWasm } from "../../pipeline/module.js";
import { wasmHash } from "../../trace/index.js";
import { type Covered, cover } from "../cover/cover.js";
import { compileDriver } from "./driver.js";

export interface FuzzModule {
  manifest: Manifest;
  wasmSha256: string;
  /** As the vendor gave it, and with fuel. */
  file: Uint8Array;
  fuelled: Uint8Array;
  covered: Covered;
  driver: WebAssembly.Module;
}

/** `countsBlocks`: for a report of lines; slower. */
export async function prepareFuzz(subject: string, file: Uint8Array, countsBlocks = false): Promise<FuzzModule> {
  const { manifest, wasm } = await prepareWasm(subject, file);
  return {
    manifest,
    wasmSha256: wasmHash(file),
    file,
    fuelled: wasm,
    covered: cover(wasm, false, countsBlocks),
    driver: await compileDriver(),
  };
}
