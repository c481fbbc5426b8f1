// SPDX-License-Identifier: MIT
//
// `glovebox compile FOLDER` and `glovebox pack FILE|FOLDER`.

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { packModule } from "../pipeline/gbx.js";
import { parseManifest } from "../pipeline/manifest.js";
import { detachManifest } from "../pipeline/section.js";
import { sourceMapOfFolder } from "../pipeline/source.js";
import { UserError } from "./exit.js";
import { moduleBytes, print, printJson, put, subjectOf } from "./module-file.js";

interface Options {
  output?: string;
  sourceMap?: boolean;
  json?: boolean;
}

export async function compileVerb(folder: string, options: Options): Promise<void> {
  const wasm = await moduleBytes(folder);
  const { name, version } = parseManifest(subjectOf(folder), detachManifest(subjectOf(folder), wasm));
  const output = options.output ?? `${name}.wasm`;
  put(output, wasm);
  if (options.sourceMap) put(`${output}.map`, await mapOf(folder));
  if (options.json) printJson({ file: output, name, version, bytes: wasm.length });
  else print(`${output}: ${name} ${version}, ${wasm.length} bytes`);
}

async function mapOf(folder: string): Promise<string> {
  const map = statSync(folder).isDirectory() ? await sourceMapOfFolder(resolve(folder)) : undefined;
  if (map === undefined) throw new UserError(`${folder}: a source map is made of AssemblyScript only (index.ts)`);
  return map;
}

export async function packVerb(path: string, options: Options): Promise<void> {
  const packed = await packModule(subjectOf(path), await moduleBytes(path));
  const output = options.output ?? packed.fileName;
  if (!output.endsWith(".gbx")) throw new UserError(`${output}: a packed module's name ends in .gbx`);
  put(output, packed.bytes);
  const { record } = packed;
  if (options.json) printJson({ file: output, bytes: packed.bytes.length, ...record });
  else {
    const sizes = `${packed.bytes.length} bytes, ${packed.codeBytes} of code, largest frame ${record.frameBytes}`;
    print(`${output}: ${record.name} ${record.version}, ${sizes}, of wasm sha256 ${record.wasmSha256}`);
  }
}
