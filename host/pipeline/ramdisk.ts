// SPDX-License-Identifier: MIT
//
// The ramdisk with the modules (xl: ramdisk="modules.img"): a newc cpio archive whose first entry, SHA256SUMS, lists
// the .gbx files that follow. Anybody can make or check one with cpio and sha256sum; ours has a fixed order and no
// times, so the same files give the same bytes. The driver domain loads what is listed and whole, in this order.

import { createHash } from "node:crypto";
import { cpio, file } from "../lab/cpio.js";
import { PipelineError } from "./error.js";
import type { PackedModule } from "./gbx.js";
import { readGbx } from "./gbx-rules.js";
import type { Bytes } from "./store.js";

export type RamdiskFile = Pick<PackedModule, "fileName" | "bytes">;

const SUMS = "SHA256SUMS";
const FILE_MODE = 0o644;
/** What the driver domain has room for (SHIM_MODULES_MAX). */
export const MODULES_MAX = 32;

/** Modules to a ramdisk; refuses damaged files and two of the same name and version, by file name. */
export function makeRamdisk(files: readonly RamdiskFile[]): Bytes {
  const sorted = [...files].sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
  if (sorted.length > MODULES_MAX) {
    throw new PipelineError("modules", "ramdisk", `${sorted.length} modules; the limit is ${MODULES_MAX}`);
  }
  const seen = new Map<string, string>();
  for (const one of sorted) {
    const { record } = readGbx(one.fileName, one.bytes);
    const title = `${record.name}@${record.version}`;
    const other = seen.get(title);
    if (other !== undefined) throw new PipelineError(one.fileName, "ramdisk", `is ${title}, and so is ${other}`);
    seen.set(title, one.fileName);
  }
  const sums = sorted.map((one) => `${sha256(one.bytes)}  ${one.fileName}\n`).join("");
  return cpio([
    file(SUMS, sums, FILE_MODE),
    ...sorted.map((one) => file(one.fileName, Buffer.from(one.bytes), FILE_MODE)),
  ]);
}

function sha256(bytes: Bytes): string {
  return createHash("sha256").update(bytes).digest("hex");
}
