// SPDX-License-Identifier: MIT
//
// A Debian source package, unpacked and patched as Debian builds it: the host's own sources of packages, asked for
// their sources instead, with package lists of our own. apt checks the signatures as always.
//
// Archives drop the source of a version sooner or later than its binary. When the version that is wanted is not to be
// had, the newest one of the same upstream branch is taken, and its name says so.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExecError, exec } from "./exec.js";
import { CACHE } from "./paths.js";

const DOWNLOAD_TIMEOUT_MS = 900_000;
const HOST_SOURCES = "/etc/apt";

export interface Source {
  /** The unpacked tree. */
  dir: string;
  version: string;
}

/** Unpacks the source package into `work`; `branch` is what a version that may stand in begins with. */
export async function unpackSource(name: string, wanted: string, branch: string, work: string): Promise<Source> {
  const options = aptOptions();
  // A source of packages that has no sources fails here and does not matter; what we need is asked for below.
  const complaint = await tried("apt-get", [...options, "-q", "update"], work);
  const failures = [complaint];
  for (const version of [wanted, ...(await otherVersions(options, name, wanted, branch))]) {
    const failure = await tried("apt-get", [...options, "-q", "source", `${name}=${version}`], work);
    const dir = readdirSync(work, { withFileTypes: true }).find((entry) => entry.isDirectory())?.name;
    if (failure === "" && dir !== undefined) return { dir: join(work, dir), version };
    failures.push(failure);
  }
  const said = failures.filter((text) => text !== "").join("\n");
  throw new Error(`cannot download Debian's source package ${name} ${wanted}, nor another ${branch}*\n${said}`);
}

/** What it said when it failed; empty when it did not. A full disk is nothing to go on after. */
async function tried(program: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    await exec(program, args, { cwd, timeoutMs: DOWNLOAD_TIMEOUT_MS });
    return "";
  } catch (error) {
    if (error instanceof ExecError) return error.output || error.message;
    throw error;
  }
}

/** Newest first. */
async function otherVersions(options: readonly string[], name: string, wanted: string, branch: string) {
  const { stdout } = await exec("apt-cache", [...options, "showsrc", "--only-source", name]);
  const versions = [...stdout.matchAll(/^Version: (\S+)$/gm)].map((match) => match[1] ?? "");
  return versions
    .filter((version) => version.startsWith(branch) && version !== wanted)
    .sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
}

function aptOptions(): string[] {
  const lists = join(CACHE, "apt/source-lists");
  mkdirSync(join(lists, "partial"), { recursive: true });
  return [
    `Dir::Etc::sourceparts=${sourceParts()}`,
    "Dir::Etc::sourcelist=/dev/null",
    `Dir::State::lists=${lists}`,
    "Dir::Cache::pkgcache=",
    "Dir::Cache::srcpkgcache=",
    "Debug::NoLocking=1",
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
}

/** The host's sources with `deb` turned into `deb-src`, keys and options kept. */
function sourceParts(): string {
  const parts = join(CACHE, "apt/source-parts");
  rmSync(parts, { recursive: true, force: true });
  mkdirSync(parts, { recursive: true });
  for (const path of hostSources()) {
    const text = asSources(readFileSync(join(HOST_SOURCES, path), "utf8"), path.endsWith(".sources"));
    writeFileSync(join(parts, path.replaceAll("/", "-")), text);
  }
  return parts;
}

function hostSources(): string[] {
  const folder = join(HOST_SOURCES, "sources.list.d");
  const more = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(list|sources)$/.test(name)) : [];
  const all = ["sources.list", ...more.map((name) => `sources.list.d/${name}`)];
  return all.filter((path) => existsSync(join(HOST_SOURCES, path)));
}

/** Of both of apt's formats: one line for each source, or paragraphs of fields. */
export function asSources(text: string, paragraphs: boolean): string {
  if (paragraphs) return text.replaceAll(/^Types:.*$/gim, "Types: deb-src");
  const lines = text.split("\n").filter((line) => /^\s*deb\s/.test(line));
  return lines.map((line) => `${line.replace(/^\s*deb/, "deb-src")}\n`).join("");
}
