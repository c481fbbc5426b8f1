// SPDX-License-Identifier: MIT
//
// Debian packages as raw material: downloaded by the host's own apt (which checks their signatures), unpacked into a
// folder, never installed. So the lab's Xen, kernel and Dom0 need no root and leave the user's machine as it was.

import { copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ExecError, exec } from "./exec.js";
import { CACHE } from "./paths.js";

const DOWNLOAD_TIMEOUT_MS = 900_000;
/** /bin and friends are links into /usr since Debian 12; old-style packages still carry files for both. */
const MERGED = ["bin", "sbin", "lib", "lib64"];

/** Downloads the packages, and with `closure` all that they depend on; returns the paths of the .deb files. */
export async function download(packages: readonly string[], closure: boolean): Promise<string[]> {
  const archives = join(CACHE, "debs");
  mkdirSync(join(archives, "partial"), { recursive: true });
  try {
    return closure ? await downloadClosure(packages, archives) : await downloadEach(packages, archives);
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    const hint = "Debian's package lists may be old: run `apt-get update` as root and try again";
    throw new Error(`cannot download the Debian packages ${packages.join(" ")}\n${error.output}\n${hint}`);
  }
}

/** apt resolves against an empty machine, so that what the host has installed does not matter. */
async function downloadClosure(packages: readonly string[], archives: string): Promise<string[]> {
  const status = join(archives, "no-packages-installed");
  writeFileSync(status, "");
  const options = [
    `Dir::State::status=${status}`,
    "Dir::Cache::pkgcache=",
    "Dir::Cache::srcpkgcache=",
    "Debug::NoLocking=1",
    "APT::Install-Recommends=0",
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  const apt = (where: string, how: string) =>
    exec("apt-get", [...options, "-o", `Dir::Cache::archives=${where}`, how, "-qq", "-y", "install", ...packages], {
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
    });
  const nowhere = join(archives, "empty"); // apt lists only what it would download
  mkdirSync(join(nowhere, "partial"), { recursive: true });
  const plan = await apt(nowhere, "--print-uris");
  await apt(archives, "--download-only");
  return plan.stdout
    .trim()
    .split("\n")
    .map((line) => join(archives, line.split(" ")[1] ?? ""));
}

async function downloadEach(packages: readonly string[], archives: string): Promise<string[]> {
  const options = ["-o", "APT::Sandbox::User=root", "-q"];
  const plan = await exec("apt-get", [...options, "--print-uris", "download", ...packages]);
  await exec("apt-get", [...options, "download", ...packages], { cwd: archives, timeoutMs: DOWNLOAD_TIMEOUT_MS });
  return plan.stdout
    .trim()
    .split("\n")
    .map((line) => join(archives, line.split(" ")[1] ?? ""));
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
  const { stdout } = await exec("apt-cache", ["depends", "linux-image-amd64"]);
  const name = /Depends: (linux-image-\S+-amd64)$/m.exec(stdout)?.[1];
  if (name === undefined) throw new Error("apt knows no package linux-image-amd64: run `apt-get update` as root");
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
