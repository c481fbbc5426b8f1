// SPDX-License-Identifier: MIT
//
// `glovebox info FILE`: what a .wasm or .gbx file holds. A .wasm file that would be refused is described as far as it
// can be read; check says why.

import { type GbxFile, readGbx } from "../pipeline/gbx-rules.js";
import { fuelByEntry, type Manifest } from "../pipeline/manifest.js";
import { type Review, review } from "../pipeline/review.js";
import { isPacked, print, printJson, readBytes, subjectOf } from "./module-file.js";

export async function infoVerb(file: string, options: { json?: boolean }): Promise<void> {
  const bytes = readBytes(file);
  const isGbx = isPacked(bytes) || file.endsWith(".gbx");
  if (isGbx) tell(options, gbxJson(readGbx(subjectOf(file), bytes), bytes.length));
  else tell(options, wasmJson(await review(bytes)));
}

function gbxJson({ record, manifest, descriptor, imageBytes, codeBytes, relocations }: GbxFile, fileBytes: number) {
  const { instanceBytes } = descriptor;
  return { kind: "gbx", ...record, fileBytes, imageBytes, codeBytes, relocations, instanceBytes, manifest };
}

function wasmJson({ report, manifest, reasons, wasmBytes, wasmSha256, instrumented }: Review) {
  const { fuelPoints, globals, ...rest } = report;
  const more = instrumented === undefined ? {} : { fuelPoints, globals: globals.length };
  return {
    kind: "wasm",
    accepted: reasons.length === 0,
    reasons: reasons.length,
    wasmBytes,
    wasmSha256,
    ...more,
    instrumentedBytes: instrumented?.bytes,
    instrumentedSha256: instrumented?.sha256,
    ...rest,
    manifest,
  };
}

function tell(options: { json?: boolean }, facts: Record<string, unknown> & { manifest: Manifest | undefined }): void {
  if (options.json) return printJson(facts);
  const { manifest, ...rest } = facts;
  const rows = [...manifestRows(manifest), ...Object.entries(rest).map(([key, value]) => [words(key), plain(value)])];
  const width = Math.max(...rows.map(([key]) => key?.length ?? 0));
  for (const [key, value] of rows) if (value !== undefined) print(`${key?.padEnd(width)}  ${value}`);
}

/** "frameBytes" -> "frame bytes" */
const words = (key: string): string => key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function plain(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value.join(", ") || "none";
  if (typeof value !== "object" || value === null) return String(value);
  const pairs = Object.entries(value);
  return pairs.map(([key, one]) => `${key} ${one}`).join("; ");
}

function manifestRows(manifest: Manifest | undefined): [string, string][] {
  if (manifest === undefined) return [["module", "its manifest is refused: see glovebox check"]];
  const fuel = fuelByEntry(manifest).map((one) => one || "-");
  return [
    ["module", `${manifest.name} ${manifest.version}, module ABI ${manifest.abi}`],
    ["device", `${manifest.vendor}:${manifest.device}, class ${manifest.class}`],
    ["capabilities", manifest.capabilities.join(", ") || "none"],
    [
      "BARs",
      manifest.bars.map((one) => `${one.index}: ${one.kind} ${one.space} ${one.size ?? one.sizeParam}`).join("; "),
    ],
    ["interrupts", plain(manifest.interrupts) || "none"],
    ["memory", `${manifest.memoryPages} pages of 64 KiB`],
    ["fuel", `attach ${fuel[0]}; reset ${fuel[1]}; bar_read ${fuel[2]}; bar_write ${fuel[3]}; event ${fuel[4]}`],
    [
      "parameters",
      manifest.params.map((one) => `${one.name} ${one.default} (${one.min} to ${one.max})`).join("; ") || "none",
    ],
  ];
}
