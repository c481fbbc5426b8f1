// SPDX-License-Identifier: MIT
//
// `glovebox new module NAME`: a folder with a small device that works, in one of three languages, and what it needs
// to be compiled without this tree at hand. The texts are in host/templates; @NAME@ stands for the module's name.

import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { cHeader, rustBindings } from "../pipeline/bindings.js";
import { inProject } from "../pipeline/paths.js";
import { UserError } from "./exit.js";
import { print, put } from "./module-file.js";

export const LANGUAGES = ["as", "c", "rust"] as const;
export type Language = (typeof LANGUAGES)[number];

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/; // manifest.schema.json
const NAME_LENGTH_MAX = 31;

/** Where an AssemblyScript module finds the SDK: a copy, so that the folder stands alone. */
const SDK = [
  ["unikernel/sdk", "glovebox/sdk"],
  ["unikernel/abi/module.ts", "glovebox/abi/module.ts"],
] as const;

export function newModule(name: string, options: { lang: Language; directory?: string }): void {
  if (!NAME.test(name) || name.length > NAME_LENGTH_MAX) {
    throw new UserError(`"${name}": a module's name is lower-case words with - between, at most ${NAME_LENGTH_MAX}`);
  }
  const folder = options.directory ?? name;
  const isNew = !existsSync(folder);
  if (!isNew && !isEmptyFolder(folder)) throw new UserError(`${folder} is there already`);
  const files = filesOf(options.lang);
  try {
    for (const [path, text] of files) put(join(folder, path), text.replaceAll("@NAME@", name));
  } catch (error) {
    if (isNew && existsSync(folder)) rmSync(folder, { recursive: true, force: true }); // half a module is none
    throw error;
  }
  print(`${folder}: ${files.map(([path]) => path).join(", ")}`);
  print(`Next:\n  glovebox check ${folder}\n  glovebox pack ${folder}`);
  if (options.lang === "c") print("C needs clang and wasm-ld: the Debian packages clang and lld.");
  if (options.lang === "rust") print("Rust needs its target: rustup target add wasm32-unknown-unknown");
}

const isEmptyFolder = (path: string): boolean => statSync(path).isDirectory() && readdirSync(path).length === 0;

/** [path in the new folder, text] */
function filesOf(language: Language): [string, string][] {
  const manifest: [string, string] = ["manifest.json", text("host/templates/manifest.json")];
  const own = below(`host/templates/${language}`);
  if (language === "c") return [manifest, ...own, ["glovebox.h", cHeader()]];
  if (language === "rust") return [manifest, ...own, ["src/glovebox.rs", rustBindings()]];
  const sdk = SDK.flatMap(([from, to]) =>
    from.endsWith(".ts")
      ? [[to, text(from)] as [string, string]]
      : below(from).map(([path, contents]) => [join(to, path), contents] as [string, string]),
  );
  return [manifest, ...own, ...sdk];
}

function below(folder: string): [string, string][] {
  const root = inProject(folder);
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath ?? one.path, one.name).slice(root.length + 1))
    .sort()
    .map((path) => [path, text(join(folder, path))]);
}

const text = (path: string): string => readFileSync(inProject(path), "utf8");
