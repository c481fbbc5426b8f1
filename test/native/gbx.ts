// SPDX-License-Identifier: MIT
//
// Small .gbx files for tests of the loader, compiled as the packer compiles (native/sources.json) from
// double/gbx/module.c, and ramdisks of any files, right or wrong.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cpio, file } from "../../host/lab/cpio.js";
import { BUILD, fromRoot } from "../../host/lab/paths.js";

const SCRATCH = join(BUILD, "test/native-gbx");

export interface Recipe {
  name?: string;
  version?: string;
  cflags?: string[];
  /** Instead of those of native/sources.json. */
  ldflags?: string[];
  source?: string;
}

interface Sources {
  iquote: string[];
  gbxCflags: string[];
  gbxLdflags: string[];
}

const sources = JSON.parse(readFileSync(fromRoot("native/sources.json"), "utf8")) as Sources;
const made = new Map<string, Buffer>();

/** The bytes of a .gbx file. */
export function gbx(recipe: Recipe = {}): Buffer {
  const key = createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 16);
  const known = made.get(key) ?? compile(recipe);
  made.set(key, known);
  return Buffer.from(known);
}

function compile(recipe: Recipe): Buffer {
  const { name = "plain", version = "1", cflags = [], ldflags = sources.gbxLdflags } = recipe;
  mkdirSync(SCRATCH, { recursive: true });
  const folder = mkdtempSync(join(SCRATCH, "gbx-"));
  const stem = join(folder, "module");
  const quoted = sources.iquote.flatMap((folder) => ["-iquote", fromRoot(folder)]);
  const words = [`-DNAME="${name}"`, `-DVERSION="${version}"`, ...cflags];
  const source = fromRoot(recipe.source ?? "test/native/double/gbx/module.c");
  const run = { cwd: fromRoot() };
  execFileSync("gcc", [...sources.gbxCflags, ...quoted, ...words, "-c", source, "-o", `${stem}.o`], run);
  execFileSync("ld", [...ldflags, `${stem}.o`, "-o", stem], run);
  const bytes = readFileSync(stem);
  rmSync(folder, { recursive: true });
  return bytes;
}

export interface Entry {
  name: string;
  bytes: Uint8Array;
  /** What B2SUMS says, when it is not what is right; "" = nothing. */
  sum?: string;
}

export const blake2b = (bytes: Uint8Array): string => createHash("blake2b512").update(bytes).digest("hex");

const line = ({ name, bytes, sum = blake2b(bytes) }: Entry): string => (sum === "" ? "" : `${sum}  ${name}\n`);

/** A ramdisk with B2SUMS before these files. */
export function ramdisk(entries: readonly Entry[], sums = entries.map(line).join("")): Buffer {
  return cpio([file("B2SUMS", sums, 0o644), ...entries.map((one) => file(one.name, Buffer.from(one.bytes), 0o644))]);
}
