// SPDX-License-Identifier: MIT
//
// Every form of request, on a real Xen: a PVH guest does each of them to two devices and to a model of them, and
// compares (native/guest/gb-forms.c); the trace shows that the forms arrived as what they are. Then four vCPUs use
// the devices at once (gb-threads.c), and three counts must agree: the guest's, the devices', the mediator's.

import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";
import { BUILD } from "../../host/lab/paths.js";
import { guestLog, readOutput, runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import type { Figures } from "../../host/lab/scenarios/demo.js";
import { beforeAll } from "./before-all.js";
import dom0Script from "./forms.sh";
import script from "./forms-guest.sh";

interface Request {
  kind: string;
  read: boolean;
  df: boolean;
  data_is_ptr: boolean;
  size: number;
  count: number;
  addr: string;
  data: string;
}

const VCPUS = 4;
const OPERATIONS_MIN = 13_000; // the table's and configuration space's 9509, 4000 random ones
const FOREIGN_MIN = 100;
const PAGE = 0x1000n;

let result: ScenarioResult;
let guest = "";
let requests: Request[] = [];

beforeAll(test, async () => {
  result = await runScenario({
    name: "forms",
    dom0Script,
    files: {
      gbctl: join(DOM0_PROGRAMS, "gbctl"),
      "glovebox.elf": join(BUILD, "unikernel/glovebox.elf"),
      "modules.img": join(BUILD, "unikernel/modules-test.img"),
    },
    guests: { forms: { script, cfg: { vcpus: VCPUS } } },
  });
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
  guest = guestLog(result, "forms").replaceAll("\r", "");
  const trace = JSON.parse(readOutput(result, "trace.json")) as { records: Request[] };
  requests = trace.records.filter((record) => record.size !== undefined);
});

const figures = (name: string): Figures => JSON.parse(readOutput(result, name)) as Figures;

test("every answer is the model's", () => {
  assert.not.match(guest, /^FORMS (differ|failed).*/m);
  const count = Number(/^FORMS ok (\d+)$/m.exec(guest)?.[1]);
  assert.ok(count >= OPERATIONS_MIN, `FORMS ok ${count}`);
});

test("the devices had neighbours to straddle, in memory and in ports", () => {
  const found = /^FORMS neighbours: memory (\d+) at a page's end, (\d+) inside a page; ports (\d+)$/m.exec(guest);
  assert.ok(
    found?.slice(1).every((count) => Number(count) > 0),
    found?.[0],
  );
});

const seen = (what: (request: Request) => boolean): boolean => requests.some(what);

for (const [kind, sizes] of [
  ["mmio", [1, 2, 4, 8]],
  ["pio", [1, 2, 4]],
  ["config", [1, 2, 4]],
] as const) {
  for (const size of sizes) {
    for (const read of [true, false]) {
      test(`${kind} ${read ? "read" : "write"} of ${size}: single, batched up and down, came as such`, () => {
        const those = (what: (request: Request) => boolean): boolean =>
          seen((one) => one.kind === kind && one.size === size && one.read === read && what(one));
        assert.ok(
          those((one) => one.count === 1 && !one.data_is_ptr),
          "single",
        );
        for (const df of [false, true]) {
          assert.ok(
            those((one) => one.count > 1 && one.data_is_ptr && one.df === df),
            `from or to memory, direction flag ${df}`,
          );
          if (kind !== "mmio" || read) continue;
          assert.ok(
            those((one) => one.count > 1 && !one.data_is_ptr && one.df === df),
            `stos, direction flag ${df}`,
          );
        }
      });
    }
  }
}

/** Does an item at that address reach over a multiple of `unit`? */
const crosses = (address: string, size: number, unit: bigint): boolean =>
  (BigInt(address) % unit) + BigInt(size) > unit;

test("requests lay across registers, regions and pages, data across pages", () => {
  assert.ok(
    seen((one) => one.kind === "mmio" && crosses(one.addr, one.size, 4n) && one.size === 4),
    "two registers",
  );
  assert.ok(
    seen((one) => one.kind === "pio" && crosses(one.addr, one.size, 16n)),
    "two regions of ports",
  );
  assert.ok(
    seen((one) => one.kind === "mmio" && crosses(one.addr, one.size, 256n) && !crosses(one.addr, one.size, PAGE)),
    "two regions in a page, or a region and nothing",
  );
  assert.ok(
    seen((one) => one.kind === "mmio" && crosses(one.addr, one.size, PAGE)),
    "two regions in two pages",
  );
  assert.ok(
    seen((one) => one.data_is_ptr && crosses(one.data, one.size, PAGE)),
    "an item in two pages of the guest's memory",
  );
});

test("no request was of a form that the mediator refuses, none went astray", () => {
  for (const vgpu of [0, 1]) {
    const stat = figures(`forms-${vgpu}.json`);
    assert.equal([stat.state, stat.guest_refused, stat.unclaimed], ["ready", 0, 0]);
  }
  // Two BARs changed places twice: each time the first had to wait for the second.
  assert.is(figures("forms-0.json").refused, 2);
  assert.not.match(readOutput(result, "xl-dmesg.txt"), /emulation failed|device model set bad/);
});

test("four vCPUs at once: each got its own answers, and saw the others'", () => {
  assert.match(guest, new RegExp(`^CPUS ${VCPUS}$`, "m"));
  assert.not.match(guest, /^THREADS (differ|failed).*/m);
  const foreign = Number(/^THREADS ok 4 x 1500, (\d+) values of others seen$/m.exec(guest)?.[1]);
  assert.ok(foreign >= FOREIGN_MIN, `${foreign} values of others seen`);
});

test("four vCPUs at once: nothing lost, nothing doubled, by the mediator's count", () => {
  const kinds = ["mmio_reads", "mmio_writes", "pio_reads", "pio_writes"];
  for (const vgpu of [0, 1]) {
    const line = new RegExp(`^THREADS device ${vgpu}: (.*)$`, "m").exec(guest)?.[1] ?? "";
    const [before, after] = [figures(`before-${vgpu}.json`), figures(`after-${vgpu}.json`)];
    const counted = kinds.map((kind) => `${kind}=${Number(after[kind]) - Number(before[kind])}`);
    assert.is(counted.join(" "), line);
  }
});

test.run();
