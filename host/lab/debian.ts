// SPDX-License-Identifier: MIT
//
// Debian packages as raw material: downloaded by the host's own apt (which checks their signatures) with package lists
// of our own, unpacked into a folder, never installed. So the lab's Xen, kernel and Dom0 need no root, do not depend on
// how old the host's lists are, and leave the user's machine as it was.

import { copyFileSync, mkdirSync, readdirSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { DiskFull, ExecError, exec } from "./exec.js";
import { CACHE } from "./paths.js";

const DOWNLOAD_TIMEOUT_MS = 900_000;
/** Debian's package lists as apt keeps them, and as much again while it unpacks them. */
const LISTS_BYTES = 256 << 20;
const ARCHIVES = join(CACHE, "debs");
/** /bin and friends are links into /usr since Debian 12; old-style packages still carry files for both. */
const MERGED = ["bin", "sbin", "lib", "lib64"];

/** What makes apt work for us: state and archives in the cache, no root, nothing of the host but its sources. */
function aptOptions(archives: string): string[] {
  const lists = join(CACHE, "apt/lists");
  for (const dir of [join(lists, "partial"), join(archives, "partial")]) mkdirSync(dir, { recursive: true });
  return [
    `Dir::State::lists=${lists}`,
    `Dir::Cache::archives=${archives}`,
    "Dir::Cache::pkgcache=",
    "Dir::Cache::srcpkgcache=",
    "Debug::NoLocking=1",
    "APT::Install-Recommends=0",
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
}

let updated: Promise<unknown> | undefined;

/** Today's package lists, fetched once by each process that needs any. apt waits for ever on a full disk. */
function update(): Promise<unknown> {
  mkdirSync(CACHE, { recursive: true });
  const { bavail, bsize } = statfsSync(CACHE);
  if (bavail * bsize < LISTS_BYTES) throw new DiskFull(CACHE);
  updated ??= exec("apt-get", [...aptOptions(ARCHIVES), "-q", "update"], { timeoutMs: DOWNLOAD_TIMEOUT_MS });
  return updated;
}

/** Downloads the packages, and with `closure` all that they depend on; returns the paths of the .deb files. */
export async function download(packages: readonly string[], closure: boolean): Promise<string[]> {
  try {
    await update();
    return closure ? await downloadClosure(packages) : await downloadEach(packages);
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    throw new Error(`cannot download the Debian packages ${packages.join(" ")}\n${error.output}`);
  }
}

/** apt resolves against an empty machine, so that what the host has installed does not matter. */
async function downloadClosure(packages: readonly string[]): Promise<string[]> {
  const status = join(CACHE, "apt/no-packages-installed");
  const apt = (archives: string, how: string) => {
    const options = [...aptOptions(archives), "-o", `Dir::State::status=${status}`];
    writeFileSync(status, "");
    return exec("apt-get", [...options, how, "-qq", "-y", "install", ...packages], { timeoutMs: DOWNLOAD_TIMEOUT_MS });
  };
  const plan = await apt(join(CACHE, "apt/empty"), "--print-uris"); // apt lists only what it would download
  await apt(ARCHIVES, "--download-only");
  return archivesOf(plan.stdout);
}

async function downloadEach(packages: readonly string[]): Promise<string[]> {
  const options = [...aptOptions(ARCHIVES), "-q"];
  const plan = await exec("apt-get", [...options, "--print-uris", "download", ...packages]);
  await exec("apt-get", [...options, "download", ...packages], { cwd: ARCHIVES, timeoutMs: DOWNLOAD_TIMEOUT_MS });
  return archivesOf(plan.stdout);
}

/** Lines of --print-uris: 'URI' name size hash. */
function archivesOf(plan: string): string[] {
  const lines = plan.split("\n").filter((line) => line.startsWith("'"));
  return lines.map((line) => join(ARCHIVES, line.split(" ")[1] ?? ""));
}

export async function unpack(debs: readonly string[], dir: string): Promise<void> {
  mkdirSync(join(dir, "usr"), { recursive: true });
  for (const name of MERGED) {
    mkdirSync(join(dir, "usr", name), { recursive: true });
    symlinkSync(`usr/${name}`, join(dir, name));
  }
  // dpkg-deb -x would replace those links by folders
  const archive = join(dir, "package.tar");
  for (const deb of debs) {
    await exec("dpkg-deb", ["--fsys-tarfile", deb], { stdoutFile: archive });
    await exec("tar", ["--keep-directory-symlink", "--no-same-owner", "-xf", archive, "-C", dir]);
  }
  rmSync(archive);
}

/** The package with the kernel itself, which Debian's meta package points to. */
export async function kernelPackage(): Promise<string> {
  await update();
  const { stdout } = await exec("apt-cache", [...aptOptions(ARCHIVES), "depends", "linux-image-amd64"]);
  const name = /Depends: (linux-image-\S+-amd64)$/m.exec(stdout)?.[1];
  if (name === undefined) throw new Error("apt knows no package linux-image-amd64: are Debian 12's sources set up?");
  return name;
}

export function versions(debs: readonly string[]): string {
  return `${debs.map((deb) => basename(deb, ".deb")).join("\n")}\n`;
}

export function copyOnly(dir: string, suffix: string, target: string): void {
  const name = readdirSync(dir).find((entry) => entry.endsWith(suffix));
  if (name === undefined) throw new Error(`${dir}: no file ends in ${suffix}`);
  copyFileSync(join(dir, name), target);
}
