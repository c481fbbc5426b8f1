// SPDX-License-Identifier: MIT
//
// The .gbx file: what pack makes keeps the rules of the loader, says the truth about itself, and is the same each
// time; a file that is damaged, or well made but not what may be loaded, is refused in words.

import { createHash } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readElf } from "../../host/pipeline/elf.js";
import { DT, readDynamic, readNotes } from "../../host/pipeline/elf-dynamic.js";
import { packModule } from "../../host/pipeline/gbx.js";
import { NOTE_OWNER, seal } from "../../host/pipeline/gbx-record.js";
import { readGbx } from "../../host/pipeline/gbx-rules.js";
import { frameBytesMax } from "../../host/pipeline/gcc.js";
import { buildModule } from "../../host/pipeline/module.js";
import type { Bytes } from "../../host/pipeline/store.js";
import { random } from "./host.js";

const FOLDER = "test/modules/register-file";

async function good(): Promise<Awaited<ReturnType<typeof packModule>>> {
  return packModule("register-file", await buildModule(FOLDER));
}

test("a packed module says what it is", async () => {
  const file = await buildModule(FOLDER);
  const { record, descriptor, manifest, imports, fileName } = await good();
  assert.is(fileName, "register-file-0.1.0.gbx");
  assert.is(record.wasmSha256, createHash("sha256").update(file).digest("hex"));
  assert.is(record.wasmBytes, file.length);
  assert.ok(record.fuelPoints >= record.functions);
  assert.is(manifest.name, "register-file");
  assert.is(descriptor.wasmSha256, record.wasmSha256);
  assert.is(descriptor.memoryPages, manifest.memoryPages);
  assert.is(descriptor.frameBytes, record.frameBytes);
  assert.ok(record.frameBytes > 0 && record.frameBytes <= frameBytesMax());
  assert.ok(descriptor.instanceBytes > 0 && descriptor.instanceBytes <= 4096);
  assert.ok(imports.includes("w2c_glovebox_irq_raise") && imports.includes("wasm_rt_trap"));
  assert.equal(Object.keys(record.tools).sort(), ["binaryen", "gcc", "glovebox", "ld", "wabt"]);
});

test("the same module gives the same bytes", async () => {
  assert.equal((await good()).bytes, (await good()).bytes);
});

test("every damage is noticed: 400 flipped bits, 100 cut files", async () => {
  const { bytes } = await good();
  const next = random(4);
  for (let round = 0; round < 500; round++) {
    const damaged = round < 400 ? Uint8Array.from(bytes) : bytes.slice(0, (next() % (bytes.length - 1)) + 1);
    const at = next() % damaged.length;
    if (round < 400) damaged[at] = (damaged[at] ?? 0) ^ (1 << (next() % 8));
    assert.throws(() => readGbx("x.gbx", damaged), /^PipelineError: x\.gbx: (gbx|manifest): |x\.gbx: /);
  }
});

