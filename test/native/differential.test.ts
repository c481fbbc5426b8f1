// SPDX-License-Identifier: MIT
//
// Same module, same calls: answers, faults, fuel and the hash of the whole state are equal on V8 (the instrumented
// .wasm) and in the compiled .gbx, loaded by the driver domain's own loader under ASan. Random calls, seeded: plausible
// ones, wild ones, and some with next to no fuel; at the end every misdeed of the test device.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { inGbx, inV8, type Operation } from "./operations.js";

const [ATTACH, RESET, BAR_READ, BAR_WRITE, EVENT] = [0, 1, 2, 3, 4];
const OPERATIONS = 5000;
const FUEL = 100_000;

function operations(seed: number, bars: number[], span: number): Operation[] {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const one = (): Operation => {
    const entry = [BAR_READ, BAR_READ, BAR_WRITE, BAR_WRITE, BAR_WRITE, EVENT][next(6)] as number;
    const near = next(span);
    const offset = next(64) === 0 ? next(2 ** 32) : near;
    const value = next(3) === 0 ? (BigInt(next(2 ** 32)) << 32n) | BigInt(next(2 ** 32)) : BigInt(next(1100));
    const bar = BigInt(bars[next(bars.length)] as number);
    const fuel = next(40) === 0 ? next(200) : FUEL;
    if (next(300) === 0) return { entry: RESET, fuel: FUEL, args: [0n, 0n, 0n, 0n] };
    if (entry === EVENT) return { entry, fuel, args: [BigInt(next(3)), value, 0n, 0n] };
    return { entry, fuel, args: [bar, BigInt(offset), BigInt(2 ** next(4)), entry === BAR_READ ? 0n : value] };
  };
  return [{ entry: ATTACH, fuel: FUEL, args: [0n, 0n, 0n, 0n] }, ...Array.from({ length: OPERATIONS }, one)];
}

const FUEL_OUT = 1;
/** Of the test device: each number from 0 on written to its register of misdeeds (test/modules/register-file). */
const MISDEEDS = Array.from({ length: 10 }, (_, kind) => [0n, 0x14n, 4n, BigInt(kind)] as Operation["args"]);
const ALL_FAULTS = [FUEL_OUT, 2, 3, 4, 5]; // stack, memory, arithmetic, unreachable
const CASES = [
  {
    folder: "unikernel/modules/bochs-display",
    file: "bochs-display-0.1.0.gbx",
    bars: [2, 2, 2, 5],
    span: 0x620,
    last: [],
    faults: [FUEL_OUT],
    params: [16777216n, 1024n, 768n],
  },
  {
    folder: "test/modules/register-file",
    file: "register-file-0.1.0.gbx",
    bars: [0, 0, 1, 2, 3, 7],
    span: 0x40,
    last: MISDEEDS,
    faults: ALL_FAULTS,
    params: [77n],
  },
];

for (const { folder, file, bars, span, last, faults, params } of CASES) {
  for (const seed of [1, 2, 3]) {
    test(`${folder}, seed ${seed}: ${OPERATIONS} calls are the same in V8 and in the .gbx`, async () => {
      const ending = last.map((args) => ({ entry: BAR_WRITE, fuel: FUEL, args }));
      const all = [...operations(seed, bars, span), ...ending];
      const v8 = await inV8(folder, all, params);
      const compiled = inGbx(file, all, params);
      const differs = v8.findIndex((line, i) => line !== compiled[i]);
      assert.is(differs, -1, `call ${differs}: V8 "${v8[differs]}", .gbx "${compiled[differs]}"`);
      assert.is(compiled.length, v8.length);
      for (const fault of faults) {
        assert.ok(
          v8.some((line) => line.split(" ")[1] === String(fault)),
          `no call ended with fault ${fault}`,
        );
      }
      assert.ok(new Set(v8).size > 100, "the calls are too tame");
    });
  }
}

test.run();
