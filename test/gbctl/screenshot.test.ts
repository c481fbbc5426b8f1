// SPDX-License-Identifier: MIT
//
// gbctl screenshot: pictures as the driver domain grants them, part by part, and lies in its replies.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cleanUp, gbctl, type Run } from "./bench.js";
import { DD, RELEASE, RUNNING } from "./support.js";

const shot = suite("gbctl screenshot");

const XR24 = 0x34325258;
const RG16 = 0x36314752;
const byte = (i: number): number => (i * 7 + Math.floor(i / 251)) & 0xff;

async function shoot(args: string[], scenario: string, shell?: string): Promise<Run & { file: Buffer | undefined }> {
  const result = await gbctl(["screenshot", "demo", ...args], { scenario, ...(shell === undefined ? {} : { shell }) });
  const name = args.find((word) => /\.(png|ppm)$/.test(word)) ?? "";
  const path = join(result.dir, name);
  const file = name !== "" && existsSync(path) ? readFileSync(path) : undefined;
  assert.is(result.maps, 0, "a grant is still mapped");
  cleanUp(result);
  return { ...result, file };
}

shot("in several parts, as PNG", async () => {
  const result = await shoot(["a.png", "--no-cursor"], `${RUNNING}picture 61 37 ${XR24} 4096\n${RELEASE}`);
  assert.is(result.code, 0, result.stderr);
  const png = PNG.sync.read(result.file as Buffer);
  assert.equal([png.width, png.height], [61, 37]);
  for (let i = 0; i < 61 * 37; i++) {
    const pixel = [...png.data.subarray(i * 4, i * 4 + 3)];
    assert.equal(pixel, [byte(i * 4 + 2), byte(i * 4 + 1), byte(i * 4)], `pixel ${i}`);
  }
  assert.match(result.nodes.get(`${DD}/request`) ?? "", /^\d+ release$/);
});

shot("16 bits a pixel, as PPM", async () => {
  const result = await shoot(["a.ppm"], `${RUNNING}picture 3 1 ${RG16} 4096\n${RELEASE}`);
  const rgb = [0, 1, 2].flatMap((i) => {
    const word = byte(i * 2) | (byte(i * 2 + 1) << 8);
    const wide = (value: number, bits: number): number => (value << (8 - bits)) | (value >> (2 * bits - 8));
    return [wide(word >> 11, 5), wide((word >> 5) & 63, 6), wide(word & 31, 5)];
  });
  assert.equal([...(result.file as Buffer)], [...Buffer.from("P6\n3 1\n255\n"), ...rgb]);
});

shot("the CRC alone", async () => {
  const result = await shoot(["--crc", "--json"], `${RUNNING}picture 4 4 ${XR24} 4096\n`);
  const told = JSON.parse(result.stdout);
  assert.match(told.crc32, /^[0-9a-f]{8}$/);
  assert.equal([told.width, told.height, told.format], [4, 4, "XR24"]);
});

shot("again when the screen moved; a warning when it does not stop", async () => {
  const still = await shoot(["a.png"], `${RUNNING}picture 4 4 ${XR24} 4096 3\n${RELEASE}`);
  assert.is(still.code, 0);
  assert.not.match(still.stderr, /moved/);
  const moving = await shoot(["a.png", "--json"], `${RUNNING}picture 4 4 ${XR24} 4096 99\n${RELEASE}`);
  assert.is(moving.code, 0);
  assert.match(moving.stderr, /the screen moved/);
  assert.is(JSON.parse(moving.stdout).moved, true);
});

/** What the fake's picture and cursor hold at that pixel, and one over the other. */
function mixed(pixel: number, over: number | undefined): number[] {
  const below = [0, 1, 2].map((i) => byte(pixel * 4 + 2 - i));
  if (over === undefined) return below;
  const alpha = byte(over * 4 + 3);
  return below.map((one, i) => Math.min(255, byte(over * 4 + 2 - i) + Math.floor((one * (255 - alpha) + 127) / 255)));
}

