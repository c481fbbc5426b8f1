// SPDX-License-Identifier: MIT
//
// `glovebox coverage`: of a small module the lines that two inputs reach are known, and so is what they do not; code
// with blocks counted does what it did before; what cannot be reported on is said in words.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Campaign } from "../../host/fuzz/campaign.js";
import { readModule } from "../../host/fuzz/cover/reader.js";
import { align } from "../../host/fuzz/coverage/align.js";
import { type CoverageReport, stateOf } from "../../host/fuzz/coverage/report.js";
import { parseSourceMap } from "../../host/fuzz/coverage/source-map.js";
import { prepareFuzz } from "../../host/fuzz/module/prepare.js";
import { ModuleTarget } from "../../host/fuzz/module/target.js";
import { vocabularyOf } from "../../host/fuzz/module/vocabulary.js";
import { saveTrace } from "../../host/fuzz/store.js";
import { buildModule, prepareWasm } from "../../host/pipeline/module.js";
import { inProject } from "../../host/pipeline/paths.js";
import { compileFolder } from "../../host/pipeline/source.js";
import {
  encodeRecords,
  KIND_CALL_READ,
  KIND_CALL_WRITE,
  record,
  type TraceRecord,
  wasmHash,
} from "../../host/trace/index.js";
import { manifestOf } from "../pipeline/host.js";
import { DISPLAY, fileOf, REGISTERS } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "glovebox-coverage-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Line by line, so that what is below can name them. */
const SOURCE = [
  "export function attach(): i32 {", // 1
  "  return 0;",
  "}",
  "export function reset(): void {", // 4
  "  store<u32>(64, 0);",
  "}",
  "export function bar_read(bar: u32, offset: u32, size: u32): u64 {", // 7
  "  if (offset == 0x10) {",
  "    store<u32>(68, 1);",
  "    return 7;", // 10
  "  }",
  "  if (offset == 0x20) {",
  "    store<u32>(72, 2);", // 13
  "    return 8;",
  "  }",
  "  return load<u32>(64);", // 16
  "}",
  "export function bar_write(bar: u32, offset: u32, size: u32, value: u64): void {",
  "  if (offset == 0x10) store<u32>(128, <u32>value);",
  "  else store<u32>(64, <u32>value);", // 20
  "}",
].join("\n");

const device = join(folder, "small");
mkdirSync(device);
writeFileSync(join(device, "index.ts"), `${SOURCE}\n`);
const { registers: _, ...base } = manifestOf(REGISTERS);
const manifest = { ...base, name: "small", capabilities: [], params: [], interrupts: {}, bars: base.bars.slice(0, 1) };
const fuel = { attach: 1000, reset: 1000, barRead: 1000, barWrite: 1000 };
writeFileSync(join(device, "manifest.json"), JSON.stringify({ ...manifest, fuel }));

const glovebox = (...args: string[]) =>
  spawnSync(process.execPath, [inProject("build/host/glovebox.mjs"), ...args], { cwd: folder, encoding: "utf8" });

function put(corpus: string, file: Uint8Array, records: readonly TraceRecord[]): void {
  const origin = { name: "small", version: manifest.version, wasmSha256: wasmHash(file), params: [] };
  const about = { level: "module", seed: 0n, dropped: 0, story: "" } as const;
  saveTrace(join(folder, corpus), { ...origin, ...about, records: encodeRecords(records) });
}

const call = (kind: number, addr: bigint) => record({ kind, size: 4, addr, data: 5n });
const file = await compileFolder(device);
put("corpus", file, [call(KIND_CALL_READ, 0x10n), call(KIND_CALL_WRITE, 0x10n)]);
put("corpus", file, [call(KIND_CALL_READ, 0x30n)]);

function reportOf(...args: string[]): CoverageReport {
  const { status, stdout, stderr } = glovebox("coverage", ...args, "--json");
  assert.is(status, 0, stderr);
  return JSON.parse(stdout) as CoverageReport;
}

