// SPDX-License-Identifier: MIT
//
// One driver domain under an enforcing FLASK policy for three unmodified Debian guests: two with Debian's virtio_gpu
// driver and two outputs each (one's pictures are transferred, the other's are blobs), one with bochs-display. While
// one flushes without pause, cursors move and outputs come, go and change their size in the other; Debian's own
// modetest lists what it is given and shows its picture; one guest is destroyed in the middle of a flood of flushes.
// Nobody else's picture changes, and nothing is left. What guests try on purpose against each other is
// isolation.test.ts.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { modetest } from "../../host/lab/modetest.js";
import { readOutput, runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import { newNodes, OF_GUESTS, readBooks, STEADY } from "../../host/lab/scenarios/books.js";
import booksScript from "../../host/lab/scenarios/books.sh";
import type { Figures } from "../../host/lab/scenarios/demo.js";
import { Said } from "../../host/lab/scenarios/guest-kernel.js";
import { denials, GUEST_LABEL } from "../../host/lab/scenarios/guests.js";
import { logOf, PAIR, SCREENS, trioScene } from "../../host/lab/scenarios/trio.js";
import { beforeAll } from "./before-all.js";
import script from "./many.sh";
import guestScript from "./many-guest.sh";
import { compareBars } from "./smpte.js";

const MODES = ["800x600", "640x480"];
const PANEL_MODE = "1024x768";
/** What right's second output becomes. */
const PLUGGED = "800x600";
const RESIZED = "1024x768";
/** modetest's. Wider than Linux' own console on these outputs can be, which the kernel shows between two programs. */
const WIDE = ["1024x768", "1280x720"];
const CURSOR = { 0: "300,200", 1: "7,8" };
/** Distinct colours of SMPTE's bars. */
const BAR_COLOURS = 13;
const EDID_MAKER = "1c58"; // GBX
const EDID_NAME = Buffer.from("Glovebox\n").toString("hex");

let result: ScenarioResult;
let said: Said;

beforeAll(test, async () => {
  const set = { PLUGGED, RESIZED, WIDE_0: WIDE[0], WIDE_1: WIDE[1] };
  const variables = Object.entries(set).map(([name, value]) => `${name}=${value}\n`);
  result = await runScenario(
    trioScene({
      name: "many",
      modes: MODES,
      script: [...variables, booksScript, script].join(""),
      guestScript,
      guestFiles: await modetest(),
    }),
  );
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
  said = new Said(result);
});

const figures = (name: string): Figures => JSON.parse(readOutput(result, `${name}.json`)) as Figures;
const crc = (when: string, screen: string): { mode: string; crc32: string } => {
  const { width, height, crc32 } = figures(`crc-${when}-${screen}`);
  return { mode: `${width}x${height}`, crc32: String(crc32) };
};
const since = (guest: string, from: string, to: string, key: string): number =>
  Number(figures(`engine-${to}-${guest}`)[key]) - Number(figures(`engine-${from}-${guest}`)[key]);

/** What gb-kms said that it drew there, the nth time in this mode; of the panel what gb-draw did. */
function drawn(screen: string, mode: string, nth = 0): string {
  const [guest = "", output = ""] = screen.split("-");
  const what = guest === "panel" ? "DRAW done" : `KMS drawn ${output}`;
  const all = [...logOf(result, guest).matchAll(new RegExp(`^${what} ${mode} crc=([0-9a-f]{8})`, "gm"))];
  return all[nth]?.[1] ?? `nothing drawn on ${screen}, ${mode}, time ${nth}`;
}

function shows(when: string, screen: string, mode: string, nth = 0): void {
  assert.equal(crc(when, screen), { mode, crc32: drawn(screen, mode, nth) }, `${screen}, ${when}`);
}

const unchanged = (when: string, ...screens: string[]): void => {
  for (const screen of screens) assert.equal(crc(when, screen), crc("drawn", screen), `${screen}, ${when}`);
};

/** Of the flushes that were ended by the nth word. */
const flushes = (guest: string, nth: number): number =>
  Number([...logOf(result, guest).matchAll(/^KMS flushed 0 times=(\d+) /gm)][nth]?.[1]);

test("Debian's own drivers are bound, the guests have our label, one driver domain serves all", () => {
  for (const guest of PAIR) assert.match(logOf(result, guest), /^GUEST display 0000:\S+ driver=virtio_gpu$/m);
  assert.match(logOf(result, "panel"), /^GUEST display \S+ 0x1234:0x1111 driver=bochs-drm$/m);
  for (const guest of [...PAIR, "panel"])
    assert.match(readOutput(result, "labels.txt"), new RegExp(`^${guest} .* ${GUEST_LABEL}$`, "m"));
  assert.is(figures("driver-drawn").guests, 3);
});

for (const screen of SCREENS) {
  const mode = screen === "panel-0" ? PANEL_MODE : (MODES[Number(screen.split("-")[1])] as string);
  test(`${screen}, ${mode}: the driver domain shows what the guest drew`, () => shows("drawn", screen, mode));
}

test("each shows another picture", () => {
  assert.is(new Set(SCREENS.map((screen) => crc("drawn", screen).crc32)).size, SCREENS.length);
});

for (const output of [0, 1] as const) {
  test(`the cursor of left's output ${output} is where and what the guest says while right flushes`, () => {
    const place = CURSOR[output];
    assert.is(figures("stat-cursor-left")[`cursor${output}`], place);
    const cursor = figures(`cursor-${output}`);
    assert.equal([cursor.width, cursor.height, cursor.format, `${cursor.x},${cursor.y}`], [64, 64, "AR24", place]);
    const told = new RegExp(`^KMS cursor ${output} ${place.replace(",", " ")} crc=([0-9a-f]{8})`, "m");
    assert.is(cursor.crc32, told.exec(logOf(result, "left"))?.[1]);
  });
}

test("meanwhile right flushed on, and no scanout changed", () => {
  assert.ok(since("right", "cursor-begin", "cursor-end", "done") > 10);
  assert.ok(flushes("right", 0) >= since("right", "cursor-begin", "cursor-end", "done"));
  unchanged("cursor", "left-0", "left-1", "right-0");
});

test("an output of right is unplugged, plugged in, resized while left flushes: its driver learns of it", () => {
  const states = [...logOf(result, "right").matchAll(/^KMS output 1 ((?:dis)?connected(?: \d+x\d+)?)/gm)];
  const order = states.map(([, state]) => state).filter((state, index, all) => state !== all[index - 1]);
  const steps = ["disconnected", `connected ${PLUGGED}`, `connected ${RESIZED}`];
  assert.equal(order.slice(-steps.length), steps);
});

test("each new mode is drawn, with the same bytes on both sides", () => {
  shows("plugged", "right-1", PLUGGED);
  shows("resized", "right-1", RESIZED);
  for (const when of ["unplugged", "flushed"]) unchanged(when, "right-0");
});

test("left flushed all the time, and its pictures are what they were", () => {
  const [done, flushed] = [since("left", "plug-begin", "plug-end", "done"), flushes("left", 0)];
  process.stdout.write(`\n  left, while right's output changed: ${flushed} flushes, ${done} workloads done\n`);
  assert.ok(done > 10 && flushed > 10, `${flushed} flushes, ${done} workloads`);
  for (const when of ["unplugged", "plugged", "flushed"]) unchanged(when, "left-0");
  unchanged("flushed", "left-1");
});

/** What modetest printed the nth time. */
function modetestSaid(nth: number): string {
  const [, after = ""] = logOf(result, "right").split("MODETEST ready\n");
  return after.split(/^MODETEST ended: .*\n/m)[nth] ?? "";
}

test("modetest lists two connectors with the modes and the monitor that we gave them, and two CRTCs", () => {
  const listed = modetestSaid(0);
  const [, ...connectors] = listed.split(/^\d+\t\d+\tconnected\tVirtual-(?=[12]\b)/m);
  assert.equal(
    connectors.map((text) => text[0]),
    ["1", "2"],
  );
  for (const [index, mode] of [MODES[0], RESIZED].entries()) {
    const text = connectors[index] as string;
    assert.match(text, new RegExp(`^ +#0 ${mode} [\\d.]+ .*type: preferred, driver$`, "m"));
    assert.match(text, new RegExp(`^ +#\\d+ ${WIDE[index]} `, "m"));
    const edid = [...text.matchAll(/^\t+([0-9a-f]{32})$/gm)].map(([, line]) => line).join("");
    assert.match(edid, new RegExp(`^00ffffffffffff00${EDID_MAKER}.*${EDID_NAME}`));
  }
  assert.is([...listed.matchAll(/^\d+\t\d+\t\(\d+,\d+\)\t\(\d+x\d+\)$/gm)].length, 2);
});

const wideWidth = WIDE.reduce((sum, mode) => sum + Number(mode.split("x")[0]), 0);
const size = (mode: string): [number, number] => mode.split("x").map(Number) as [number, number];
for (const [name, mode, part] of [
  ["single-1", RESIZED, { width: size(RESIZED)[0], height: size(RESIZED)[1], x: 0 }],
  ["wide-0", WIDE[0] as string, { width: wideWidth, height: 768, x: 0 }],
  ["wide-1", WIDE[1] as string, { width: wideWidth, height: 768, x: size(WIDE[0] as string)[0] }],
] as const) {
  test(`modetest's picture, ${name}: ${mode}, SMPTE's bars and nothing else`, () => {
    const png = PNG.sync.read(readFileSync(join(result.outputs, `${name}.png`)));
    assert.is(`${png.width}x${png.height}`, mode);
    const colours = new Set<number>();
    for (let at = 0; at < png.data.length; at += 4) colours.add(png.data.readUInt32LE(at));
    if (name === "single-1") assert.is(colours.size, BAR_COLOURS);
    const { different, compared } = compareBars(png, part);
    assert.ok(compared > png.width * png.height * 0.9, `${compared} pixels compared`);
    assert.is(different, 0);
  });
}

test("modetest set what it was asked for, and ended well", () => {
  assert.match(modetestSaid(1), new RegExp(`^setting mode ${RESIZED}-[\\d.]+Hz on connectors \\d+, crtc \\d+$`, "m"));
  for (const mode of WIDE)
    assert.match(modetestSaid(2), new RegExp(`^setting mode ${mode}-[\\d.]+Hz on connectors \\d+, crtc \\d+$`, "m"));
  const ends = [...logOf(result, "right").matchAll(/^MODETEST ended: (\d+)$/gm)].map(([, status]) => status);
  assert.equal(ends, ["0", "0", "0"]);
});

test("others' pictures stood meanwhile; gb-kms works again after modetest", () => {
  unchanged("modetest", "left-0", "left-1", "panel-0");
  MODES.forEach((mode, output) => {
    const before = [...logOf(result, "right").matchAll(new RegExp(`^KMS drawn ${output} ${mode} `, "gm"))].length;
    shows("again", `right-${output}`, mode, before - 1);
    assert.is.not(crc("again", `right-${output}`).crc32, crc("drawn", `right-${output}`).crc32);
  });
});

test("left died in the middle of a flood of flushes", () => {
  const floods = (what: string): number =>
    [...logOf(result, "left").matchAll(new RegExp(`^KMS ${what} 0`, "gm"))].length;
  assert.equal([floods("flushes"), floods("flushed")], [2, 1]);
  assert.ok(since("left", "living", "dying", "done") > 10);
});

test("the others went on: right's flushes, the panel's next picture, nobody's scanout is another", () => {
  assert.ok(since("right", "survived", "later", "done") > 10);
  assert.is(figures("driver-survived").guests, 2);
  assert.equal(crc("died", "right-0"), crc("again", "right-0"));
  unchanged("died", "panel-0");
  for (const screen of ["right-0", "right-1"]) assert.equal(crc("survived", screen), crc("again", screen), screen);
  shows("survived", "panel-0", PANEL_MODE, 1);
});

test("nothing was refused to anybody, and Xen refused nothing", () => {
  for (const guest of PAIR) assert.not.match(logOf(result, guest), /^KMS failed/m);
  assert.match(readOutput(result, "xen-first.txt"), /Flask: +Starting in enforcing mode/);
  for (const when of ["first", "end"]) assert.equal(denials(readOutput(result, `xen-${when}.txt`)), []);
});

test("nothing is left in Xen, in xenstore, in the driver domain", () => {
  const [first, end] = [readBooks(said, "first"), readBooks(said, "end")];
  assert.equal(newNodes(said, "first", "end"), []);
  for (const key of OF_GUESTS) assert.is(end[key], first[key], key);
  for (const key of STEADY) assert.is(figures("driver-after")[key], figures("driver-before")[key], key);
  assert.not.match(logOf(result, "glovebox-demo"), /panic|lost:/i);
});

test.run();