for (const [x, y] of [
  [3, 2],
  [-2, -1],
  [14, 9],
  [-2147483648, 2147483647],
] as const) {
  shot(`the cursor at ${x},${y} over it, cut at the edges`, async () => {
    const result = await shoot(["a.png"], `${RUNNING}picture 16 11 ${XR24} 4096\ncursor 5 4 ${x} ${y}\n${RELEASE}`);
    assert.is(result.code, 0, result.stderr);
    const png = PNG.sync.read(result.file as Buffer);
    for (let i = 0; i < 16 * 11; i++) {
      const [column, row] = [(i % 16) - x, Math.floor(i / 16) - y];
      const inside = column >= 0 && column < 5 && row >= 0 && row < 4;
      const wanted = mixed(i, inside ? row * 5 + column : undefined);
      assert.equal([...png.data.subarray(i * 4, i * 4 + 3)], wanted, `pixel ${i}`);
    }
  });
}

shot("with and without its cursor the screen's CRC is the same; without it the picture is the screen's", async () => {
  const screen = `${RUNNING}picture 8 8 ${XR24} 4096\n`;
  const cursor = "cursor 4 4 2 2\n";
  const plain = await shoot(["a.ppm", "--json"], `${screen}${RELEASE}`);
  const over = await shoot(["a.ppm", "--json"], `${screen}${cursor}${RELEASE}`);
  const left = await shoot(["a.ppm", "--json", "--no-cursor"], `${screen}${cursor}${RELEASE}`);
  assert.is(JSON.parse(over.stdout).crc32, JSON.parse(plain.stdout).crc32);
  assert.is(Buffer.compare(left.file as Buffer, plain.file as Buffer), 0);
  assert.is.not(Buffer.compare(over.file as Buffer, plain.file as Buffer), 0);
});

shot("on 16 bits a pixel, too", async () => {
  const result = await shoot(["a.ppm"], `${RUNNING}picture 3 1 ${RG16} 4096\ncursor 1 1 1 0\n${RELEASE}`);
  const rgb = (result.file as Buffer).subarray(-9);
  const alone = await shoot(["a.ppm"], `${RUNNING}picture 3 1 ${RG16} 4096\n${RELEASE}`);
  const below = (alone.file as Buffer).subarray(-9);
  assert.equal([...rgb.subarray(0, 3), ...rgb.subarray(6)], [...below.subarray(0, 3), ...below.subarray(6)]);
  const alpha = byte(3);
  const wanted = [2, 1, 0].map((i, at) =>
    Math.min(255, byte(i) + Math.floor(((below[3 + at] as number) * (255 - alpha) + 127) / 255)),
  );
  [5, 6, 5].forEach((bits, at) => {
    assert.is((rgb[3 + at] as number) >> (8 - bits), (wanted[at] as number) >> (8 - bits));
  });
});

shot("the cursor's CRC and place alone", async () => {
  const scenario = `${RUNNING}picture 8 8 ${XR24} 4096\ncursor 4 4 -7 500\n`;
  const json = await shoot(["--crc", "--cursor", "--json"], scenario);
  const told = JSON.parse(json.stdout);
  assert.equal([told.width, told.height, told.format, told.x, told.y], [4, 4, "AR24", -7, 500]);
  const text = await shoot(["--crc", "--cursor"], scenario);
  assert.match(text.stdout, /^crc32=[0-9a-f]{8} width=4 height=4 format=AR24 x=-7 y=500$/m);
  const none = await shoot(["--crc", "--cursor"], `${RUNNING}picture 8 8 ${XR24} 4096\n`);
  assert.is(none.code, 1);
  assert.match(none.stderr, /crc 2 0 0 cursor: cursor off: 0/);
});

shot("--cursor without --crc, or against --no-cursor, is wrong usage", async () => {
  for (const words of [
    ["a.png", "--cursor"],
    ["--crc", "--cursor", "--no-cursor"],
  ]) {
    const result = await shoot(words, RUNNING);
    assert.is(result.code, 2);
    assert.match(result.stderr, /--cursor goes with --crc, and not with --no-cursor/);
  }
});

