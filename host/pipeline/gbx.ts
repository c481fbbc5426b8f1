// SPDX-License-Identifier: MIT
//
// The .gbx file: one module, compiled, as the driver domain loads it at boot or while it runs. It is a shared object
// with one symbol (native/wasm/gbx.ld has its layout, gbx-record.ts what it says of itself); what the linker made is
// read again and held against gbx-rules.ts before anybody gets it. Same module, same tools: same bytes.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { identifierOf } from "./compile-c.js";
import { readElf } from "./elf.js";
import { readNotes } from "./elf-dynamic.js";
import { NOTE_OWNER, noteSource, type PackRecord, RECORD_FORMAT, seal } from "./gbx-record.js";
import { type GbxFile, readGbx } from "./gbx-rules.js";
import { compilerVersions, compileUnits, linkShared, type NativeSources, nativeSources, type Unit } from "./gcc.js";
import { moduleGlue } from "./glue.js";
import { type PreparedModule, prepareModule } from "./module.js";
import { inBuild, inProject, projectRoot } from "./paths.js";
import { detachManifest } from "./section.js";
import { type Bytes, hashOf, writeWhole } from "./store.js";

export interface PackedModule extends GbxFile {
  /** NAME-VERSION.gbx */
  fileName: string;
  bytes: Bytes;
}

/** A module's file, from anybody, to its .gbx file. */
export async function packModule(subject: string, file: Bytes): Promise<PackedModule> {
  return packPrepared(await prepareModule(subject, file), file);
}

/** The same from the pipeline's last common step; `file` is what the author handed over. */
export async function packPrepared(module: PreparedModule, file: Bytes): Promise<PackedModule> {
  const sources = nativeSources();
  const sha256 = createHash("sha256").update(file).digest();
  const folder = inBuild("cache", `${hashOf("gbx", sha256, module.wasm)}.gen`);
  const put = (name: string, text: string): string => {
    writeWhole(join(folder, name), text);
    return relative(projectRoot(), join(folder, name));
  };
  const id = identifierOf(module.name);
  put(`w2c_${id}.h`, module.c.header);
  const code = put(`w2c_${id}.c`, module.c.source);
  const compile = (...units: Unit[]): ReturnType<typeof compileUnits> => compileUnits(units, gbxSources(sources));
  const [compiled] = await compile({ source: code, generated: folder, isWasm: true });
  const frameBytes = compiled?.frameBytes ?? 0;
  const glue = moduleGlue(module.manifest, module.report, { symbol: "gb_module", frameBytes, wasmSha256: sha256 });
  const record = recordOf(module, file, { sha256: sha256.toString("hex"), frameBytes, tools: await toolVersions() });
  const rest = await compile(
    { source: put("glue.c", glue), generated: folder, isWasm: false },
    { source: put("notes.c", noteSource(record, detachManifest(module.name, file))), isWasm: false },
    ...sources.gbxSources.map((source) => ({ source, isWasm: false })),
  );
  const objects = [compiled?.object ?? "", ...rest.map((one) => one.object)];
  const bytes = sealed(await linkShared(module.name, objects, sources));
  return { ...readGbx(module.name, bytes), bytes, fileName: `${module.name}-${module.manifest.version}.gbx` };
}

function gbxSources(sources: NativeSources): NativeSources {
  return { ...sources, cflags: sources.gbxCflags };
}

function recordOf(
  { manifest, report, wasm }: PreparedModule,
  file: Bytes,
  made: { sha256: string; frameBytes: number; tools: Record<string, string> },
): PackRecord {
  return {
    format: RECORD_FORMAT,
    name: manifest.name,
    version: manifest.version,
    abi: manifest.abi,
    wasmSha256: made.sha256,
    instrumentedSha256: createHash("sha256").update(wasm).digest("hex"),
    wasmBytes: file.length,
    frameBytes: made.frameBytes,
    fuelPoints: report.fuelPoints,
    functions: report.functions,
    imports: report.imports,
    exports: report.exports,
    globals: report.globals.length,
    tools: made.tools,
  };
}

function sealed(linked: Bytes): Bytes {
  const bytes = Uint8Array.from(linked);
  seal(bytes, readNotes(readElf(bytes), NOTE_OWNER));
  return bytes;
}

/** Of everything whose change may change a .gbx file. */
async function toolVersions(): Promise<Record<string, string>> {
  const ofPackage = (path: string): string =>
    (JSON.parse(readFileSync(inProject(path), "utf8")) as { version: string }).version;
  return {
    glovebox: ofPackage("package.json"),
    binaryen: ofPackage("node_modules/binaryen/package.json"),
    wabt: ofPackage("node_modules/wabt/package.json"),
    ...(await compilerVersions()),
  };
}
