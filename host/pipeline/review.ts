// SPDX-License-Identifier: MIT
//
// All that can be said about a module's file before it is compiled: its manifest, and every reason to refuse it. The
// file comes from anybody; a step is only reached when the ones before it found nothing.

import { createHash } from "node:crypto";
import { MANIFEST_SECTION } from "../../unikernel/abi/manifest.js";
import { type CheckReport, examine } from "./check.js";
import type { CheckOptions } from "./check-context.js";
import { MODULE_BORDER } from "./contract.js";
import { PipelineError } from "./error.js";
import { capabilityBits, type Manifest, parseManifest } from "./manifest.js";
import { checkFuel } from "./manifest-rules.js";
import { prepareWasm } from "./module.js";
import { REMEDIES, type Reason } from "./reasons.js";
import { detachManifest } from "./section.js";
import type { Bytes } from "./store.js";
import { sectionsUntilFault } from "./wasm-reader.js";

export interface Review {
  reasons: Reason[];
  /** Missing when it is one of the reasons. */
  manifest?: Manifest;
  report: CheckReport;
  wasmBytes: number;
  wasmSha256: string;
  /** Only when there is no reason to refuse it. */
  instrumented?: { bytes: number; sha256: string };
}

const ALL_CAPABILITIES = 0xffffffff;

/** Never throws for what is in the file. */
export async function review(file: Bytes): Promise<Review> {
  const { manifest, reasons } = manifestOf(file);
  const examined = examine(file, optionsOf(manifest));
  const found: Review = {
    reasons: [...reasons, ...examined.reasons],
    ...(manifest === undefined ? {} : { manifest }),
    report: examined.report,
    wasmBytes: file.length,
    wasmSha256: sha256(file),
  };
  if (manifest !== undefined && found.reasons.length === 0) {
    found.reasons.push(...reasonsOf(file, () => checkFuel(manifest.name, manifest, found.report.exports)));
  }
  return found.reasons.length > 0 ? found : instrumentedReview(found, file);
}

/** What can only be known by going on: the instrumenter is ours, so a refusal there is a rule that check lacks. */
async function instrumentedReview(found: Review, file: Bytes): Promise<Review> {
  try {
    const { report, wasm } = await prepareWasm(found.manifest?.name ?? "", file);
    return { ...found, report, instrumented: { bytes: wasm.length, sha256: sha256(wasm) } };
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    const reason: Reason = { rule: "invalid", offset: 0, what: error.message, remedy: REMEDIES.invalid, count: 1 };
    return { ...found, reasons: [reason] };
  }
}

/** Without a manifest the code is held against the rules that need none. */
function optionsOf(manifest: Manifest | undefined): CheckOptions {
  return {
    name: manifest?.name ?? "module",
    border: MODULE_BORDER,
    capabilities: manifest === undefined ? ALL_CAPABILITIES : capabilityBits(manifest),
    memoryPages: manifest?.memoryPages,
    tableEntries: manifest?.tables ?? 0,
  };
}

function manifestOf(file: Bytes): { manifest?: Manifest; reasons: Reason[] } {
  let manifest: Manifest | undefined;
  const reasons = reasonsOf(file, () => {
    manifest = parseManifest("module", detachManifest("module", file));
  });
  return manifest === undefined ? { reasons } : { manifest, reasons };
}

function reasonsOf(file: Bytes, step: () => void): Reason[] {
  try {
    step();
    return [];
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    const { found } = sectionsUntilFault(file);
    const offset = found.find((one) => one.name === MANIFEST_SECTION)?.offset ?? file.length;
    const place = { rule: "manifest", offset, remedy: REMEDIES.manifest, count: 1 } as const;
    return error.reason.split("; ").map((what) => ({ ...place, what: `the manifest: ${what}` }));
  }
}

function sha256(bytes: Bytes): string {
  return createHash("sha256").update(bytes).digest("hex");
}
