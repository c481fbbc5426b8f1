// SPDX-License-Identifier: MIT
//
// Debian's modetest (libdrm-tests) for a guest of a scenario: the program, its loader and its libraries, unchanged, as
// files for /lab. A guest's ramdisk has no dynamic loader, so it is called by name:
//
//   ld-linux-x86-64.so.2 --library-path /lab /lab/modetest ...

import { copyFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.js";
import { download, unpack } from "./debian.js";

/** Raised when the code below changes what it makes. */
const RECIPE = "1";
/** Package -> what of it, in folders of Debian's merged /usr. */
const PARTS: Record<string, readonly string[]> = {
  "libdrm-tests": ["usr/bin/modetest"],
  libdrm2: ["usr/lib/x86_64-linux-gnu/libdrm.so.2"],
  libc6: ["usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"],
};

/** Name in the guest's /lab -> path here. */
export async function modetest(say: (text: string) => void = () => {}): Promise<Record<string, string>> {
  const recipe = JSON.stringify([RECIPE, PARTS]);
  const dir = await cached({ name: "modetest", recipe, make: (work) => make(work, say), onProgress: say });
  const names = readdirSync(dir).filter((name) => !name.endsWith(".json"));
  return Object.fromEntries(names.map((name) => [name, join(dir, name)]));
}

async function make(dir: string, say: (text: string) => void): Promise<void> {
  say("downloading Debian's modetest");
  const work = join(dir, "work");
  await unpack(await download(Object.keys(PARTS), false), work);
  for (const path of Object.values(PARTS).flat()) copyFileSync(join(work, path), join(dir, path.replace(/.*\//, "")));
  rmSync(work, { recursive: true });
}
