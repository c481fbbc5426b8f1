// SPDX-License-Identifier: MIT
//
// Same module, same calls: answers, faults, fuel and the hash of the whole state are equal on V8 (the instrumented
// .wasm)
// and in the compiled .gbx, loaded by the driver domain's own loader under ASan. Random calls, seeded: plausible ones,
// wild ones, and some with next to no fuel.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BUILD } from "../../host/lab/paths.js";
import { buildModule, prepareWasm } from "../../host/pipeline/module.js";
import { crc32 } from "../../host/sim/crc32.js";
import { type Capabilities, ModuleFault, wasmModule } from "../../host/sim/module.js";
import { ramdisk } from "./gbx.js";
import { load } from "./load.js";

interface Operation {
  entry: number;
  fuel: number;
  args: [bigint, bigint, bigint, bigint];
}

const [ATTACH, RESET, BAR_READ, BAR_WRITE, EVENT] = [0, 1, 2, 3, 4];
const OPERATIONS = 5000;
const OPERATION_BYTES = 40;
const FUEL = 100_000;

/** `avoid`: offsets between these two are not used. */
function operations(seed: number, bars: number[], span: number, avoid: [number, number]): Operation[] {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const one = (): Operation => {
    const entry = [BAR_READ, BAR_READ, BAR_WRITE, BAR_WRITE, BAR_WRITE, EVENT][next(6)] as number;
    const near = next(span);
    const offset = next(64) === 0 ? next(2 ** 32) : near > avoid[0] && near < avoid[1] ? 0 : near;
    const value = next(3) === 0 ? (BigInt(next(2 ** 32)) << 32n) | BigInt(next(2 ** 32)) : BigInt(next(1100));
    const bar = BigInt(bars[next(bars.length)] as number);
    const fuel = next(40) === 0 ? next(200) : FUEL;
    if (next(300) === 0) return { entry: RESET, fuel: FUEL, args: [0n, 0n, 0n, 0n] };
    if (entry === EVENT) return { entry, fuel, args: [BigInt(next(3)), value, 0n, 0n] };
    return { entry, fuel, args: [bar, BigInt(offset), BigInt(2 ** next(4)), entry === BAR_READ ? 0n : value] };
  };
  return [{ entry: ATTACH, fuel: FUEL, args: [0n, 0n, 0n, 0n] }, ...Array.from({ length: OPERATIONS }, one)];
}

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

async function inV8(folder: string, all: Operation[], params: bigint[]): Promise<string[]> {
  const { wasm } = await prepareWasm(folder, await buildModule(folder));
  const module = wasmModule(new Uint8Array(), wasm as Uint8Array<ArrayBuffer>);
  const instance = module.instantiate(capabilities(params));
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

/** The test device's misdeeds include endless recursion, which V8 and the domain stop at different depths. */
const MISDEED: [number, number] = [0x0c, 0x18];
const CASES: [string, string, number[], number, [number, number], bigint[]][] = [
  ["unikernel/modules/bochs-display", "bochs-display-0.1.0.gbx", [2, 2, 2, 5], 0x620, [0, 0], [16777216n, 1024n, 768n]],
  ["test/modules/register-file", "register-file-0.1.0.gbx", [0, 0, 1, 2, 3, 7], 0x40, MISDEED, [77n]],
];

for (const [folder, file, bars, span, avoid, params] of CASES) {
  for (const seed of [1, 2, 3]) {
    test(`${folder}, seed ${seed}: ${OPERATIONS} calls are the same in V8 and in the .gbx`, async () => {
      const all = operations(seed, bars, span, avoid);
      const v8 = await inV8(folder, all, params);
      const disk = ramdisk([{ name: file, bytes: readFileSync(join(BUILD, "modules", file)) }]);
      const compiled = load(disk, encode(all), params.map(String)).filter((line) => !/^(loaded|code) /.test(line));
      const differs = v8.findIndex((line, i) => line !== compiled[i]);
      assert.is(differs, -1, `call ${differs}: V8 "${v8[differs]}", .gbx "${compiled[differs]}"`);
      assert.is(compiled.length, v8.length);
      assert.ok(
        v8.some((line) => / 1 \d+$/.test(line)),
        "nothing ran out of fuel",
      );
      assert.ok(new Set(v8).size > 100, "the calls are too tame");
    });
  }
}

test.run();
