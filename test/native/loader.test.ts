// SPDX-License-Identifier: MIT
//
// What the driver domain's loader refuses, a row a reason: each by name, leaving nothing behind, while a good file
// beside
// it loads. Then files changed at random: whatever they are, the loader under ASan comes to an end.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BUILD } from "../../host/lab/paths.js";
import { blake2b, type Entry, gbx, type Recipe, ramdisk } from "./gbx.js";
import { load } from "./load.js";

const GOOD: Entry = { name: "plain-1.gbx", bytes: gbx() };
const GOOD_LINE = "loaded 0 plain@1";
const goodPages = (): string => load(ramdisk([GOOD])).at(-1) as string;

/** Program headers of a file: [offset of the header, type]. */
function headers(bytes: Buffer): [number, number][] {
  return Array.from({ length: bytes.readUInt16LE(56) }, (_, i) => [64 + 56 * i, bytes.readUInt32LE(64 + 56 * i)]);
}

const header = (bytes: Buffer, type: number, nth = 0): number =>
  headers(bytes).filter(([, one]) => one === type)[nth]?.[0] as number;

/** Where the value of a dynamic entry stands. */
function dynamic(bytes: Buffer, tag: number): number {
  const at = Number(bytes.readBigUInt64LE(header(bytes, 2) + 8));
  for (let i = at; ; i += 16) if (Number(bytes.readBigUInt64LE(i)) === tag) return i + 8;
}

const relocation = (bytes: Buffer, nth = 0): number => Number(bytes.readBigUInt64LE(dynamic(bytes, 7))) + nth * 24;

type Change = (bytes: Buffer) => unknown;
const WRONG: [what: string, why: RegExp, change: Change][] = [
  ["no ELF", /^not an ELF file$/, (b) => b.write("MZ")],
  ["32 bits", /not a 64-bit little-endian/, (b) => b.writeUInt8(1, 4)],
  ["big-endian", /not a 64-bit little-endian/, (b) => b.writeUInt8(2, 5)],
  ["another processor", /machine is not x86-64 \(62\): 183/, (b) => b.writeUInt16LE(183, 18)],
  ["a program", /not a shared object/, (b) => b.writeUInt16LE(2, 16)],
  ["headers of another size", /program headers of another size/, (b) => b.writeUInt16LE(64, 54)],
  ["no headers", /program headers: 0, limit 16/, (b) => b.writeUInt16LE(0, 56)],
  ["too many headers", /program headers: 17, limit 16/, (b) => b.writeUInt16LE(17, 56)],
  ["headers outside", /program headers outside the file/, (b) => b.writeBigUInt64LE(0xffffffffffffffffn, 32)],
  ["W and X", /both writable and executable/, (b) => b.writeUInt32LE(7, header(b, 1, 1) + 4)],
  ["an executable stack", /executable stack/, (b) => b.writeUInt32LE(7, header(b, 0x6474e551) + 4)],
  ["an interpreter", /PT_INTERP/, (b) => b.writeUInt32LE(3, header(b, 0x6474e551))],
  ["thread-local data", /PT_TLS/, (b) => b.writeUInt32LE(7, header(b, 0x6474e551))],
  ["an unknown header", /program header of type 0x6474e553/, (b) => b.writeUInt32LE(0x6474e553, header(b, 0x6474e551))],
  ["no dynamic section", /no dynamic section/, (b) => b.writeUInt32LE(0, header(b, 2))],
  ["an unaligned segment", /does not begin on a page/, (b) => b.writeBigUInt64LE(0x1010n, header(b, 1, 1) + 16)],
  [
    "a segment outside the file",
    /outside the file/,
    (b) => b.writeBigUInt64LE(0xfffffffffffff000n, header(b, 1, 1) + 8),
  ],
  [
    "a segment beyond",
    /ends beyond the image's bytes/,
    (b) => b.writeBigUInt64LE(0x7fffffff000n, header(b, 1, 2) + 16),
  ],
  ["segments over each other", /out of order/, (b) => b.writeBigUInt64LE(0n, header(b, 1, 1) + 16)],
  ["variables", /variables outside its instances/, (b) => b.writeBigUInt64LE(0xff0n, header(b, 1, 2) + 40)],
  ["DT_NEEDED", /DT_NEEDED/, (b) => b.writeBigUInt64LE(1n, dynamic(b, 5) - 8)],
  ["DT_INIT", /DT_INIT/, (b) => b.writeBigUInt64LE(12n, dynamic(b, 5) - 8)],
  ["DT_FINI_ARRAY", /DT_FINI/, (b) => b.writeBigUInt64LE(26n, dynamic(b, 5) - 8)],
  ["DT_TEXTREL", /DT_TEXTREL/, (b) => b.writeBigUInt64LE(22n, dynamic(b, 5) - 8)],
  ["an unknown tag", /dynamic entry with tag 0x6ffffff0/, (b) => b.writeBigUInt64LE(0x6ffffff0n, dynamic(b, 5) - 8)],
  ["symbols elsewhere", /symbol table outside/, (b) => b.writeBigUInt64LE(0xfffffffffffffff8n, dynamic(b, 6))],
  ["strings elsewhere", /string table outside/, (b) => b.writeBigUInt64LE(0x7ffffffffn, dynamic(b, 10))],
  ["relocations elsewhere", /relocations outside/, (b) => b.writeBigUInt64LE(0x100000n, dynamic(b, 7))],
  ["half a relocation", /relocations outside/, (b) => b.writeBigUInt64LE(25n, dynamic(b, 8))],
  ["a foreign relocation", /relocation of type 5, /, (b) => b.writeUInt32LE(5, relocation(b) + 8)],
  ["a relocation of code", /outside the writable data/, (b) => b.writeBigUInt64LE(0x1000n, relocation(b))],
  ["an odd relocation", /outside the writable data/, (b) => b.writeBigUInt64LE(0x3001n, relocation(b))],
  ["a relocation far out", /outside the writable data/, (b) => b.writeBigUInt64LE(0xfffffffffffffff8n, relocation(b))],
  ["a pointer far out", /pointer that leaves its image/, (b) => b.writeBigInt64LE(-8n, relocation(b) + 16)],
];

