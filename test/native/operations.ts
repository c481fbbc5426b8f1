// SPDX-License-Identifier: MIT
//
// Calls of one instance's entry points, done by V8 and by the compiled .gbx under ASan. Both answer a line for each
// call, "value fault fuel" (value hexadecimal), and at the end the hash of the whole state.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BUILD } from "../../host/lab/paths.js";
import { countDepth } from "../../host/pipeline/depth.js";
import { buildModule, prepareWasm } from "../../host/pipeline/module.js";
import { crc32 } from "../../host/sim/crc32.js";
import { type Capabilities, ModuleFault, wasmModule } from "../../host/sim/module.js";
import { ramdisk } from "./gbx.js";
import { load } from "./load.js";

export interface Operation {
  entry: number;
  fuel: number;
  args: [bigint, bigint, bigint, bigint];
}

const OPERATION_BYTES = 40;

function encode(all: Operation[]): Uint8Array {
  const bytes = Buffer.alloc(all.length * OPERATION_BYTES);
  for (const [i, { entry, fuel, args }] of all.entries()) {
    bytes.writeUInt32LE(entry, i * OPERATION_BYTES);
    bytes.writeUInt32LE(fuel, i * OPERATION_BYTES + 4);
    for (const [k, value] of args.entries()) bytes.writeBigUInt64LE(value, i * OPERATION_BYTES + 8 + k * 8);
  }
  return bytes;
}

/** As test/native/double/core.c answers. */
function capabilities(params: bigint[]): Capabilities {
  const zero = () => 0;
  const known: Partial<Capabilities> = { param: (key) => params[key % 8] ?? 0n };
  return new Proxy(known, { get: (target, name) => Reflect.get(target, name) ?? zero }) as Capabilities;
}

/** The module of a folder of this tree. */
export async function inV8(folder: string, all: Operation[], params: bigint[]): Promise<string[]> {
  const { wasm } = await prepareWasm(folder, await buildModule(folder));
  const instance = wasmModule(new Uint8Array(), await countDepth(wasm)).instantiate(capabilities(params));
  const lines = all.map(({ entry, fuel, args }) => {
    try {
      const { value, fuel: used } = instance.call(entry, fuel, args);
      return `${BigInt.asUintN(64, value).toString(16)} 0 ${used}`;
    } catch (error) {
      if (!(error instanceof ModuleFault)) throw error;
      return `0 ${error.fault} ${error.fuel}`;
    }
  });
  const hash = (instance.state?.() ?? []).reduce((crc, part) => crc32(part, crc), 0);
  return [...lines, `hash ${(hash >>> 0).toString(16).padStart(8, "0")}`];
}

/** A file of build/modules. */
export function inGbx(file: string, all: Operation[], params: bigint[]): string[] {
  const disk = ramdisk([{ name: file, bytes: readFileSync(join(BUILD, "modules", file)) }]);
  return load(disk, encode(all), params.map(String)).filter((line) => !/^(loaded|code) /.test(line));
}
