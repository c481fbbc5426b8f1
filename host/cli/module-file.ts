// SPDX-License-Identifier: MIT
//
// What the module verbs are given: a .wasm file or a folder of sources; and how they leave files behind.

import { readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { compileFolder } from "../pipeline/source.js";
import { type Bytes, writeWhole } from "../pipeline/store.js";
import { UserError } from "./exit.js";

/** The bytes of a .wasm file, or what a folder compiles to. */
export async function moduleBytes(path: string): Promise<Bytes> {
  return statOf(path).isDirectory() ? compileFolder(resolve(path)) : readBytes(path);
}

export function readBytes(path: string): Bytes {
  if (!statOf(path).isFile()) throw new UserError(`${path} is no file`);
  return readFileSync(path);
}

function statOf(path: string): NonNullable<ReturnType<typeof statSync>> {
  try {
    return statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`there is no file ${path}${code === "ENOENT" ? "" : ` (${code})`}`);
  }
}

/** A .gbx file is an ELF file. */
export const isPacked = (bytes: Bytes): boolean => bytes[0] === 0x7f;

export function put(path: string, bytes: Bytes | string): void {
  try {
    writeWhole(resolve(path), bytes);
  } catch (error) {
    throw new UserError(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** For messages: a file's name without its folders. */
export const subjectOf = (path: string): string => basename(resolve(path));

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, undefined, 2));