const CRC_OK = "on request crc 2 0 0 :: reply ok crc32=00000000 width=4 height=4 format=XR24\n";
const LIES: [string, RegExp][] = [
  ["on request crc 2 0 0 :: reply ok crc32=00000000 width=16385 height=4 format=XR24\n", /must be 1 to 16384/],
  ["on request crc 2 0 0 :: reply ok crc32=00000000 width=0 height=4 format=XR24\n", /must be 1 to 16384/],
  ["on request crc 2 0 0 :: reply ok crc32=00000000 width=16384 height=16384 format=XR24\n", /larger than 256 MiB/],
  ["on request crc 2 0 0 :: reply ok crc32=00000000 width=4 height=4 format=YUYV\n", /format= is none/],
  ["on request crc 2 0 0 :: reply ok crc32=zz width=4 height=4 format=XR24\n", /crc32= must be 8/],
  ["on request crc 2 0 0 :: reply ok\n", /width= and height=/],
  ["on request crc 2 0 0 :: reply what\n", /answers "crc 2 0 0" with nonsense/],
  ["on request crc 2 0 0 :: reply error scanout off\n", /crc 2 0 0: scanout off/],
  ...["gref=8 pages=257 bytes=64", "gref=8 pages=0 bytes=0", "gref=8 pages=1 bytes=4097", "gref=8 pages=1 bytes=0"].map(
    (words): [string, RegExp] => [read(words), /its reply is wrong: (pages|bytes)=/],
  ),
  [read("gref=8 pages=1 bytes=65"), /more than is left/],
  [read("gref=4294967295 pages=1 bytes=64"), /gref= is absent or beyond/],
  [read("gref=5 pages=1 bytes=64"), /cannot map 1 pages that driver domain 1 \(glovebox-demo\) grants/],
];

function read(words: string): string {
  return `${CRC_OK}on request read 2 0 0 0 0 :: reply ok ${words} total=64 width=4 height=4 format=XR24\n`;
}

for (const [lie, message] of LIES) {
  shot(`a driver domain that lies: ${message.source}`, async () => {
    const result = await shoot(["a.png"], RUNNING + lie);
    assert.match(result.stderr, message);
    assert.not.match(result.stderr, /Sanitizer|runtime error/);
    assert.is(result.code, 1);
    assert.is(result.file, undefined);
  });
}

const CURSOR_LIES: [string, RegExp][] = [
  ["width=4 height=4 format=XR24 x=0 y=0", /format= is none/],
  ["width=4 height=4 format=AR24", /x= and y= must be/],
  ["width=4 height=4 format=AR24 x=2147483648 y=0", /x= and y= must be/],
  ["width=4 height=4 format=AR24 x=0 y=-2147483649", /x= and y= must be/],
  ["width=4 height=4 format=AR24 x=- y=0", /x= and y= must be/],
  ["width=0 height=4 format=AR24 x=0 y=0", /must be 1 to 16384/],
];

for (const [words, message] of CURSOR_LIES) {
  shot(`a driver domain that lies about a cursor: ${words}`, async () => {
    const lie = `on request crc 2 0 0 cursor :: reply ok crc32=00000000 ${words}\n`;
    const result = await shoot(["--crc", "--cursor"], RUNNING + lie);
    assert.match(result.stderr, message);
    assert.is(result.code, 1);
  });
}

shot("a screen in a cursor's format is refused", async () => {
  const lie = "on request crc 2 0 0 :: reply ok crc32=00000000 width=4 height=4 format=AR24\n";
  const result = await shoot(["--crc"], RUNNING + lie);
  assert.match(result.stderr, /format= is none/);
});

shot("no file is left when the disk is full, or the folder is not there", async () => {
  const scenario = `${RUNNING}picture 200 200 ${XR24} 1048576\n${RELEASE}`;
  const full = await shoot(["a.ppm"], scenario, 'ulimit -f 20; "$0" "$@"');
  assert.is(full.code, 1);
  assert.match(full.stderr, /cannot write a\.ppm: File too large/);
  assert.is(full.file, undefined);
  const nowhere = await shoot(["none/a.png"], scenario);
  assert.match(nowhere.stderr, /cannot write none\/a\.png: No such file or directory/);
});
shot.run();
