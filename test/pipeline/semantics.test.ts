// SPDX-License-Identifier: MIT
//
// WebAssembly's own semantics survive the pipeline: generated programs (generator.ts) run on V8 and as the packed
// .gbx file in a process of their own; answers, faults, fuel, memory and globals must be equal, call for call.
// GLOVEBOX_PROGRAMS makes more modules, GLOVEBOX_SEED others.

import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { countDepth, DEPTH_GLOBAL } from "../../host/pipeline/depth.js";
import { packModule } from "../../host/pipeline/gbx.js";
import { nativeSources } from "../../host/pipeline/gcc.js";
import { FUEL_GLOBAL, STATE_GLOBAL } from "../../host/pipeline/instrument.js";
import { prepareWasm } from "../../host/pipeline/module.js";
import { inBuild, inProject } from "../../host/pipeline/paths.js";
import { attachManifest } from "../../host/pipeline/section.js";
import type { Bytes } from "../../host/pipeline/store.js";
import { manifestWith } from "../modules/hostile/builder.js";
import { program } from "./generator.js";
import { random, wat } from "./host.js";

const MODULES = Number(process.env.GLOVEBOX_PROGRAMS ?? 25);
const SEED = Number(process.env.GLOVEBOX_SEED ?? 20261123);
const CALLS = 60;
const FUEL = 20_000; // native/gbx.c
const DEPTH_MAX = 64;
const folder = inBuild("test", "semantics");

interface Call {
  entry: number;
  a: number;
  b: number;
  c: number;
  d: bigint;
}

function calls(next: () => number): Call[] {
  const edges = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0xffffffff, 0x80000000, 0x7fffffff, 65535];
  const number = (): number => (next() % 3 === 0 ? next() : (edges[next() % edges.length] ?? 0));
  return Array.from({ length: CALLS }, () => ({
    entry: [0, 1, 2, 2, 2, 3, 3][next() % 7] ?? 0,
    a: next() % 9 === 0 ? number() : next() % 6,
    b: number(),
    c: number(),
    d: (BigInt(number()) << 32n) | BigInt(number()),
  }));
}

function encode(all: Call[]): Bytes {
  const view = new DataView(new ArrayBuffer(all.length * 32));
  for (const [index, { entry, a, b, c, d }] of all.entries()) {
    for (const [field, value] of [entry, a, b, c].entries()) view.setUint32(index * 32 + field * 4, value, true);
    view.setBigUint64(index * 32 + 16, d, true);
  }
  return new Uint8Array(view.buffer);
}

const FAULTS: [RegExp, string][] = [
  [/out of bounds memory|memory access out of bounds/, "memory"],
  [/divide by zero|remainder by zero|unrepresentable/, "arithmetic"],
  [/table index|null function|signature mismatch/, "table"],
];

async function inV8(wasm: Bytes, all: Call[]): Promise<string[]> {
  const { instance } = await WebAssembly.instantiate(Uint8Array.from(await countDepth(wasm)), {});
  const exports = instance.exports as Record<string, WebAssembly.Global & ((...v: unknown[]) => unknown)>;
  const global = (name: string): WebAssembly.Global => exports[name] as WebAssembly.Global;
  const entries = [
    () => exports.attach?.(),
    () => exports.reset?.(),
    ({ a, b, c }: Call) => exports.bar_read?.(a, b, c),
    ({ a, b, c, d }: Call) => exports.bar_write?.(a, b, c, d),
  ];
  const lines = all.map((call) => {
    global(FUEL_GLOBAL).value = FUEL;
    global(DEPTH_GLOBAL).value = 0;
    const used = (): string => `fuel ${(FUEL - global(FUEL_GLOBAL).value) >>> 0}`;
    try {
      const answer = entries[call.entry]?.(call) ?? 0;
      const bits = typeof answer === "bigint" ? BigInt.asUintN(64, answer) : BigInt(Number(answer) >>> 0);
      return `${bits.toString(16)} ${used()}`;
    } catch (error) {
      return `${faultOf(error, global(FUEL_GLOBAL).value, global(DEPTH_GLOBAL).value)} ${used()}`;
    }
  });
  const memory = exports.memory as unknown as WebAssembly.Memory;
  const globals = Object.keys(exports).filter((name) => name.startsWith(STATE_GLOBAL));
  const words = globals.map((name) =>
    BigInt.asUintN(typeof global(name).value === "bigint" ? 64 : 32, BigInt(global(name).value)),
  );
  return [...lines, `memory ${fnv1a(memory).toString(16)}`, ...words.map((one) => `global ${one.toString(16)}`)];
}

function faultOf(error: unknown, fuel: number, depth: number): string {
  const text = String(error);
  if (/unreachable/.test(text)) return depth > DEPTH_MAX ? "stack" : fuel < 0 ? "fuel" : "unreachable";
  return FAULTS.find(([pattern]) => pattern.test(text))?.[1] ?? text;
}

function fnv1a({ buffer }: WebAssembly.Memory): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const one of new Uint8Array(buffer)) hash = BigInt.asUintN(64, (hash ^ BigInt(one)) * 0x100000001b3n);
  return hash;
}

function buildHarness(): string {
  const path = join(folder, "harness");
  const { iquote } = nativeSources();
  const words = ["-g", "-O1", "-Wall", "-Wextra", "-fsanitize=address,undefined", "-rdynamic"];
  const source = inProject("test/pipeline/native/gbx.c");
  execFileSync("gcc", [...words, ...iquote.flatMap((one) => ["-iquote", inProject(one)]), source, "-ldl", "-o", path]);
  return path;
}

test(`${MODULES} generated modules, ${CALLS} calls each: V8 and the .gbx file agree in everything`, async () => {
  mkdirSync(folder, { recursive: true });
  const harness = buildHarness();
  const seen = new Map<string, number>();
  for (let number = 0; number < MODULES; number++) {
    const next = random(SEED + number);
    const name = `program-${number}`;
    const manifest = manifestWith({ name, tables: 16, capabilities: [], interrupts: {} });
    const file = attachManifest(await wat(program(next)), manifest);
    const { wasm } = await prepareWasm(name, file);
    const { bytes } = await packModule(name, file);
    const all = calls(next);
    writeFileSync(join(folder, `${name}.gbx`), bytes);
    writeFileSync(join(folder, `${name}.calls`), encode(all));
    const paths = [join(folder, `${name}.gbx`), join(folder, `${name}.calls`)];
    const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
    const { stdout } = await promisify(execFile)(harness, paths, { env, timeout: 60_000 });
    const native = stdout.trimEnd().split("\n");
    const v8 = await inV8(wasm, all);
    const differs = v8.findIndex((line, index) => line !== native[index]);
    assert.is(differs, -1, `seed ${SEED + number}, line ${differs}: V8 "${v8[differs]}", .gbx "${native[differs]}"`);
    assert.is(native.length, v8.length);
    for (const line of v8) seen.set(line.split(" ")[0] ?? "", (seen.get(line.split(" ")[0] ?? "") ?? 0) + 1);
  }
  for (const fault of ["memory", "arithmetic", "table", "stack", "fuel"]) {
    assert.ok((seen.get(fault) ?? 0) > 0, `no call ended with the fault "${fault}"`);
  }
  assert.ok(seen.size > MODULES, "the programs are too tame");
});

test.run();
