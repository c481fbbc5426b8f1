// SPDX-License-Identifier: MIT
//
// Results kept by the hash of what made them: a step whose inputs are unchanged is not run again. A file appears
// under its final name only when it is whole, so builds that run side by side (or are killed) do no harm.

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { inBuild } from "./paths.js";

export type Bytes = Uint8Array;

/** A short name for these inputs; order matters, borders between parts cannot be confused. */
export function hashOf(...parts: (string | Bytes)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    hash.update(`${part.length}:`);
    hash.update(part);
  }
  return hash.digest("hex").slice(0, 24);
}

/** Write a file in one step, leaving it untouched (and its time too) when it has these contents already. */
export function writeWhole(path: string, contents: string | Bytes): void {
  const bytes = Buffer.from(contents as Bytes);
  if (existsSync(path) && readFileSync(path).equals(bytes)) return;
  makeFolder(dirname(path));
  const partial = `${path}.${process.pid}.partial`;
  try {
    writeFileSync(partial, bytes);
    renameSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
}

/** With the folders above it. Not mkdir's own `recursive`: Node.js 20 never ends where there can be none (/proc). */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (path !== dirname(path)) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // somebody else made it just now
  }
}

/** The bytes kept under (kind, key), made by `make` when there are none. */
export async function kept(kind: string, key: string, make: () => Bytes | Promise<Bytes>): Promise<Bytes> {
  const path = inBuild("cache", `${key}.${kind}`);
  const known = touched(path);
  if (known !== undefined) return known;
  const bytes = await make();
  writeWhole(path, bytes);
  return bytes;
}

/** The file's bytes, its time set to now: see prune. Another process may prune it while we look. */
function touched(path: string): Bytes | undefined {
  try {
    const bytes = readFileSync(path);
    utimesSync(path, new Date(), new Date());
    return bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const KEPT_DAYS = 14;

/** Drop what nobody asked for in the last two weeks. */
export function prune(): void {
  const oldest = Date.now() - KEPT_DAYS * 24 * 3600 * 1000;
  for (const name of readdirSync(inBuild("cache"))) {
    const path = inBuild("cache", name);
    const known = statSync(path, { throwIfNoEntry: false });
    if (known !== undefined && known.mtimeMs < oldest) rmSync(path, { recursive: true, force: true });
  }
}
