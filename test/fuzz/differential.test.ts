// SPDX-License-Identifier: MIT
//
// The engine against the plain one (host/sim): random inputs, misdeeds among them, must end in the same fault at the
// same operation with the same fuel, give the same answers, and leave the same memory. So what the fuzzer adds to a
// module cannot be noticed by it.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { FAULTS } from "../../host/fuzz/module/fault.js";
import { ModuleInstance } from "../../host/fuzz/module/instance.js";
import type { FuzzModule } from "../../host/fuzz/module/prepare.js";
import { Random } from "../../host/fuzz/random.js";
import { countDepth } from "../../host/pipeline/depth.js";
import { fuelByEntry } from "../../host/pipeline/manifest.js";
import { shim } from "../../host/sim/contract.js";
import { type Capabilities, type Instance, ModuleFault, wasmModule } from "../../host/sim/module.js";
import { decodeRecords, KIND_CALL_READ, KIND_CALL_RESET, KIND_CALL_WRITE, record } from "../../host/trace/index.js";
import { DISPLAY, moduleOf, REGISTERS, wordsOf } from "./support.js";

interface Outcome {
  end: string;
  fuel: number;
  answers: bigint[];
  memory: Uint8Array;
}

/** What a mediator answers that lets everything through (host/fuzz/driver has the same rules). */
function capabilities(module: FuzzModule, params: readonly bigint[]): Capabilities {
  const { manifest } = module;
  const { msi = 0, msix = 0, intx = false } = manifest.interrupts;
  const fatal = (): never => {
    throw new ModuleFault(shim("FAULT_CAPABILITY"));
  };
  return {
    param: (key: number) => params[key] ?? 0n,
    irqRaise: (vector: number) => (vector < Math.max(msi, msix, intx ? 1 : 0) ? 0 : fatal()),
    scanoutSet: () => 0, // its answer is not looked at
    scanoutFlush: () => 0,
    log: () => 0,
  } as unknown as Capabilities;
}

const BITS = [0n, 0xffn, 0xffffn, 0n, 0xffff_ffffn, 0n, 0n, 0n, 0xffff_ffff_ffff_ffffn];

async function plain(module: FuzzModule, words: Int32Array): Promise<Outcome> {
  const params = module.manifest.params.map((one) => BigInt(one.default));
  let memory: WebAssembly.Memory | undefined;
  const original = WebAssembly.Instance;
  // The plain engine keeps its instance to itself; its memory is what we want to see.
  class Spy extends original {
    constructor(code: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(code, imports);
      memory = this.exports.memory as WebAssembly.Memory;
    }
  }
  WebAssembly.Instance = Spy;
  const instance = wasmModule(new Uint8Array(), await countDepth(Uint8Array.from(module.fuelled))).instantiate(
    capabilities(module, params),
  );
  WebAssembly.Instance = original;
  const outcome: Outcome = { end: "", fuel: 0, answers: [], memory: new Uint8Array() };
  const budgets = fuelByEntry(module.manifest);
  call(instance, budgets, 0, [0n, 0n, 0n, 0n]);
  const records = decodeRecords(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  for (const [op, one] of records.entries()) {
    const entry = one.kind - 0xc0;
    const [bar, size] = [BigInt(one.flags), BigInt(one.size)];
    try {
      const { value, fuel } = call(instance, budgets, entry, [bar, one.addr, size, one.data]);
      outcome.fuel += fuel;
      if (one.kind === KIND_CALL_READ) outcome.answers.push(BigInt.asUintN(64, value) & (BITS[one.size] ?? 0n));
    } catch (error) {
      if (!(error instanceof ModuleFault)) throw error;
      outcome.end = `op ${op} ${FAULTS[error.fault - 1]} fuel ${error.fuel}`;
      break;
    }
  }
  return { ...outcome, memory: new Uint8Array((memory as WebAssembly.Memory).buffer) };
}

function call(
  instance: Instance,
  budgets: number[],
  entry: number,
  args: [bigint, bigint, bigint, bigint],
): { value: bigint; fuel: number } {
  return instance.call(entry, budgets[entry] ?? 0, args);
}

/** Mostly writes and reads near each other; BAR and size always valid, as the core promises. */
function input(random: Random, bars: [index: number, bytes: number][], span: number): Int32Array {
  return wordsOf(
    Array.from({ length: 64 }, () => {
      const [bar, bytes] = random.pick(bars);
      const size = random.pick([1, 2, 4, 8]);
      const near = random.oneIn(12) ? 0x14 : random.below(Math.min(span, bytes)); // 0x14: the register of misdeeds
      const offset = Math.min(random.oneIn(16) ? random.below(bytes) : near, bytes - size);
      const kind = random.oneIn(40) ? KIND_CALL_RESET : random.oneIn(3) ? KIND_CALL_READ : KIND_CALL_WRITE;
      const data = random.oneIn(2)
        ? random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 32, 65, 640, 1024])
        : random.next() >>> 0;
      return record({ kind, flags: bar, size, addr: BigInt(offset), data: BigInt(data) });
    }),
  );
}

const CASES: [folder: string, bars: [number, number][], span: number, inputs: number, faults: number][] = [
  [DISPLAY, [[2, 4096]], 0x620, 300, 0],
  [
    REGISTERS,
    [
      [0, 4096],
      [1, 16],
      [2, 256],
      [3, 32],
    ],
    0x40,
    600,
    8,
  ],
];

for (const [folder, bars, span, inputs, faults] of CASES) {
  test(`${folder}: ${inputs} inputs end the same in both engines`, async () => {
    const module = await moduleOf(folder);
    const instance = new ModuleInstance(module, [module.manifest.params.map((one) => BigInt(one.default))]);
    assert.is(instance.select(0).attached, 0);
    const random = new Random(11);
    const kinds = new Set<string>();
    for (let i = 0; i < inputs; i++) {
      const words = input(random, bars, span);
      const wanted = await plain(module, words);
      instance.input.set(words);
      const news = instance.run(64);
      const fault = news < 0 ? instance.fault() : undefined;
      const end = fault === undefined ? "" : `op ${fault.operation} ${fault.fault} fuel ${fault.fuel}`;
      assert.is(end, wanted.end, `input ${i}`);
      if (fault === undefined) assert.is(instance.fuelOfRun(), wanted.fuel, `fuel of input ${i}`);
      else kinds.add(`${fault.fault} ${fault.place?.offset}`);
      assert.equal(Buffer.compare(instance.memory, wanted.memory), 0, `memory after input ${i}`);
    }
    assert.ok(kinds.size >= faults, `the inputs are too tame: ${[...kinds]}`);
  });
}

test("answers are compared too: one wrong bit changes the hash", async () => {
  const module = await moduleOf(REGISTERS);
  const instance = new ModuleInstance(module, [[0n], [1n]]);
  const read = (params: number): string => {
    instance.select(params);
    instance.input.set(wordsOf([record({ kind: KIND_CALL_READ, flags: 0, size: 4, addr: 0x18n })])); // SEED
    instance.run(1);
    return instance.answers();
  };
  assert.is(read(0), read(0));
  assert.is.not(read(0), read(1));
});

test.run();
