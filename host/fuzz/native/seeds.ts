// SPDX-License-Identifier: MIT
//
// What the targets of parsers.ts begin with: valid inputs, made anew each time from what they stand for.

import { createHash } from "node:crypto";
import { cpio, file } from "../../lab/cpio.js";
import { packModule } from "../../pipeline/gbx.js";
import { buildModule } from "../../pipeline/module.js";

const MODULES = ["test/modules/register-file", "unikernel/modules/bochs-display"];

/** Real .gbx files. */
export async function moduleSeeds(): Promise<Uint8Array[]> {
  const seeds: Uint8Array[] = [];
  for (const folder of MODULES) seeds.push((await packModule(folder, await buildModule(folder))).bytes);
  return seeds;
}

/** Archives as modules.img is one, with small files: what is in them is the other targets' affair. */
export async function ramdiskSeeds(): Promise<Uint8Array[]> {
  const names = ["bochs-display-0.1.0.gbx", "a-1.gbx"];
  const contents = [Buffer.from("\x7fELF one"), Buffer.from("")];
  const line = (name: string, i: number): string =>
    `${createHash("blake2b512")
      .update(contents[i] as Buffer)
      .digest("hex")}  ${name}\n`;
  const files = names.map((name, i) => file(name, contents[i] as Buffer, 0o644));
  return [cpio([file("B2SUMS", names.map(line).join(""), 0o644), ...files]), cpio([]), cpio(files)];
}

/** Steps of native/fuzz/parser/ring.c: [what, number], PUT with its bytes. */
export async function ringSeeds(): Promise<Uint8Array[]> {
  const [put, message, take, send, scribble] = [0, 1, 2, 3, 4];
  const header = Buffer.alloc(16);
  header.writeUInt32LE(15, 0); // XS_WATCH_EVENT
  header.writeUInt32LE(5, 12);
  return [
    Buffer.from([message, 3, message, 255, message, 192, message, 0]),
    Buffer.concat([Buffer.from([put, 20]), header, Buffer.from("abcde")]),
    Buffer.from([send, 240, take, 255, send, 2, take, 255, take, 255, take, 255, take, 255, send, 2, take, 3]),
    Buffer.from([message, 4, scribble, 7, send, 9, scribble, 130]),
  ];
}

/** Replies and nodes as docs/CONTROL.md draws them. */
export async function answerSeeds(): Promise<Uint8Array[]> {
  // with its two first words as many as there may be
  const many = Array.from({ length: 94 }, (_, i) => `k${i}=${i}`).join(" ");
  return [
    '12 ok guest=3 vgpu=0 module=bochs-display@0.1.0 state=running faults=0 name="a b" last',
    "13 error no such guest: 77",
    "14 ok gref=8 pages=3 bytes=8192 width=1024 height=768 format=875713112 stride=4096",
    'name=bochs-display version=0.1.0 abi=1 blake2b=0123456789abcdef params="memory=16777216 width=1024"',
    `15 ok ${many}`,
  ].map((text) => Buffer.from(text));
}
