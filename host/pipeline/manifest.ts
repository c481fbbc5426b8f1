// SPDX-License-Identifier: MIT
//
// A module's manifest as its author wrote it: JSON, checked for its shape by manifest.schema.json and for its sense
// by manifest-rules.ts. manifest-binary.ts makes of it what the driver domain reads. docs/MODULE_ABI.md has the keys.

import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { checkRules, refuse } from "./manifest-rules.js";
import type { Manifest } from "./manifest-type.js";
import { inProject } from "./paths.js";

export { encodeManifest } from "./manifest-binary.js";
export * from "./manifest-type.js";

let validate: ReturnType<Ajv2020["compile"]> | undefined;

/** JSON text to a manifest that keeps all rules; throws PipelineError that names key, value and limit. */
export function parseManifest(subject: string, json: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return refuse(subject, `no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  validate ??= new Ajv2020({ allErrors: true }).compile(
    JSON.parse(readFileSync(inProject("host/pipeline/manifest.schema.json"), "utf8")),
  );
  if (!validate(value)) {
    const faults = (validate.errors ?? []).map(
      (one) => `${one.instancePath || "/"} ${one.message} ${detail(one.params)}`,
    );
    return refuse(subject, faults.join("; "));
  }
  const manifest = value as Manifest;
  checkRules(subject, manifest);
  return manifest;
}

function detail(params: unknown): string {
  const text = JSON.stringify(params);
  return text === "{}" ? "" : text;
}
