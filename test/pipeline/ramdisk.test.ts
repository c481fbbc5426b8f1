// SPDX-License-Identifier: MIT
//
// The ramdisk: a plain newc archive in a fixed order, with sums that b2sum understands; made only of whole files
// of different modules.

import { createHash } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { packModule } from "../../host/pipeline/gbx.js";
import { buildModule } from "../../host/pipeline/module.js";
import { MODULES_MAX, makeRamdisk, type RamdiskFile } from "../../host/pipeline/ramdisk.js";
import type { Bytes } from "../../host/pipeline/store.js";

const packed = async (folder: string): Promise<RamdiskFile> => packModule("test", await buildModule(folder));

/** A newc archive's files, in order. */
function unpack(archive: Bytes): [name: string, data: Buffer, seconds: number][] {
  const buffer = Buffer.from(archive);
  const field = (at: number, index: number): number =>
    Number.parseInt(buffer.toString("ascii", at + 6 + index * 8, at + 14 + index * 8), 16);
  const files: [string, Buffer, number][] = [];
  for (let at = 0; ; ) {
    assert.is(buffer.toString("ascii", at, at + 6), "070701");
    const [bytes, nameBytes] = [field(at, 6), field(at, 11)];
    const name = buffer.toString("ascii", at + 110, at + 110 + nameBytes - 1);
    const data = Math.ceil((at + 110 + nameBytes) / 4) * 4;
    if (name === "TRAILER!!!") return files;
    files.push([name, buffer.subarray(data, data + bytes), field(at, 5)]);
    at = Math.ceil((data + bytes) / 4) * 4;
  }
}

test("sums first, then the modules by name, without times", async () => {
  const modules = [await packed("test/modules/register-file"), await packed("unikernel/modules/bochs-display")];
  const archive = makeRamdisk(modules);
  const [sums, ...rest] = unpack(archive);
  assert.is(sums?.[0], "B2SUMS");
  assert.equal(
    rest.map(([name]) => name),
    ["bochs-display-0.1.0.gbx", "register-file-0.1.0.gbx"],
  );
  const expected = rest
    .map(([name, data]) => `${createHash("blake2b512").update(data).digest("hex")}  ${name}\n`)
    .join("");
  assert.is(sums?.[1].toString(), expected);
  assert.ok(unpack(archive).every(([, , seconds]) => seconds === 0));
  assert.equal(makeRamdisk([...modules].reverse()), archive);
});

test("a module has its own name in there, whatever its file was called", async () => {
  const one = await packed("test/modules/register-file");
  const renamed = makeRamdisk([{ ...one, fileName: "mine.gbx" }]);
  assert.equal(renamed, makeRamdisk([one]));
  assert.is(unpack(renamed)[1]?.[0], "register-file-0.1.0.gbx");
});

test("no modules at all make a ramdisk too", () => {
  assert.equal(unpack(makeRamdisk([])), [["B2SUMS", Buffer.alloc(0), 0]]);
});

test("refused by name: a damaged file, a module that is there already, too many", async () => {
  const one = await packed("test/modules/register-file");
  const damaged = {
    fileName: "broken.gbx",
    bytes: Uint8Array.from(one.bytes, (byte, at) => (at === 5000 ? ~byte : byte)),
  };
  assert.throws(() => makeRamdisk([one, damaged]), /broken\.gbx: gbx: damaged/);
  const twin = { ...one, fileName: "twin.gbx" };
  assert.throws(
    () => makeRamdisk([one, twin]),
    /twin\.gbx: ramdisk: is register-file@0\.1\.0, and so is register-file-0/,
  );
  const many = Array.from({ length: MODULES_MAX + 1 }, (_, index) => ({ ...one, fileName: `${index}.gbx` }));
  assert.throws(() => makeRamdisk(many), /33 modules; the limit is 32/);
});

test.run();
