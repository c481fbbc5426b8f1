// SPDX-License-Identifier: MIT
//
// The lab's cache: one folder per thing, named by the hash of its recipe. An entry is made under a temporary name
// and renamed when it is whole, so a reader never sees half of one. Each entry lists its files with size and
// SHA-256; an entry that does not match its list is thrown away, with a message, and made again.
//
// Several programs may use one cache: one at a time makes something, under a lock, because apt's lists and archives lie
// there too and what one has made the others need not make again. A lock whose holder is gone is taken over.

import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import lockfile from "proper-lockfile";
import { DiskFull, isDiskFull } from "./exec.js";
import { CACHE } from "./paths.js";

const LIST = "CHECKSUMS.json";
const HASH_CHARS = 12;
/** A holder touches its lock every half of this; one that is older belongs to a program that is gone. */
const LOCK_STALE_MS = 30_000;
const LOCK_RETRY_MS = 500;

interface FileSum {
  bytes: number;
  mtimeMs: number;
  sha256: string;
}

export interface CacheRequest {
  /** A word for the folder's name and for messages. */
  name: string;
  /** Everything the contents depend on; another text is another entry. */
  recipe: string;
  make: (dir: string) => Promise<void>;
  onProgress?: ((text: string) => void) | undefined;
}

export function hashText(...parts: string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

const temporary = new Set<string>();
let serial = 0;

/** Removes what an interrupted `make` left; for signals and for exit. */
export function dropTemporary(): void {
  for (const dir of temporary) rmSync(dir, { recursive: true, force: true });
  temporary.clear();
}

/** Returns the entry's folder, made if it was not there or was broken. */
export async function cached(request: CacheRequest, root = join(CACHE, "lab")): Promise<string> {
  const dir = join(root, `${request.name}-${hashText(request.recipe).slice(0, HASH_CHARS)}`);
  if (existsSync(dir) && (await findFault(dir)) === "") return dir;
  try {
    mkdirSync(root, { recursive: true });
    const unlock = await lock(root, request);
    try {
      await makeUnlessThere(request, root, dir);
    } finally {
      await unlock();
    }
  } catch (error) {
    throw isDiskFull(error) ? new DiskFull(root) : error;
  }
  return dir;
}

/** Ours, or waited for as long as its holder lives: making something takes minutes. */
async function lock(root: string, request: CacheRequest): Promise<() => Promise<void>> {
  const options = { lockfilePath: join(root, "lock"), stale: LOCK_STALE_MS };
  try {
    return await lockfile.lock(root, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
  }
  request.onProgress?.("waiting for another program that fills the cache");
  const retries = { forever: true, factor: 1, minTimeout: LOCK_RETRY_MS, maxTimeout: LOCK_RETRY_MS };
  return lockfile.lock(root, { ...options, retries });
}

async function makeUnlessThere(request: CacheRequest, root: string, dir: string): Promise<void> {
  if (existsSync(dir)) {
    const fault = await findFault(dir);
    if (fault === "") return; // somebody else made it while we waited
    request.onProgress?.(`cache entry ${dir} is broken (${fault}): making it again`);
    rmSync(dir, { recursive: true, force: true });
  }
  await make(request, root, dir);
}

async function make(request: CacheRequest, root: string, dir: string): Promise<void> {
  sweep(root);
  const work = join(root, `tmp-${process.pid}-${serial++}-${request.name}`);
  temporary.add(work);
  try {
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work);
    await request.make(work);
    await writeList(work);
    renameSync(work, dir);
  } finally {
    rmSync(work, { recursive: true, force: true });
    temporary.delete(work);
  }
}

/** Throws away the half-made entries of programs that are gone (killed, power cut). */
function sweep(root: string): void {
  for (const name of readdirSync(root)) {
    const pid = /^tmp-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(root, name), { recursive: true, force: true });
  }
}

async function writeList(dir: string): Promise<void> {
  const list: Record<string, FileSum> = {};
  for (const name of readdirSync(dir)) {
    const stat = statSync(join(dir, name));
    if (!stat.isFile()) throw new Error(`cache entry ${dir}: ${name} is no plain file`);
    list[name] = { bytes: stat.size, mtimeMs: stat.mtimeMs, sha256: await hashFile(join(dir, name)) };
  }
  writeFileSync(join(dir, LIST), `${JSON.stringify(list, null, 2)}\n`);
}

/** Empty when all is well. A file whose size and time are as listed is not read again. */
async function findFault(dir: string): Promise<string> {
  let list: Record<string, FileSum>;
  try {
    list = JSON.parse(readFileSync(join(dir, LIST), "utf8")) as Record<string, FileSum>;
  } catch {
    return `${LIST} is missing or unreadable`;
  }
  for (const [name, sum] of Object.entries(list)) {
    const path = join(dir, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return `${name} is missing`;
    if (stat.size !== sum.bytes) return `${name} has ${stat.size} bytes instead of ${sum.bytes}`;
    if (stat.mtimeMs !== sum.mtimeMs && (await hashFile(path)) !== sum.sha256) return `${name} has another SHA-256`;
  }
  return "";
}
