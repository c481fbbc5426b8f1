// SPDX-License-Identifier: MIT
//
// The ramdisk with the modules (xl: ramdisk="modules.img"): a newc cpio archive whose first entry, B2SUMS, lists
// the .gbx files that follow. Anybody can make or check one with cpio and b2sum; ours has a fixed order and no
// times, so the same files give the same bytes. The driver domain loads what is listed and whole, in this order.

import { createHash } from "node:crypto";
import { cpio, file } from "../lab/cpio.js";
import { PipelineError } from "./error.js";
import type { PackedModule } from "./gbx.js";
import { readGbx } from "./gbx-rules.js";
import type { Bytes } from "./store.js";

export type RamdiskFile = Pick<PackedModule, "fileName" | "bytes">;

const SUMS = "B2SUMS";
const FILE_MODE = 0o644;
/** What the driver domain has room for (SHIM_MODULES_MAX). */
export const MODULES_MAX = 32;

/**
 * Modules to a ramdisk, each as NAME-VERSION.gbx, the one name under which the driver domain loads it, whatever the
 * file was called here. Damaged files and two of the same name and version are refused by their own names.
 */
export function makeRamdisk(files: readonly RamdiskFile[]): Bytes {
  if (files.length > MODULES_MAX) {
    throw new PipelineError("modules", "ramdisk", `${files.length} modules; the limit is ${MODULES_MAX}`);
  }
  const inside = new Map<string, RamdiskFile>();
  for (const one of byName(files.map((file) => [file.fileName, file]))) {
    const { record } = readGbx(one.fileName, one.bytes);
    const name = `${record.name}-${record.version}.gbx`;
    const other = inside.get(name)?.fileName;
    if (other !== undefined) {
      throw new PipelineError(one.fileName, "ramdisk", `is ${record.name}@${record.version}, and so is ${other}`);
    }
    inside.set(name, one);
  }
  const entries = byName([...inside].map(([name, { bytes }]) => [name, { name, bytes }]));
  const sums = entries.map(({ name, bytes }) => `${blake2b(bytes)}  ${name}\n`).join("");
  return cpio([
    file(SUMS, sums, FILE_MODE),
    ...entries.map(({ name, bytes }) => file(name, Buffer.from(bytes), FILE_MODE)),
  ]);
}

const byName = <T>(pairs: [string, T][]): T[] => pairs.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);

function blake2b(bytes: Bytes): string {
  return createHash("blake2b512").update(bytes).digest("hex");
}
