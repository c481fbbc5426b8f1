// SPDX-License-Identifier: MIT
//
// An HVM guest on stock Xen: the display stands beside QEMU's devices on bus 0, hvmloader places its BARs, Debian's
// own driver binds and draws. Then the guest removes and rescans it, so that the BARs move: the RAM behind BAR 0 goes
// along with what is in it, and the old place is empty, as the guest sees it and as Xen counts it.

import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";
import { guestLog, readOutput, runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import { type Figures, GLOVEBOX_ELF, MODULES_IMG } from "../../host/lab/scenarios/demo.js";
import { crc32 } from "../../host/sim/crc32.js";
import { beforeAll } from "./before-all.js";
import dom0Script from "./hvm.sh";
import script from "./hvm-guest.sh";
import { PATTERN_CRC32 } from "./pattern.js";

const VRAM_PAGES = 4096; // 16 MiB, the module's default
const CFG = {
  type: "hvm",
  vga: "none",
  vnc: 0,
  sdl: 0,
  extra: "console=hvc0 xen_emul_unplug=never loglevel=6",
};

let result: ScenarioResult;
let guest = "";

beforeAll(test, async () => {
  result = await runScenario({
    name: "hvm",
    dom0Script,
    files: { gbctl: join(DOM0_PROGRAMS, "gbctl"), "glovebox.elf": GLOVEBOX_ELF, "modules.img": MODULES_IMG },
    guests: { hvm: { script, cfg: CFG } },
    machine: { hvm: true },
  });
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
  guest = guestLog(result, "hvm").replaceAll("\r", "");
});

const figures = (name: string): Figures => JSON.parse(readOutput(result, name)) as Figures;
const said = (pattern: RegExp): string[] => (pattern.exec(guest) ?? []).slice(1);

/** The first addresses of BAR 0 and BAR 2, as Linux has them. */
const bars = (when: string): string[] => said(new RegExp(`^BARS ${when}: 0x0*(\\w+) .*;0x0*(\\w+) `, "m"));

/** What gb-phys saw. */
function look(what: string): { address: string; pages: number; ones: number; crc: string } {
  const words = said(new RegExp(`^LOOK at ${what}\nPHYS 0x(\\w+) pages=(\\d+) ones=(\\d+) crc=(\\w+)$`, "m"));
  assert.is(words.length, 4, `the guest did not look at ${what}`);
  const [address = "", pages, ones, crc = ""] = words;
  return { address, pages: Number(pages), ones: Number(ones), crc };
}

/** Pages of the guest, as Xen counts them. */
function xenPages(when: string): number {
  const { domid } = (JSON.parse(readOutput(result, "create.json")) as { guest: { domid: number } }).guest;
  const domains = readOutput(result, `pages-${when}.txt`).split("General information for domain ");
  const own = domains.find((text) => text.startsWith(`${domid}:`)) ?? "";
  const pages = Number(/nr_pages=(\d+)/.exec(own)?.[1]);
  assert.ok(pages > 0, `Xen's count of domain ${domid}'s pages, ${when}`);
  return pages;
}

test("QEMU is its device model, and gbctl wired the display to slot 16 of bus 0", () => {
  const created = JSON.parse(readOutput(result, "create.json"));
  assert.is(created.guest.type, "hvm");
  assert.is(created.vgpus[0].bdf, "0000:00:10.0");
  assert.is(readOutput(result, "device-model.txt").trim(), "running");
});

test("hvmloader placed the BARs, and Linux kept them", () => {
  const [bar0, bar2] = bars("boot");
  const placed = readOutput(result, "xen.txt");
  assert.ok(placed.includes(`pci dev 10:0 bar 10 size 001000000: 0${bar0?.replace(/0$/, "8")}`), `BAR 0 at ${bar0}`);
  assert.ok(placed.includes(`pci dev 10:0 bar 18 size 000001000: 0${bar2}`), `BAR 2 at ${bar2}`);
});

for (const when of ["boot", "moved"]) {
  test(`${when}: Debian's own driver draws the picture that a PVH guest draws, without a trap`, () => {
    assert.match(guest, new RegExp(`^DISPLAY ${when}: 0x1234:0x1111 driver=bochs-drm$`, "m"));
    assert.is(figures(`draw-${when}-crc.json`).crc32, PATTERN_CRC32["1024x768"]);
    assert.is(figures(`draw-${when}-end.json`).traps, figures(`draw-${when}-begin.json`).traps);
  });
}

test("it drew twice, and knows what", () => {
  const crcs = [...guest.matchAll(/^DRAW done 1024x768 crc=(\w+)/gm)].map((match) => match[1]);
  assert.equal(crcs, [PATTERN_CRC32["1024x768"], PATTERN_CRC32["1024x768"]]);
});

test("remove and rescan moved both BARs", () => {
  const [before, after] = [bars("boot"), bars("moved")];
  assert.is(after.length, 2);
  assert.is.not(after[0], before[0]);
  assert.is.not(after[1], before[1]);
});

test("the pages moved with what was in them, and the old place is empty", () => {
  const before = look("old before");
  assert.equal([before.address, before.pages, before.ones], [bars("boot")[0], VRAM_PAGES, 0]);
  const blank = crc32(new Uint8Array(VRAM_PAGES * 4))
    .toString(16)
    .padStart(8, "0");
  assert.is.not(before.crc, blank, "pages that hold nothing prove nothing");
  const after = look("new after");
  assert.is(after.address, bars("moved")[0]);
  assert.equal([after.pages, after.ones, after.crc], [VRAM_PAGES, 0, before.crc]);
  assert.is(look("old after").ones, VRAM_PAGES);
});

test("Xen counts as many pages after the move as before, and none of them after the detach", () => {
  assert.is(figures("stat-boot.json").ram_pages, VRAM_PAGES);
  assert.is(figures("stat-moved.json").ram_pages, VRAM_PAGES);
  assert.is(xenPages("moved"), xenPages("boot"));
  assert.is(xenPages("detached"), xenPages("boot") - VRAM_PAGES);
  assert.is(look("new detached").ones, VRAM_PAGES);
});

test("nothing is left behind", () => {
  assert.is(readOutput(result, "free-after.txt"), readOutput(result, "free-before.txt"));
  assert.equal(readOutput(result, "xl-list.txt").match(/^\S+/gm), ["Name", "Domain-0"]);
  assert.not.match(readOutput(result, "xenstore.txt"), /glovebox|device-model\/[1-9]/);
  assert.not.match(guestLog(result, "glovebox-hvm"), /panic|lost/i);
});

test.run();
