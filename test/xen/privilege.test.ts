// SPDX-License-Identifier: MIT
//
// De-privileged: a driver domain that tries what docs/THREAT_MODEL.md says it must not do (test/probe) is refused each
// time, in the way that the document says, and serves its guest as before. The rows that must be allowed keep the
// others honest: they run the same code on what the domain may touch.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";
import { BUILD } from "../../host/lab/paths.js";
import { guestLog, readOutput, runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import { ALLOWED, documentedRows } from "../probe/table.js";
import dom0Script from "./privilege.sh";
import script from "./privilege-target.sh";

const REFUSALS_MIN = 30; // of the issue; there are many more
const CONTROLS_MIN = 10;
/** Never unpaused; its kernel alone takes 58 MiB. */
const SMALL = { script: "", cfg: { memory: 96 } };

/** Rows on "another guest" that go through when that guest is the target: the requests are good. */
const TARGETS_OWN = [
  "XEN_DOMCTL_getdomaininfo",
  "XENMEM_populate_physmap",
  "XENMEM_decrease_reservation",
  "XENMEM_add_to_physmap",
  "XENMEM_maximum_gpfn",
  "XENMEM_set_memory_map",
  "XENMEM_acquire_resource grant_table",
  "HVMOP_get_param",
  "HVMOP_set_param",
  "HVMOP_get_mem_type",
  "XEN_DMOP_nr_vcpus",
  "XEN_DMOP_create_ioreq_server",
  "XEN_DMOP_inject_msi",
  "XEN_DMOP_set_pci_intx_level",
  "XEN_DMOP_inject_event",
  "XEN_DMOP_remote_shutdown",
  "XEN_DMOP_track_dirty_vram",
  "SCHEDOP_remote_shutdown",
  "EVTCHNOP_alloc_unbound",
  "EVTCHNOP_status",
  "EVTCHNOP_reset",
  "GNTTABOP_setup_table",
  "GNTTABOP_query_size",
];

const test = suite("privilege");
let result: ScenarioResult;
/** What the domain printed: row -> answers, in the document's words. */
let answers: Map<string, string[]>;

/** Empty when the scenario failed before the domain was there: a test of its own says so. */
function logOf(domain: string): string {
  const path = join(result.outputs, `log/console/guest-${domain}.log`);
  return existsSync(path) ? readFileSync(path, "latin1").replaceAll("\r", "") : "";
}

function answersOf(domain: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [, name = "", refused] of logOf(domain).matchAll(/^PROBE (.+): (?:refused (.+)|ALLOWED)$/gm))
    found.set(name, [...(found.get(name) ?? []), refused ?? ALLOWED]);
  return found;
}

test.before(async () => {
  result = await runScenario({
    name: "privilege",
    dom0Script,
    files: {
      gbctl: join(DOM0_PROGRAMS, "gbctl"),
      "bench-emulator": join(DOM0_PROGRAMS, "bench-emulator"),
      "glovebox-probe.elf": join(BUILD, "unikernel/glovebox-probe.elf"),
      "modules.img": join(BUILD, "unikernel/modules-test.img"),
    },
    guests: { target: { script }, other: SMALL, victim: SMALL },
    timeoutMs: 240_000,
  });
  answers = answersOf("glovebox-probe");
});

test("the scenario ran to its end", () => assert.is(result.exitCode, 0, result.failure));

test("there is enough to try, and enough that must work", () => {
  const controls = documentedRows().filter((row) => row.answer === ALLOWED);
  assert.ok(controls.length >= CONTROLS_MIN, `${controls.length} controls`);
  assert.ok(documentedRows().length - controls.length >= REFUSALS_MIN);
});

for (const { name, answer } of documentedRows()) {
  test(`${name}: ${answer}`, () => assert.equal(answers.get(name), [answer]));
}

test("nothing else was tried, and no line was lost", () => {
  const known = new Set(documentedRows().map((row) => row.name));
  assert.equal(
    [...answers.keys()].filter((name) => !known.has(name)),
    [],
  );
  const end = /^PROBES end after (\d+)/m.exec(logOf("glovebox-probe"));
  assert.is(Number(end?.[1]), known.size);
});

test("all domains outlived it", () => {
  for (const name of ["Domain-0", "target", "other", "glovebox-probe"])
    assert.match(readOutput(result, "during.txt"), new RegExp(`^${name} `, "m"));
});

test("the probes can tell: on a target the same requests go through", () => {
  const onTarget = answersOf("glovebox-victim");
  assert.equal(
    TARGETS_OWN.filter((name) => onTarget.get(`${name}@other`)?.join() !== ALLOWED),
    [],
  );
  const refused = new Map(documentedRows().map((row) => [row.name, row.answer]));
  assert.equal(
    TARGETS_OWN.filter((name) => (refused.get(`${name}@other`) ?? ALLOWED) === ALLOWED),
    [],
  );
});

test("the shipped image has none of it", () => {
  const probes = (name: string): boolean => readFileSync(join(BUILD, "unikernel", name)).includes("PROBE ");
  assert.ok(probes("glovebox-probe.elf"));
  assert.not.ok(probes("glovebox.elf"));
});

test("the domain serves its guest afterwards", () => {
  assert.match(guestLog(result, "target"), "REGS 0x47425246");
  assert.match(guestLog(result, "target"), "REGS 0x4d"); // the seed, 77
  const stat = JSON.parse(readOutput(result, "guest.json"));
  assert.is(stat.state, "ready");
  assert.ok(stat.mmio_reads >= 2, JSON.stringify(stat));
});

test.run();