test("the lines that two inputs reach, and those that they do not", () => {
  const report = reportOf(device, "--corpus", "corpus");
  assert.equal([report.inputs, report.faults, report.untold], [2, 0, []]);
  const [one] = report.files.filter(({ path }) => path.endsWith("small/index.ts"));
  const lines = new Map(one?.lines.map((line) => [line.line, stateOf(line)]));
  const missed = [...lines].filter(([, state]) => state === "missed").map(([line]) => line);
  assert.equal(missed, [5, 13, 14, 20], JSON.stringify([...lines]));
  assert.is(lines.get(9), "reached");
  assert.is(lines.get(8), "reached", "equal and not equal");
  assert.is(lines.get(12), "partly", "never equal");
  assert.is(lines.get(16), "reached");
  assert.is(lines.get(19), "partly", "never anything else");
  assert.equal(
    report.neverEntered.map(({ name, at }) => `${name.slice(name.indexOf("("))} ${at.replace(/.*small/, "small")}`),
    ["(reset) small/index.ts:5"],
  );
  const sides = report.oneSided.map(({ at, words }) => `${at.replace(/.*:/, "")} ${words}`);
  assert.equal(sides, ["12 i32.eq: always different", "19 i32.eq: always equal"]);
  assert.equal(report.sum.functions, { reached: 3, all: 4 });
});

