// SPDX-License-Identifier: MIT
//
// Xen with FLASK: Debian's binary has no XSM, so it is built once from Debian's own source package, with nothing
// changed but its configuration. Its built-in policy is Xen's own; ours comes as a boot module (policy.ts) and
// replaces it, so that a change of the policy needs no new hypervisor.

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cached } from "../cache.js";
import { unpackSource } from "../debian-source.js";
import { DiskFull, exec } from "../exec.js";
import type { Images } from "../images.js";
import { CACHE } from "../paths.js";

/** Raised when the code below changes what it makes. */
const RECIPE = "1";
/** Debian's own configuration is only the first line. EXPERT shows the others. */
const CONFIG = ["DEBUG=n", "EXPERT=y", "XSM=y", "XSM_FLASK=y", "XSM_FLASK_POLICY=y", "XSM_FLASK_DEFAULT=y"];
/** Programs of the packages that build.mjs sets up for it. */
const NEEDS = ["bison", "checkpolicy", "dpkg-source", "flex", "m4", "make", "python3"];
/** The built tree has 220 MB; the download and apt's lists as much again. */
const WORK_BYTES = 512 << 20;
const BUILD_TIMEOUT_MS = 1_800_000;
const JOBS = 2;

export interface FlaskXen {
  xen: string;
  /** Xen's own policy in source: what our module is added to. */
  policySource: string;
  /** Of the source that it was built from. */
  version: string;
}

export async function flaskXen(images: Images, say: (text: string) => void): Promise<FlaskXen> {
  const stock = stockVersion(images);
  const dir = await cached({
    name: "xen-flask",
    recipe: JSON.stringify([RECIPE, stock, CONFIG]),
    make: (work) => build(work, stock, say),
    onProgress: say,
  });
  const version = readFileSync(join(dir, "version.txt"), "utf8").trim();
  return { xen: join(dir, "xen"), policySource: join(dir, "policy.tar"), version };
}

/** Of the hypervisor that Debian's binary package holds: Dom0's programs are of the same version. */
export function stockVersion(images: Images): string {
  const found = /^xen-hypervisor-[^_]+_([^_]+)_/m.exec(readFileSync(join(images.dir, "versions.txt"), "utf8"))?.[1];
  if (found === undefined) throw new Error(`${images.dir}/versions.txt names no xen-hypervisor package`);
  return decodeURIComponent(found);
}

async function build(dir: string, stock: string, say: (text: string) => void): Promise<void> {
  checkTools();
  checkSpace();
  const work = join(dir, "work");
  mkdirSync(work);
  say("downloading the source of Debian's Xen");
  const branch = stock.split(".").slice(0, 2).join(".");
  const source = await unpackSource("xen", stock, `${branch}.`, work);
  if (source.version !== stock) say(`the source of Xen ${stock} is not to be had: ${source.version} instead`);
  say(`building Xen ${source.version} with FLASK (two minutes, once)`);
  await compile(source.dir, source.version);
  copyFileSync(join(source.dir, "xen/xen"), join(dir, "xen"));
  const parts = ["tools/flask/policy", "xen/xsm/flask/policy"];
  await exec("tar", ["-cf", join(dir, "policy.tar"), "-C", source.dir, ...parts]);
  writeFileSync(join(dir, "version.txt"), `${source.version}\n`);
  rmSync(work, { recursive: true });
}

function checkTools(): void {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const missing = NEEDS.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  if (missing.length === 0) return;
  const advice = '"node build.mjs setup --flask" installs them';
  throw new Error(`Xen with FLASK is built from source, which needs ${missing.join(", ")}: ${advice}`);
}

function checkSpace(): void {
  const { bavail, bsize } = statfsSync(CACHE);
  if (bavail * bsize < WORK_BYTES) throw new DiskFull(CACHE);
}

async function compile(tree: string, version: string): Promise<void> {
  const lines = CONFIG.map((line) => `CONFIG_${line}`);
  const config = join(tree, "xen/.config");
  writeFileSync(config, `${lines.join("\n")}\n`);
  // The builder's name and the time are told by Xen when it boots; they are nobody's business.
  const env = {
    ...process.env,
    ...{ XEN_CONFIG_EXPERT: "y", XEN_WHOAMI: "glovebox", XEN_DOMAIN: "lab", XEN_BUILD_DATE: version },
  };
  const make = (...args: string[]) =>
    exec("make", ["-C", join(tree, "xen"), ...args], { env, timeoutMs: BUILD_TIMEOUT_MS });
  await make("olddefconfig");
  const got = readFileSync(config, "utf8").split("\n");
  const absent = lines.filter((line) => !line.endsWith("=n") && !got.includes(line));
  if (absent.length > 0) throw new Error(`Xen ${version} cannot be configured with ${absent.join(" ")}`);
  await make(`-j${JOBS}`);
}