for (const [what, why, change] of WRONG) {
  test(`refused: ${what}`, () => {
    const bytes = gbx({ name: "bad" });
    change(bytes);
    const lines = load(ramdisk([{ name: "bad-1.gbx", bytes }, GOOD]));
    assert.match(lines[0] ?? "", /^refused bad-1\.gbx: /);
    assert.match((lines[0] ?? "").replace("refused bad-1.gbx: ", ""), why);
    assert.equal(lines.slice(1), [GOOD_LINE, goodPages()]);
  });
}

const BUILT: [what: string, why: RegExp, recipe: Recipe][] = [
  ["another ABI", /made for \.gbx ABI 9, this domain has \d+/, { cflags: ["-DGBX_ABI_HERE=9"] }],
  ["no magic", /does not begin with GBXD/, { cflags: ["-DGBX_MAGIC_HERE=1"] }],
  ["a large frame", /largest stack frame: 5000, limit 384/, { cflags: ["-DFRAME=5000"] }],
  ["no frame", /largest stack frame: 0/, { cflags: ["-DFRAME=0"] }],
  ["a large instance", /bytes of an instance: 99999999/, { cflags: ["-DINSTANCE=99999999"] }],
  ["much memory", /pages of memory: 65/, { cflags: ["-DPAGES=65"] }],
  ["an entry that is no code", /entry point is not in its code: number 0/, { cflags: ["-DATTACH=(void *)&manifest"] }],
  ["an import that is not offered", /imports what is not offered: "system"/, { cflags: ["-DIMPORT=system"] }],
];

for (const [what, why, recipe] of BUILT) {
  test(`refused: ${what}`, () => {
    const bytes = gbx({ name: "bad", ...recipe });
    const lines = load(ramdisk([{ name: "bad-1.gbx", bytes }, GOOD]));
    assert.match((lines[0] ?? "").replace("refused bad-1.gbx: ", ""), why);
    assert.equal(lines.slice(1), [GOOD_LINE, goodPages()]);
  });
}

const OTHER: Entry = { name: "other-1.gbx", bytes: gbx({ name: "other" }) };
const DISKS: [what: string, disk: Uint8Array | undefined, lines: RegExp[]][] = [
  ["none", undefined, [/^refused ramdisk: there is none, so there are no modules$/, /^code 0$/]],
  ["empty", new Uint8Array(), [/^refused ramdisk: there is none/, /^code 0$/]],
  ["no archive", Buffer.from("x".repeat(300)), [/^refused ramdisk: no newc header at byte 0$/, /^code 0$/]],
  ["half a header", Buffer.from("070701"), [/^refused ramdisk: ends within a header/, /^code 0$/]],
  [
    "cut within the second file",
    ramdisk([GOOD, OTHER]).subarray(0, -4096),
    [/^refused ramdisk: ends within a file at byte \d+$/, /^loaded 0 plain@1$/, /^code/],
  ],
  [
    "another digest",
    ramdisk([{ ...OTHER, sum: "0".repeat(128) }, GOOD]),
    [/^refused other-1.gbx: its BLAKE2b is not the one in B2SUMS$/, /^loaded 0 plain@1$/, /^code/],
  ],
  [
    "not listed",
    ramdisk([{ ...OTHER, sum: "" }, GOOD]),
    [/^refused other-1.gbx: not listed in B2SUMS$/, /^loaded 0 plain@1$/, /^code/],
  ],
  [
    "a line that is no digest",
    ramdisk([{ ...OTHER, sum: "z".repeat(128) }, GOOD]),
    [/^refused other-1.gbx: its line in B2SUMS is not hexadecimal$/, /^loaded 0/, /^code/],
  ],
  [
    "the same module twice",
    ramdisk([GOOD, GOOD]),
    [/^refused plain-1.gbx: a module of this name and version is loaded already$/, /^loaded 0/, /^code/],
  ],
  [
    "a wrong name",
    ramdisk([{ ...GOOD, name: "plain-2.gbx" }]),
    [/^refused plain-2.gbx: by its manifest it should be named plain-1.gbx$/, /^code 0$/],
  ],
  [
    "two versions",
    ramdisk([GOOD, { name: "plain-2.gbx", bytes: gbx({ version: "2" }) }]),
    [/^loaded 0 plain@1$/, /^loaded 1 plain@2$/, /^code/],
  ],
  [
    "too large a file",
    ramdisk([{ name: "large-1.gbx", bytes: new Uint8Array(512 * 1024 + 1) }, GOOD]),
    [/^refused large-1.gbx: bytes of the file: 524289, limit 524288$/, /^loaded 0/, /^code/],
  ],
];

