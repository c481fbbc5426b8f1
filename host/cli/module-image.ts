// SPDX-License-Identifier: MIT
//
// `glovebox image --modules DIR -o DIR`: what a host needs to boot a driver domain with these modules. .gbx files are
// taken as they are, so a host without a compiler can do it; a .wasm file is packed on the way.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { imageFacts } from "../pipeline/elf.js";
import { packModule } from "../pipeline/gbx.js";
import { readGbx } from "../pipeline/gbx-rules.js";
import { inBuild } from "../pipeline/paths.js";
import { makeRamdisk, type RamdiskFile } from "../pipeline/ramdisk.js";
import type { Bytes } from "../pipeline/store.js";
import { UserError } from "./exit.js";
import { print, printJson, put, readBytes } from "./module-file.js";

interface Options {
  modules: string;
  output: string;
  kernel?: string;
  dryRun?: boolean;
  json?: boolean;
}

const KERNEL = "glovebox.elf";
const RAMDISK = "modules.img";
const CONFIG = "glovebox.cfg";

export async function imageVerb(options: Options): Promise<void> {
  const kernel = kernelBytes(options.kernel);
  const files = await gatherModules(options.modules);
  const ramdisk = makeRamdisk(files);
  const modules = files.map((one) => {
    const { record } = readGbx(one.fileName, one.bytes);
    return { file: one.fileName, name: record.name, version: record.version, wasmSha256: record.wasmSha256 };
  });
  if (!options.dryRun) {
    put(join(options.output, KERNEL), kernel);
    put(join(options.output, RAMDISK), ramdisk);
    put(join(options.output, CONFIG), sampleConfig());
  }
  if (options.json) return printJson({ output: options.output, written: !options.dryRun, modules });
  for (const one of modules) print(`${one.file}: ${one.name} ${one.version}, wasm sha256 ${one.wasmSha256}`);
  const what = `${KERNEL} (${kernel.length} bytes), ${RAMDISK} (${ramdisk.length} bytes), ${CONFIG}`;
  print(`${options.output}: ${what}${options.dryRun ? "; nothing was written" : ""}`);
}

function kernelBytes(path = inBuild(KERNEL)): Bytes {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new UserError(`there is no kernel ${path}; build it (node build.mjs build) or name one with --kernel`);
  }
  const bytes = readBytes(path);
  try {
    if (imageFacts(bytes).hasXenNotes) return bytes;
  } catch {
    // said below
  }
  throw new UserError(`${path} is no kernel for a Xen PV domain`);
}

async function gatherModules(folder: string): Promise<RamdiskFile[]> {
  const names = namesIn(folder);
  const files: RamdiskFile[] = names
    .filter((name) => name.endsWith(".gbx"))
    .map((fileName) => ({ fileName, bytes: readBytes(join(folder, fileName)) }));
  for (const name of names.filter((one) => one.endsWith(".wasm"))) {
    files.push(await packModule(name, readBytes(join(folder, name))));
  }
  if (files.length === 0) throw new UserError(`${folder} has neither .gbx nor .wasm files`);
  return files;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    throw new UserError(`there is no folder ${folder}`);
  }
}

/** As gbctl would write it; memory and the numbers are those of docs/CONTROL.md. */
function sampleConfig(): string {
  return [
    "# The driver domain for one guest; gbctl makes the same by itself (gbctl create --help).",
    "# xl create glovebox.cfg; then allow it the guest: xenstore and device model privileges, see docs/CONTROL.md.",
    'name = "glovebox"',
    `kernel = "${KERNEL}"`,
    `ramdisk = "${RAMDISK}"`,
    'type = "pv"',
    "memory = 16",
    "vcpus = 1",
    'tsc_mode = "native"',
    'on_poweroff = "destroy"',
    'on_reboot = "destroy"',
    'on_crash = "destroy"',
    "",
  ].join("\n");
}
