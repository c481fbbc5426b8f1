// SPDX-License-Identifier: MIT
//
// From source to image: bad sources are refused in words, nothing with a heap gets through, and the image is what xl
// can boot and no larger than promised.

import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { check } from "../../host/pipeline/check.js";
import { compile } from "../../host/pipeline/compile.js";
import { MODULE_BORDER } from "../../host/pipeline/contract.js";
import { imageFacts } from "../../host/pipeline/elf.js";
import { buildUnikernel, IMAGE_BYTES_MAX } from "../../host/pipeline/image.js";
import { buildModule, prepareCore } from "../../host/pipeline/module.js";
import { inBuild, projectRoot } from "../../host/pipeline/paths.js";
import { manifestOf } from "./host.js";

const PLAIN = `
export function attach(): i32 { return 0; }
export function reset(): void {}
export function bar_read(bar: u32, offset: u32, size: u32): u64 { return work(offset); }
export function bar_write(bar: u32, offset: u32, size: u32, value: u64): void {}
`;

/** A module's folder under build/, with this source; answers it relative to the project. */
function folderWith(name: string, source: string): string {
  const folder = inBuild("test", "folders", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/index.ts`, source);
  const manifest = {
    ...manifestOf("test/modules/register-file"),
    name,
    fuel: { attach: 1, reset: 1, barRead: 1, barWrite: 1 },
  };
  writeFileSync(`${folder}/manifest.json`, JSON.stringify(manifest));
  return relative(projectRoot(), folder);
}

async function refusal(name: string, source: string): Promise<string> {
  const folder = folderWith(name, PLAIN + source);
  try {
    const wasm = await compile({ name, entry: `${folder}/index.ts`, memoryPages: 1 });
    check(wasm, { name, border: MODULE_BORDER, capabilities: 0xff, memoryPages: 1 });
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
}

test("a module without a heap passes", async () => {
  assert.is(await refusal("plain", "function work(n: u32): u64 { return n * 3; }"), "accepted");
});

test("what allocates does not get through: an object, an array, a closure, a joined string", async () => {
  const sources = [
    `class Thing { n: u32 = 0; } let kept = new Thing();
     function work(n: u32): u64 { kept = new Thing(); kept.n = n; return kept.n; }`,
    "function work(n: u32): u64 { const list = new Array<u32>(); list.push(n); return list[0]; }",
    `let f: (n: u32) => u64 = (n: u32): u64 => n;
     function work(n: u32): u64 { if (n == 7) f = (m: u32): u64 => m + 1; return f(n); }`,
    "let s = 'a'; function work(n: u32): u64 { s = s + s; return s.length; }",
  ];
  for (const [index, source] of sources.entries()) {
    const message = await refusal(`heap-${index}`, source);
    assert.match(message, /check: .*(start function|memory\.grow|a table|maximum|\d+ pages)/, source);
  }
});

test("what uses floats does not get through", async () => {
  assert.match(
    await refusal("floats", "function work(n: u32): u64 { return <u64>Math.sqrt(<f64>n); }"),
    /floating-point/,
  );
});

test("a compiler error is shown with its place", async () => {
  const message = await refusal("broken", "function work(n: u32): u64 { return nothing; }");
  assert.match(message, /^broken: compile: .*index\.ts does not compile/);
  assert.match(message, /Cannot find name 'nothing'/);
});

test("a folder without manifest, without source, with another's name", async () => {
  await assertRejects(buildModule("test/pipeline"), /pipeline: manifest: there is no file .*manifest\.json/);
  const folder = folderWith("other", "");
  const manifest = readFileSync(`${projectRoot()}/${folder}/manifest.json`, "utf8");
  writeFileSync(`${projectRoot()}/${folder}/manifest.json`, manifest.replace('"other"', '"another"'));
  await assertRejects(buildModule(folder), /other: manifest: the name is "another", but the folder is "other"/);
  await assertRejects(
    compile({ name: "none", entry: "test/none.ts", memoryPages: 1 }),
    /none: compile: there is no file/,
  );
});

async function assertRejects(promise: Promise<unknown>, reason: RegExp): Promise<void> {
  const message = await promise.then(
    () => "accepted",
    (error: Error) => error.message,
  );
  assert.match(message, reason);
}

test("the core has no start function, no table, no memory.grow, no float", async () => {
  const { report } = await prepareCore(); // checked on the way: throws otherwise
  assert.ok(report.functions > 0);
});

test("the release image has Xen's notes, no module, and fewer than 512 KiB", async () => {
  const image = await buildUnikernel({ variant: "release" });
  assert.not.match(readFileSync(image.elf).toString("latin1"), /bochs-display|register-file/);
  const facts = imageFacts(readFileSync(image.elf));
  assert.ok(facts.hasXenNotes);
  assert.ok(facts.loadedBytes <= IMAGE_BYTES_MAX, `${facts.loadedBytes} bytes`);
  assert.ok(facts.memoryBytes <= 11.25 * 2 ** 20, `${facts.memoryBytes} bytes of 16 MiB`); // the rest: modules, tables
  assert.ok(statSync(image.elf).size <= IMAGE_BYTES_MAX);
  assert.match(readFileSync(image.symbols, "utf8"), /core_on_ioreq/);
});

test("the same sources give the same image", async () => {
  const first = readFileSync((await buildUnikernel({ variant: "panic" })).elf);
  assert.equal(readFileSync((await buildUnikernel({ variant: "panic" })).elf), first);
});

test("no libc, no allocator, no floating point in the image", async () => {
  const { symbols } = await buildUnikernel({ variant: "release" });
  const names = readFileSync(symbols, "utf8").match(/\S+$/gm) ?? [];
  assert.equal(
    names.filter((name) => /^(malloc|calloc|realloc|free|printf|__mul[sdt]f3|__adddf3)$/.test(name)),
    [],
  );
});

test.run();
