// SPDX-License-Identifier: MIT
//
// Debian's kernel package, taken apart: the ELF kernel out of its compressed wrapper (an emulated CPU would need
// ten seconds to do that at each boot) and the modules that we want, in the order in which they must be inserted.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { exec } from "./exec.js";

// The setup header of a bzImage: kernel, Documentation/x86/boot.rst
const SETUP_SECTS = 0x1f1;
const HEADER_MAGIC = 0x202;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR_BYTES = 512;
const XZ_MAGIC = "fd377a585a00";
const DEPENDS = Buffer.from("\0depends=");

export async function extractVmlinux(vmlinuz: string, target: string): Promise<void> {
  const image = readFileSync(vmlinuz);
  if (image.toString("latin1", HEADER_MAGIC, HEADER_MAGIC + 4) !== "HdrS") throw new Error(`${vmlinuz}: no bzImage`);
  const start = ((image[SETUP_SECTS] || 4) + 1) * SECTOR_BYTES + image.readUInt32LE(PAYLOAD_OFFSET);
  const payload = image.subarray(start, start + image.readUInt32LE(PAYLOAD_LENGTH));
  if (payload.toString("hex", 0, 6) !== XZ_MAGIC) throw new Error(`${vmlinuz}: compressed by something else than xz`);
  const packed = `${target}.xz`;
  writeFileSync(packed, payload.subarray(0, payload.length - 4)); // the kernel's build appends the unpacked size
  await exec("xz", ["-d", packed]);
}

export interface Modules {
  release: string;
  /** Module name (with underscores) to path under lib/modules/RELEASE. */
  paths: Map<string, string>;
  root: string;
}

export function findModules(root: string): Modules {
  const base = join(root, "lib/modules");
  const release = readdirSync(base)[0];
  if (release === undefined) throw new Error(`${base}: empty`);
  const paths = new Map<string, string>();
  const files = readdirSync(join(base, release), { recursive: true, encoding: "utf8" });
  for (const file of files) if (file.endsWith(".ko")) paths.set(moduleName(file), file);
  return { release, paths, root: join(base, release) };
}

const moduleName = (file: string): string => basename(file, ".ko").replaceAll("-", "_");

/** What the module itself says that it needs (modinfo's "depends"). */
function dependencies(modules: Modules, name: string): string[] {
  const path = modules.paths.get(name);
  if (path === undefined) throw new Error(`Debian's kernel ${modules.release} has no module ${name}`);
  const data = readFileSync(join(modules.root, path));
  const at = data.indexOf(DEPENDS) + DEPENDS.length;
  const text = at < DEPENDS.length ? "" : data.toString("latin1", at, data.indexOf(0, at));
  return text.split(",").flatMap((word) => (word === "" ? [] : [word.replaceAll("-", "_")]));
}

/** The modules and all that they need, dependencies first. */
export function insertOrder(modules: Modules, names: readonly string[]): string[] {
  const order: string[] = [];
  const visit = (name: string): void => {
    if (order.includes(name)) return;
    for (const needed of dependencies(modules, name)) visit(needed);
    order.push(name);
  };
  for (const name of names) visit(name.replaceAll("-", "_"));
  return order;
}

/** Copies the modules and writes the modules.dep by which modprobe finds them. */
export function installModules(modules: Modules, names: readonly string[], root: string): void {
  const base = join(root, "lib/modules", modules.release);
  const pathOf = (name: string): string => modules.paths.get(name) ?? "";
  const lines: string[] = [];
  for (const name of insertOrder(modules, names)) {
    const target = join(base, pathOf(name));
    if (!existsSync(dirname(target))) mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, readFileSync(join(modules.root, pathOf(name))));
    const needs = insertOrder(modules, [name]).slice(0, -1).reverse();
    lines.push(`${pathOf(name)}: ${needs.map(pathOf).join(" ")}`.trimEnd());
  }
  writeFileSync(join(base, "modules.dep"), `${lines.join("\n")}\n`);
}
