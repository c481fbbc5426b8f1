// SPDX-License-Identifier: MIT
//
// Debian's kernel 6.1 binds its own virtio_gpu driver to our virtio-gpu in a PVH guest on Debian's Xen: two outputs
// with modes and pictures of their own, whose CRC-32 the driver domain sees as the guest wrote them; a cursor; fewer
// traps than flushes when it flushes without pause.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";
import { guestLog, readOutput, runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import { type Figures, GLOVEBOX_ELF, MODULES_IMG } from "../../host/lab/scenarios/demo.js";
import { beforeAll } from "./before-all.js";
import dom0Script from "./virtio-gpu.sh";
import script from "./virtio-gpu-guest.sh";

let result: ScenarioResult;
let log: string;

beforeAll(test, async () => {
  result = await runScenario({
    name: "virtio-gpu",
    dom0Script,
    files: { gbctl: join(DOM0_PROGRAMS, "gbctl"), "glovebox.elf": GLOVEBOX_ELF, "modules.img": MODULES_IMG },
    guests: { virtio: { script }, transfer: { script } },
  });
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
  log = guestLog(result, "virtio").replaceAll("\r", "");
});

const figures = (name: string): Figures => JSON.parse(readOutput(result, `${name}.json`)) as Figures;
const said = (pattern: RegExp): string => pattern.exec(log)?.[1] ?? "nothing";

test("the guest's own drivers are bound", () => {
  assert.match(log, /^GUEST display 0000:00:01\.0 0x1af4:0x1050 driver=virtio-pci$/m);
  assert.match(log, /^GUEST virtio 0x0010 driver=virtio_gpu /m);
});

test("each output has its mode", () => {
  assert.match(log, /^KMS output 0 connected 1024x768 /m);
  assert.match(log, /^KMS output 1 connected 1280x720 /m);
});

for (const [output, mode, when] of [
  [0, "1024x768", "first"],
  [1, "1280x720", "first"],
  [0, "800x600", "second"],
  [1, "1280x720", "second"],
  [1, "1600x1200", "third"],
] as const) {
  test(`output ${output}, ${mode}, ${when} look: the same bytes on both sides`, () => {
    const crc = figures(`crc-${when}-${output}`);
    assert.is(`${crc.width}x${crc.height}`, mode);
    assert.is(crc.crc32, said(new RegExp(`^KMS drawn ${output} ${mode} crc=([0-9a-f]{8})`, "m")));
  });
}

for (const [output, mode] of [
  [0, "1024x768"],
  [1, "1280x720"],
] as const) {
  test(`output ${output} without blobs: what was transferred is what the guest drew`, () => {
    const crc = figures(`crc-transfer-${output}`);
    const drawn = new RegExp(`^KMS drawn ${output} ${mode} crc=([0-9a-f]{8})`, "m");
    const other = guestLog(result, "transfer").replaceAll("\r", "");
    assert.is(crc.crc32, drawn.exec(other)?.[1]);
  });
}

test("an output that is unplugged is disconnected", () => {
  assert.match(log, /^KMS output 1 disconnected$/m);
});

for (const [guest, output, place, when] of [
  ["virtio", 0, "500,400", "blob"],
  ["transfer", 1, "7,8", "transfer"],
] as const) {
  test(`the cursor of ${guest} stands where the guest put it, with the guest's bytes`, () => {
    const stat = figures(guest === "virtio" ? "stat-cursor" : "stat-transfer-cursor");
    assert.is(stat[`cursor${output}`], place);
    assert.is(stat[`cursor${1 - output}`], "off");
    const cursor = figures(`cursor-${when}`);
    assert.equal([cursor.width, cursor.height, cursor.format, `${cursor.x},${cursor.y}`], [64, 64, "AR24", place]);
    const told = new RegExp(`^KMS cursor ${output} ${place.replace(",", " ")} crc=([0-9a-f]{8})`, "m");
    assert.is(cursor.crc32, told.exec(guestLog(result, guest).replaceAll("\r", ""))?.[1]);
  });
}

test("the picture has the cursor on it, and nothing else is changed", () => {
  const [over, bare] = ["cursor.png", "bare.png"].map((name) =>
    PNG.sync.read(readFileSync(join(result.outputs, name))),
  );
  if (over === undefined || bare === undefined) throw new Error("no pictures");
  let inside = 0;
  for (let i = 0; i < over.width * over.height; i++) {
    if (over.data.readUInt32LE(i * 4) === bare.data.readUInt32LE(i * 4)) continue;
    const [x, y] = [i % over.width, Math.floor(i / over.width)];
    assert.ok(x >= 500 && x < 564 && y >= 400 && y < 464, `pixel ${x},${y} is another`);
    inside++;
  }
  assert.ok(inside > 1000, `${inside} pixels of 4096 differ`);
});

/** How few depends on the machine: here a flush takes milliseconds of the clock by which polling ends, 1 ms at most. */
test("flushing without pause needs a notification for fewer than every second flush, idling none", () => {
  const traps = (from: string, to: string) =>
    Number(figures(`stat-${to}`).guest_traps) - Number(figures(`stat-${from}`).guest_traps);
  const many = traps("after-one", "after-many");
  process.stdout.write(`\n  traps: one flush ${traps("before-one", "after-one")}, 2000 flushes ${many}\n`);
  assert.ok(many < 1000, `${many} traps for 2000 flushes`);
  assert.is(traps("after-many", "idle"), 0);
});

test("nothing was refused, nothing was lost", () => {
  assert.is(figures("stat-idle").refused, 0);
  assert.not.match(guestLog(result, "glovebox-virtio"), /panic|lost:/i);
});

test.run();