/** Change a good file so that its seal is right again: what somebody would make who knows the format. */
async function forged(change: (bytes: Bytes, view: DataView) => void): Promise<string> {
  const bytes = Uint8Array.from((await good()).bytes);
  change(bytes, new DataView(bytes.buffer));
  try {
    seal(bytes, readNotes(readElf(bytes), NOTE_OWNER));
    readGbx("x.gbx", bytes);
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
}

const PROGRAM_HEADERS = 64;
const headerOf = (index: number): number => PROGRAM_HEADERS + index * 56;

/** Offset in the file of the entry of this dynamic tag. */
function tagAt(view: DataView, bytes: Bytes, tag: number): number {
  const segment = readElf(bytes).segments.find((one) => one.type === 2);
  for (let at = segment?.offset ?? 0; ; at += 16) if (view.getBigUint64(at, true) === BigInt(tag)) return at;
}

function symbolAt(bytes: Bytes, name: string): number {
  const { tags, symbols } = readDynamic(readElf(bytes));
  return (tags.get(DT.SYMTAB) ?? 0) + symbols.findIndex((one) => one.name === name) * 24; // file = address there
}

const FORGERIES: [title: string, reason: RegExp, change: (bytes: Bytes, view: DataView) => void][] = [
  ["nothing changed", /^accepted$/, () => {}],
  ["another machine", /not made for x86-64/, (_, view) => view.setUint16(18, 183, true)],
  ["an executable", /type 2, not a shared object/, (_, view) => view.setUint16(16, 2, true)],
  ["writable code", /writable code/, (_, view) => view.setUint32(headerOf(1) + 4, 7, true)],
  ["an executable stack", /executable stack/, (_, view) => view.setUint32(headerOf(5) + 4, 7, true)],
  ["an interpreter", /a segment of type 0x3/, (_, view) => view.setUint32(headerOf(5), 3, true)],
  ["thread-local storage", /a segment of type 0x7/, (_, view) => view.setUint32(headerOf(5), 7, true)],
  ["a segment inside a page", /begins in a page/, (_, view) => view.setBigUint64(headerOf(2) + 16, 0x3010n, true)],
  ["overlapping segments", /overlaps/, (_, view) => view.setBigUint64(headerOf(2) + 16, 0x1000n, true)],
  ["a huge segment", /bytes to load; the limit is/, (_, view) => view.setBigUint64(headerOf(2) + 40, 1n << 33n, true)],
  ["a needed library", /tag 0x1 is not allowed/, (b, view) => view.setUint8(tagAt(view, b, DT.SYMBOLIC), 1)],
  ["an init function", /tag 0xc is not allowed/, (b, view) => view.setUint8(tagAt(view, b, DT.SYMBOLIC), 12)],
  ["text relocations", /flags 0xe/, (b, view) => view.setUint8(tagAt(view, b, DT.FLAGS) + 8, 14)],
  ["an endless symbol table", /symbols; the limit/, (b, view) => view.setUint32(symbolAt(b, "") - 60, 1 << 30, true)],
  [
    "another import",
    /asks for "(?!wasm_rt_trap)/,
    (b) => b.set([0x61], Buffer.from(b).indexOf("\0wasm_rt_trap\0") + 1),
  ],
  ["a thread-local import", /of type 6/, (b) => b.set([0x16], symbolAt(b, "wasm_rt_trap") + 4)],
  ["an undefined descriptor", /it defines nothing/, (b) => b.set([0, 0], symbolAt(b, "gb_module") + 6)],
  ["a second definition", /must define gb_module only/, (b) => b.set([8, 0], symbolAt(b, "memset") + 6)],
  ["a descriptor of another size", /instead of/, (b) => b.set([24], symbolAt(b, "gb_module") + 16)],
  ["a copy relocation", /is of type 5/, (b, view) => view.setUint8(relocationAt(view, b) + 8, 5)],
  ["a relocation of code", /outside of the data/, (b, v) => v.setBigUint64(relocationAt(v, b), 0x1000n, true)],
  [
    "a relocation at the end",
    /outside of the data/,
    (b, v) => v.setBigUint64(relocationAt(v, b), endOfData(b) - 7n, true),
  ],
  ["a pointer elsewhere", /points nowhere/, (b, v) => v.setBigInt64(relocationAt(v, b) + 16, -4096n, true)],
  ["a lying record", /disagree/, (b) => b.set(Buffer.from("0.9"), Buffer.from(b).indexOf('"version":"0.1') + 11)],
  ["another wasm's hash", /different modules/, (b) => flip(b, descriptorAt(b) + 12)],
  ["another gbx version", /not of \.gbx version 1/, (b, view) => view.setUint32(descriptorAt(b) + 4, 2, true)],
];

/** gb_module's address, which is its place in the file. */
function descriptorAt(bytes: Bytes): number {
  const symbol = Buffer.from(bytes.buffer, bytes.byteOffset).readBigUInt64LE(symbolAt(bytes, "gb_module") + 8);
  return Number(symbol);
}

function flip(bytes: Bytes, at: number): void {
  bytes.set([(bytes[at] ?? 0) ^ 1], at);
}

/** Behind the last byte that is loaded. */
function endOfData(bytes: Bytes): bigint {
  const ends = readElf(bytes)
    .segments.filter((one) => one.type === 1)
    .map((one) => one.address + one.memoryBytes);
  return BigInt(Math.max(...ends));
}

function relocationAt(view: DataView, bytes: Bytes): number {
  return Number(view.getBigUint64(tagAt(view, bytes, DT.RELA) + 8, true)); // its address is its place in the file
}

for (const [title, reason, change] of FORGERIES) {
  test(`forged: ${title}`, async () => {
    assert.match(await forged(change), reason);
  });
}

test.run();