for (const [what, disk, wanted] of DISKS) {
  test(`ramdisk: ${what}`, () => {
    const lines = load(disk);
    assert.is(lines.length, wanted.length, lines.join("\n"));
    for (const [i, pattern] of wanted.entries()) assert.match(lines[i] ?? "", pattern);
  });
}

test("33 modules: the last is refused, the others load", () => {
  const all = Array.from({ length: 33 }, (_, i) => {
    const bytes = Buffer.from(gbx({ version: "10" }));
    bytes.write(String(10 + i), bytes.indexOf("plain\0") + 32); // the version stands behind the name's 32 bytes
    return { name: `plain-${10 + i}.gbx`, bytes };
  });
  const lines = load(ramdisk(all));
  assert.match(lines[0] ?? "", /^refused plain-42.gbx: no room for another module: 33, limit 32$/);
  assert.is(lines.length, 34);
});

test("a full code arena", () => {
  const cflags = ["-DPADDING=400000"];
  const all = ["1", "2", "3"].map((version) => ({ name: `plain-${version}.gbx`, bytes: gbx({ version, cflags }) }));
  const lines = load(ramdisk(all));
  assert.match(
    lines[0] ?? "",
    /^refused plain-2.gbx: its image does not fit into the code arena .* pages \d+, limit 192$/,
  );
  assert.is(lines[2], "loaded 0 plain@1");
});

/** RFC 7693, appendix A: BLAKE2b-512 of "abc". */
const RFC_7693_ABC =
  "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1" +
  "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923";
/** Of the empty message: coreutils' b2sum of /dev/null, which RFC 7693 does not give. */
const EMPTY =
  "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419" +
  "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce";

const sumIsRight = (bytes: Buffer, sum: string): boolean => {
  const [first = ""] = load(ramdisk([{ name: "a", bytes, sum }]));
  assert.match(first, /^refused a: (not an ELF file|its BLAKE2b is not the one in B2SUMS)$/);
  return first.endsWith("ELF file");
};

test("BLAKE2b of known messages, and of messages of every length around a block", () => {
  assert.ok(sumIsRight(Buffer.from("abc"), RFC_7693_ABC));
  assert.ok(sumIsRight(Buffer.alloc(0), EMPTY));
  for (const length of [1, 63, 64, 65, 111, 112, 127, 128, 129, 255, 256, 257, 1000]) {
    const bytes = Buffer.alloc(length, "abc");
    assert.ok(sumIsRight(bytes, blake2b(bytes)), `${length}`);
    assert.not(sumIsRight(bytes, blake2b(Buffer.alloc(length + 1, "abc"))), `${length}`);
  }
});

test("shipped modules load", () => {
  const lines = load(readFileSync(join(BUILD, "unikernel/modules-test.img")));
  assert.ok(lines.some((line) => /^loaded 0 bochs-display@/.test(line)));
  assert.not.ok(lines.some((line) => line.startsWith("refused")));
});

test("changed at random: the loader comes to an end, and what it holds is what it loaded", () => {
  let seed = 12345;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 60; round++) {
    const entries = Array.from({ length: 12 }, (_, i) => {
      const bytes = gbx({ version: "10" });
      for (let n = 1 + next(3); n > 0; n--) {
        // headers, tables and the descriptor, where the file's sense is; seldom anywhere
        const at = next(4) === 0 ? next(bytes.length) : next(2) ? next(0x500) : bytes.length - 1 - next(0x900);
        bytes.writeUInt8(next(3) ? next(256) : ([0, 1, 0x7f, 0x80, 0xff][next(5)] as number), Math.max(0, at));
      }
      return { name: `m${i}.gbx`, bytes };
    });
    const lines = load(ramdisk(entries)); // throws when a sanitizer speaks
    assert.match(lines.at(-1) ?? "", /^code 0$/); // each is misnamed, so none may stay
  }
});

test.run();