test("one more input reaches what was missing; text and HTML say so", () => {
  put("more", file, [call(KIND_CALL_READ, 0x20n), call(KIND_CALL_WRITE, 0n), record({ kind: 0xc1 })]);
  put("more", file, [call(KIND_CALL_READ, 0x10n), call(KIND_CALL_WRITE, 0x10n), call(KIND_CALL_READ, 0x30n)]);
  const html = glovebox("coverage", device, "--corpus", "more", "--html", "out.html");
  assert.match(html.stdout, /^small 0.1.0: 2 inputs of more reach (\d+) of \1 lines/);
  const page = readFileSync(join(folder, "out.html"), "utf8");
  assert.match(page, /<span class="line reached"><span class="number">13<\/span> {4}store&lt;u32&gt;\(72, 2\);/);
  assert.not.match(page, /(src|href)="?https?:|class="line missed"/);
  const text = glovebox("coverage", device, "--corpus", "corpus").stdout;
  assert.match(text, /functions never entered:\n.*index.ts:5 {2}function \d \(reset\)/);
  assert.match(text, /lines not reached:\n.*index.ts:5, 13-14, 20\n/);
  assert.match(text, /one side never taken:\n.*index.ts:12 {2}i32.eq: always different/);
});

test("a file by its map beside it; without one by function and byte", () => {
  assert.is(glovebox("compile", device, "-o", "small.wasm", "--source-map").status, 0);
  const withMap = reportOf("small.wasm", "--corpus", "corpus");
  assert.equal(withMap.sum, reportOf(device, "--corpus", "corpus").sum);
  rmSync(join(folder, "small.wasm.map"));
  const bare = reportOf("small.wasm", "--corpus", "corpus");
  assert.equal(bare.files, []);
  assert.equal(bare.sum.instructions, withMap.sum.instructions);
  assert.match(bare.oneSided[0]?.at ?? "", /^byte 0x[0-9a-f]+$/);
  writeFileSync(join(folder, "small.wasm.map"), "{}");
  const broken = glovebox("coverage", "small.wasm", "--corpus", "corpus");
  assert.is(broken.status, 2);
  assert.match(broken.stderr, /small.wasm.map: no source map of version 3/);
});

test("every instruction of our modules is found again in what is fuzzed", async () => {
  for (const one of [DISPLAY, REGISTERS, "unikernel/modules/virtio-gpu", "test/modules/tally"]) {
    const wasm = await buildModule(one);
    const [own, ran] = [readModule(wasm), readModule((await prepareWasm(one, wasm)).wasm)];
    for (const index of own.bodies.keys()) assert.ok(align(own, ran, index), `${one}: function ${index}`);
  }
});

test("with blocks counted a campaign does the same as without", async () => {
  const wasm = await buildModule(DISPLAY);
  const [plain, counted] = await Promise.all([false, true].map((blocks) => prepareFuzz(DISPLAY, wasm, blocks)));
  const inputs = new Map<string, string>();
  const target = new ModuleTarget(plain as NonNullable<typeof plain>);
  const vocabulary = vocabularyOf(target.module.manifest, target.module.covered.constants);
  const campaign = new Campaign(target, { seed: 2, recordsMax: 64, vocabulary, params: target.standing().usable });
  campaign.run(3000);
  const other = new ModuleTarget(counted as NonNullable<typeof counted>);
  const answers = (one: ModuleTarget, words: Int32Array, params: number): string => {
    one.input.set(words);
    return `${one.run(params, words.length / 8) < 0} ${one.instance.answers()} ${one.instance.fuelOfRun()}`;
  };
  for (const { words, params } of campaign.corpus.entries) {
    const told = answers(target, words, params);
    inputs.set(told, told);
    assert.is(answers(other, words, params), told);
  }
  assert.ok(inputs.size > 100, `${inputs.size} different inputs`);
});

test("of the core: lines of its sources that a kept input reaches", () => {
  const report = reportOf("--core", "--corpus", inProject("test/corpus/core"));
  const main = report.files.find(({ path }) => path === "unikernel/core/main.ts");
  assert.ok(main !== undefined && main.sum.lines.reached > 0, report.files.map((one) => one.path).join());
  assert.ok(report.sum.lines.reached > 500 && report.sum.lines.reached < report.sum.lines.all, "a part of it");
});

const BAD: [what: string, args: () => string[] | Promise<string[]>, words: RegExp][] = [
  ["nothing", () => [], /coverage of what\? A module's file, or --core/],
  ["a module and the core", () => [device, "--core"], /coverage of what\?/],
  ["no such module", () => ["none.wasm"], /there is no file none.wasm/],
  ["no such corpus", () => [device, "--corpus", "none"], /there is no folder none: whose inputs\? --corpus DIR/],
  ["a corpus that is empty", () => [device, "--corpus", device], /small: no inputs of small in it/],
  [
    "one of the core",
    () => [device, "--corpus", inProject("test/corpus/core")],
    /a trace of ioreqs, not of one module/,
  ],
  [
    "one of another module",
    async () => {
      writeFileSync(join(folder, "other.wasm"), await fileOf({ manifest: { name: "other", params: [] } }));
      return ["other.wasm", "--corpus", "corpus"];
    },
    /a trace of module small, not other/,
  ],
  [
    "a module that does not check",
    async () => {
      writeFileSync(join(folder, "bad.wasm"), await fileOf({ rest: '(func (export "brew"))' }));
      return ["bad.wasm", "--corpus", "corpus", "--force"];
    },
    /small: check: .*"brew" would never be called/s,
  ],
];

for (const [what, args, words] of BAD) {
  test(`refused: ${what}`, async () => {
    const { status, stderr } = glovebox("coverage", ...(await args()));
    assert.is(status, 2, stderr);
    assert.match(stderr, words);
  });
}

test("source maps that are none are refused, those that are strange are read as far as they say something", () => {
  const bad = (json: string) => () => parseSourceMap("x.map", json);
  assert.throws(bad("no"), /x.map: no source map: it is not JSON/);
  assert.throws(bad("null"), /no source map of version 3/);
  assert.throws(bad('{"version":3,"sources":["a"],"mappings":"A*AA"}'), /a mapping that is none: "A\*AA"/);
  const map = parseSourceMap("x.map", '{"version":3,"sources":["a"],"mappings":"UAEA,IAAA,E,GAZA;AAAA"}');
  assert.equal(
    [9, 10, 14, 16, 18, 99].map((at) => map.at(at)?.line),
    [undefined, 3, 3, undefined, undefined, undefined],
  );
  assert.is(map.text("a"), undefined);
});

test.run();
