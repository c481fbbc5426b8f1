// SPDX-License-Identifier: MIT
//
// A panic of ours on a real Xen, with a request pending: the guest goes on, the device is as it was, the cause can be
// read from Dom0, a hundred in a row leave nothing behind. Two in a short time lose all vGPUs and nothing else; three
// end the driver domain, and still no vCPU waits for ever. DESIGN section 5; docs/decisions/0008.

import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";
import { BUILD } from "../../host/lab/paths.js";
import { guestLog, readOutput, runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import { beforeAll } from "./before-all.js";
import dom0Script from "./restart.sh";
import script from "./restart-guest.sh";

const test = suite("restart in place on Xen");
const ONES = "REGS 0xffffffff";
let result: ScenarioResult;
let answers: Map<string, string>;

type Figures = Record<string, string | number>;
const stat = (name: string): Figures => JSON.parse(readOutput(result, `stat/${name}.json`)) as Figures;
const text = (name: string): string => readOutput(result, name).trim();

beforeAll(test, async () => {
  result = await runScenario({
    name: "restart",
    dom0Script,
    files: {
      gbctl: join(DOM0_PROGRAMS, "gbctl"),
      "glovebox-panic.elf": join(BUILD, "unikernel/glovebox-panic.elf"),
      "modules.img": join(BUILD, "unikernel/modules-test.img"),
    },
    guests: { r: { script } },
  });
  const lines = readOutput(result, "answers.txt").trim().split("\n");
  answers = new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]));
});

test("the scenario ran to its end", () => assert.is(result.exitCode, 0, result.failure));

/** The device as the guest left it: parameter, registers, configuration space, the other vGPU. */
function assertKept(name: string): void {
  const held = ["seed", "kept", "line", "id", "display"].map((what) => answers.get(`${name}-${what}`));
  assert.equal(held, ["REGS 0x4d", "REGS 0x12345678", "REGS 0x9", "REGS 0x6762fffe", "REGS 0x11111234"], name);
}

const KINDS: [string, RegExp][] = [
  ["kind0", /^the core trapped, wasm_rt_trap_t 0x1 /],
  ["kind1", /^the core gave up, code and detail 0x101 0x40$/],
  ["kind2", /^planted, tag and address /],
  ["kind3", /^processor trap 0xe 0x[0-9a-f]+$/],
];

test("each kind of panic: all ones for the pending read, the device as it was, the cause in Dom0", () => {
  assertKept("before");
  assert.is(stat("before").restarts, 0);
  assert.is(stat("before").last_panic, undefined);
  for (const [index, [name, cause]] of KINDS.entries()) {
    assert.is(answers.get(`${name}-pending`), ONES, name);
    assertKept(name);
    assert.is(stat(name).restarts, index + 1);
    assert.match(String(stat(name).last_panic), cause);
    assert.is(stat(name).vgpus, 2);
  }
  assert.match(text("error.txt"), /^restarted 4 times, last panic: processor trap 0xe /);
  const console = guestLog(result, "glovebox-r");
  assert.match(console, /glovebox: panic: the core gave up, code and detail 0x101 0x40/);
  assert.match(console, /glovebox: restart 4 in place\r?\n/);
});

test("a hundred restarts: one answer of all ones each, no other wrong answer", () => {
  assert.is(stat("hundred").restarts, 104);
  const loop = [...guestLog(result, "r").matchAll(/^LOOP (\d+) REGS (0x[0-9a-f]+)\r?$/gm)].map((m) => [
    m[2],
    Number(m[1]),
  ]);
  const counts = new Map(loop as [string, number][]);
  assert.is(counts.get("0xffffffff"), 100);
  assert.ok((counts.get("0x4d") ?? 0) > 1000, `${counts.get("0x4d")} right answers`);
  assert.is(counts.size, 2);
  assertKept("hundred");
});

/** Lines of Xen's own listing that belong to the domain. */
function section(file: string, head: RegExp): string[] {
  const lines = readOutput(result, file)
    .split("\n")
    .map((line) => line.replace(/^\(XEN\) (\[[^\]]*\] )?/, ""));
  const from = lines.findIndex((line) => head.test(line));
  assert.ok(from >= 0, `${file} has no ${head}`);
  const rest = lines.slice(from + 1);
  const end = rest.findIndex((line) =>
    /^(Event channel information|\s*-{4,} active|grant-table for|General information)/.test(line),
  );
  return rest.slice(0, end < 0 ? undefined : end);
}

function ports(when: string, domid: string): number {
  const rows = section(`look-${when}-e.txt`, new RegExp(`^Event channel information for (domain|d)\\s*${domid}\\b`));
  return rows.filter((line) => /^\s+\d+ \[/.test(line)).length;
}

function pages(when: string, domid: string): string {
  const row = new RegExp(`General information for domain ${domid}:[^]*?nr_pages=(\\d+)`).exec(
    readOutput(result, `look-${when}-q.txt`),
  );
  assert.ok(row, `no pages of domain ${domid}`);
  return row[1] as string;
}

function grants(when: string, domid: string): string[] {
  return readOutput(result, `look-${when}-g.txt`)
    .split("\n")
    .filter((line) => new RegExp(`grant-table for remote d${domid}\\b`).test(line))
    .map((line) => line.replace(/^\(XEN\) (\[[^\]]*\] )?/, ""));
}

test("a hundred restarts: Xen, xenstore and xl count what they counted before", () => {
  for (const domid of text("domids.txt").split(" ")) {
    assert.ok(ports("before", domid) > 2);
    assert.is(ports("after", domid), ports("before", domid), `event channels of ${domid}`);
    assert.is(pages("after", domid), pages("before", domid), `pages of ${domid}`);
    assert.equal(grants("after", domid), grants("before", domid));
  }
  assert.is(text("look-after-nodes.txt"), text("look-before-nodes.txt"));
  assert.is(text("look-after-memory.txt"), text("look-before-memory.txt"));
  assert.is(stat("hundred").arena_pages, stat("before").arena_pages);
});

test("the picture outlives them all", () => {
  const crc = (when: string) => (JSON.parse(readOutput(result, `crc-${when}.json`)) as Figures).crc32;
  const drawn = /^DRAW done 1024x768 crc=([0-9a-f]{8})/m.exec(guestLog(result, "r"))?.[1];
  assert.is(crc("before"), drawn);
  assert.is(crc("after"), drawn);
});

test("two panics in a window: all vGPUs lost by name, the domain answers, detach and attach work", () => {
  assert.is(stat("lost").restarts, 106);
  assert.equal([answers.get("lost-seed"), answers.get("lost-id")], [ONES, ONES]);
  for (const n of [0, 1]) {
    assert.match(
      text(`lost-${n}.txt`),
      new RegExp(`^guest \\d+ vgpu ${n}: the driver domain panicked twice .*: planted`),
    );
  }
  const [driver] = JSON.parse(readOutput(result, "list-lost.json"));
  assert.equal(
    driver.guests[0].vgpus.map((vgpu: { state: string }) => vgpu.state),
    ["lost", "lost"],
  );
  assert.is(answers.get("again-id"), "REGS 0x6762fffe");
  assert.is(answers.get("again-seed"), "REGS 0x4e");
});

test("three panics in a window: the domain stops as crashed, the guest goes on without its devices", () => {
  assert.match(guestLog(result, "glovebox-r"), /no restart: requests answered, ioreq servers given back, stopping/);
  assert.is(answers.get("ended-id"), ONES);
  assert.match(guestLog(result, "r"), /^GUEST end: 0/m);
});

test.run();
