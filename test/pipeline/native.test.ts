// SPDX-License-Identifier: MIT
//
// Two roads from one module: V8 runs the instrumented WebAssembly, gcc compiles what wasm2c makes of it. A seeded
// stream of operations must give the same answers, the same requests, the same fuel and the same memory on both.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { identifierOf } from "../../host/pipeline/compile-c.js";
import { nativeSources } from "../../host/pipeline/gcc.js";
import { moduleGlue } from "../../host/pipeline/glue.js";
import { buildModule, type PreparedModule, prepareModule } from "../../host/pipeline/module.js";
import { inBuild, inProject } from "../../host/pipeline/paths.js";
import { type Device, openDevice, random } from "./host.js";

interface Operation {
  entry: number;
  bar: number;
  offset: number;
  size: number;
  value: bigint;
}

const [ATTACH, RESET, BAR_READ, BAR_WRITE, EVENT] = [0, 1, 2, 3, 4];
const OPERATIONS = 20_000;

/** Mostly plausible accesses to the windows of a device, some wild ones. */
function stream(seed: number, bars: number[], span: number, hasEvent: boolean): Operation[] {
  const next = random(seed);
  const all: Operation[] = [{ entry: ATTACH, bar: 0, offset: 0, size: 0, value: 0n }];
  const pick = (values: readonly number[]): number => values[next() % values.length] ?? 0;
  while (all.length < OPERATIONS) {
    const entry = pick([BAR_READ, BAR_READ, BAR_WRITE, BAR_WRITE, BAR_WRITE, BAR_WRITE, hasEvent ? EVENT : BAR_READ]);
    const offset = next() % 64 === 0 ? next() : next() % span;
    const value =
      next() % 3 === 0
        ? BigInt(next()) * BigInt(next())
        : BigInt(pick([0, 1, 3, 4, 5, 6, 16, 24, 32, 65, 640, 480, 1024]));
    all.push({
      entry: next() % 500 === 0 ? RESET : entry,
      bar: pick([...bars, ...bars, 7]),
      offset,
      size: pick([1, 2, 4, 4, 8, 3]),
      value,
    });
  }
  return all;
}

function encode(operations: Operation[]): Uint8Array {
  const bytes = new Uint8Array(operations.length * 32);
  const view = new DataView(bytes.buffer);
  for (const [index, one] of operations.entries()) {
    for (const [field, value] of [one.entry, one.bar, one.offset, one.size].entries()) {
      view.setUint32(index * 32 + field * 4, value, true);
    }
    view.setBigUint64(index * 32 + 16, BigInt.asUintN(64, one.value), true);
  }
  return bytes;
}

/** The harness with this module's C, with the flags of the image where they make sense in a process. */
function buildNative(module: PreparedModule): string {
  const directory = inBuild("test", `native-${module.name}`);
  mkdirSync(directory, { recursive: true });
  const id = identifierOf(module.name);
  writeFileSync(join(directory, `w2c_${id}.h`), module.c.header);
  writeFileSync(join(directory, `w2c_${id}.c`), module.c.source);
  writeFileSync(join(directory, "glue.c"), moduleGlue(module.manifest, module.report, { symbol: "gb_module" }));
  writeFileSync(
    join(directory, "memory.c"),
    `#include "w2c_${id}.h"\nwasm_rt_memory_t *harness_memory(void *instance);\n` +
      `wasm_rt_memory_t *harness_memory(void *instance) { return w2c_${id}_memory(instance); }\n`,
  );
  const { include, iquote } = nativeSources();
  const paths = [directory, ...iquote.map((one) => inProject(one))].flatMap((one) => ["-iquote", one]);
  const isolated = [
    "-O2",
    "-std=c11",
    "-ffreestanding",
    "-mgeneral-regs-only",
    "-fno-strict-aliasing",
    "-fno-optimize-sibling-calls",
  ];
  const objects = [`w2c_${id}.c`, "glue.c", "memory.c"].map((file) => {
    const object = join(directory, file.replace(/c$/, "o"));
    const std = include.flatMap((one) => ["-isystem", inProject(one)]);
    execFileSync("gcc", [...isolated, "-w", ...std, ...paths, "-c", join(directory, file), "-o", object]);
    return object;
  });
  const program = join(directory, "harness");
  const harness = inProject("test/pipeline/native/harness.c");
  execFileSync("gcc", ["-O1", "-Wall", "-Wextra", ...paths, harness, ...objects, "-o", program]);
  return program;
}

async function inV8(module: PreparedModule, operations: Operation[]): Promise<string[]> {
  const device = await openDevice(module.manifest, module.wasm);
  const lines: string[] = [];
  for (const one of operations) {
    device.asked.length = 0;
    const answer = attempt(device, one);
    lines.push(...device.asked.map((words) => words.join(" ")), answer);
  }
  return [...lines, `memory ${fnv1a(new Uint8Array(device.memory.buffer)).toString(16)}`];
}

function attempt(device: Device, one: Operation): string {
  try {
    return `${perform(device, one).toString(16)} fuel ${device.fuelUsed()}`;
  } catch (error) {
    if (error instanceof RangeError && /call stack/i.test(error.message)) return "trap";
    return device.fuelUsed() > 1_000_000 ? "trap fuel" : "trap";
  }
}

function perform(device: Device, one: Operation): bigint {
  if (one.entry === ATTACH) return BigInt(device.attach());
  if (one.entry === BAR_READ) return device.read(one.bar, one.offset, one.size);
  if (one.entry === BAR_WRITE) device.write(one.bar, one.offset, one.size, one.value);
  if (one.entry === RESET) device.reset();
  if (one.entry === EVENT) device.event(one.bar, one.value);
  return 0n;
}

function fnv1a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const one of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(one)) * 0x100000001b3n);
  return hash;
}

const CASES: [folder: string, bars: number[], span: number, hasEvent: boolean][] = [
  ["unikernel/modules/bochs-display", [2], 0x620, false],
  ["test/modules/register-file", [0, 1], 0x40, true],
];

for (const [folder, bars, span, hasEvent] of CASES) {
  test(`${folder}: ${OPERATIONS} operations give the same in V8 and in C`, async () => {
    const module = await prepareModule(folder, await buildModule(folder));
    const operations = stream(42, bars, span, hasEvent);
    const program = buildNative(module);
    const file = `${program}.operations`;
    writeFileSync(file, encode(operations));
    const params = module.manifest.params.map((one) => String(one.default));
    const native = execFileSync(program, [file, ...params], { maxBuffer: 1 << 28, encoding: "latin1" })
      .trimEnd()
      .split("\n");
    const v8 = await inV8(module, operations);
    const differs = v8.findIndex((line, index) => line !== native[index]);
    const around = `line ${differs}: V8 "${v8[differs]}", C "${native[differs]}"`;
    assert.is(differs, -1, around);
    assert.is(native.length, v8.length);
    assert.ok(new Set(v8).size > 200, "the stream is too tame");
  });
}

test.run();
