// SPDX-License-Identifier: MIT
//
// gbctl and the lab's programs on a real Xen: mistakes leave nothing behind, a supervised guest comes back with its
// device after a reboot, and the bench's device emulator in Dom0 answers.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";
import { BUILD } from "../../host/lab/paths.js";
import { guestLog, runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import { beforeAll } from "./before-all.js";
import dom0Script from "./gbctl.sh";
import lifeScript from "./gbctl-life.sh";
import measuredScript from "./gbctl-measured.sh";

interface Step {
  code: number;
  out: string;
  err: string;
  domains: string[];
}

const RECORD_BYTES = 32;
const test = suite("gbctl on Xen");
let result: ScenarioResult;

function step(name: string): Step {
  const read = (end: string): string => {
    const path = join(result.outputs, "steps", `${name}.${end}`);
    return existsSync(path) ? readFileSync(path, "latin1") : "";
  };
  return {
    code: Number(read("code")),
    out: read("out"),
    err: read("err"),
    domains: read("domains").split(" ").filter(Boolean),
  };
}

beforeAll(test, async () => {
  result = await runScenario({
    name: "gbctl",
    dom0Script,
    files: {
      gbctl: join(DOM0_PROGRAMS, "gbctl"),
      "bench-emulator": join(DOM0_PROGRAMS, "bench-emulator"),
      "glovebox.elf": join(BUILD, "unikernel/glovebox.elf"),
      "modules.img": join(BUILD, "unikernel/modules-test.img"),
    },
    guests: { life: { script: lifeScript }, measured: { script: measuredScript } },
    machine: { cpus: 1, instructionNs: 2 }, // gbctl's own limits are part of it, and may not depend on the host's load
  });
});

test("the scenario ran to its end", () => assert.is(result.exitCode, 0, result.failure));

const MISTAKES: [string, number, RegExp][] = [
  ["unknown-guest", 3, /no domain with the name or number "nobody"/],
  ["unknown-module", 3, /unknown module "nothing": .* has .*register-file/],
  ["bad-param", 1, /attaching: guest \d+ \(life\) vgpu 0 \(register-file\): refused: .*seed.*4294967295/],
  ["no-image", 3, /driver domain image \/nowhere: No such file/],
  ["not-an-image", 1, /starting the driver domain: xl create failed .*xc_dom/],
  // a kernel that is no driver domain: it ends by itself, or is not awaited
  ["crashes", 1, /driver domain \d+ \(glovebox-life\) (stopped|vanished) before it was ready/],
  ["never-ready", 4, /starting the driver domain: .*within 2 s/],
  ["no-rights", 5, /gbctl needs root/],
  ["interrupt", 1, /starting the driver domain: .*interrupted/],
];
for (const [name, code, message] of MISTAKES) {
  test(`${name}: exit code ${code}, and nothing is left`, () => {
    const done = step(name);
    assert.match(done.err, message);
    assert.is(done.code, code);
    assert.equal(done.domains, ["Domain-0"]);
    assert.not.match(done.err, /left behind/);
  });
}

test("started twice, stopped while needed, a screen that is none", () => {
  assert.match(step("twice").err, /driver domain glovebox-life runs already/);
  assert.match(step("start-twice").err, /driver domain glovebox-life runs already, as domain \d+/);
  assert.match(step("stop-needed").err, /serves 1 guest, which may hang/);
  assert.match(step("no-screen").err, /no such scanout/);
  for (const name of ["twice", "start-twice", "stop-needed"]) {
    assert.is(step(name).code, 1);
    assert.equal(step(name).domains, ["Domain-0", "glovebox-life", "life"]);
  }
});

test("the guest's accesses reach the module, at every size", () => {
  const lines = guestLog(result, "life").replaceAll("\r", "").split("\n");
  const answers = lines.filter((line) => line.startsWith("REGS ")).slice(0, 11);
  assert.equal(answers, [
    "REGS 0x47425246",
    "REGS 0x4d", // the seed, 77
    "REGS 0x12345678",
    "REGS 0x3456",
    "REGS 0x12345678",
    "REGS 0xff",
    `REGS 0x123456ff`,
    "REGS 0x6762fffe",
    "REGS 0x9",
    "REGS 0x9",
    "REGS failed: the device has no such BAR, or the kernel gave it no address",
  ]);
});

test("list, stat, modules, trace", () => {
  const [driver] = JSON.parse(step("list").out);
  assert.equal([driver.name, driver.state, driver.guests[0].name], ["glovebox-life", "ready", "life"]);
  assert.equal(driver.guests[0].vgpus[0].state, "ready");
  const stat = JSON.parse(step("stat").out);
  assert.ok(stat.mmio_reads >= 4 && stat.pio_reads >= 1 && stat.pio_writes >= 1, step("stat").out);
  assert.is(JSON.parse(step("stat-domain").out).memory_pages, 4096);
  assert.ok(JSON.parse(step("modules").out).some((module: { name: string }) => module.name === "register-file"));
  const trace = JSON.parse(step("trace").out);
  assert.ok(trace.records.length > 100);
  assert.ok(trace.records.some((record: { kind: string; read: boolean }) => record.kind === "pio" && record.read));
  assert.is(step("trace-raw").out.length % RECORD_BYTES, 0);
});

test("set, policy, top", () => {
  const set = JSON.parse(step("set").out);
  assert.equal([set.weight, set.cap, set.priority, set.throttle], [8, 50, "high", 0]);
  assert.equal(JSON.parse(step("policy").out), { policy: "deadline", deadlines: 1, promised_ppm: 201_000 });
  const [driver] = JSON.parse(step("top").out);
  assert.equal([driver.driver_domain, driver.policy, driver.restarted], ["glovebox-life", "deadline", false]);
  const [vgpu] = driver.vgpus;
  assert.equal([vgpu.guest, vgpu.module, vgpu.state, vgpu.engine_ppm], ["life", "register-file", "ready", 0]);
  assert.ok(driver.interval_ns >= 500_000_000, step("top").out);
});

test("thresholds change while guests run; a guest over one is throttled, which is told, until it is released", () => {
  assert.is(JSON.parse(step("threshold-set").out).thresholds.resets, "1:throttle");
  const [book] = JSON.parse(step("throttled").out).guests;
  assert.equal([book.name, book.state, book.resets], ["life", "throttled", 1]);
  const [driver] = JSON.parse(step("throttled-list").out);
  assert.is(driver.guests[0].breach, "throttled: 1 resets within 60000 ms");
  assert.is(step("release").code, 0, step("release").err);
});

test("attach and detach beside a running guest", () => {
  assert.is(step("reset").code, 0, step("reset").err);
  assert.is(step("attach").code, 0, step("attach").err);
  assert.is(JSON.parse(step("attach").out).bdf, "0000:00:09.0");
  assert.is(step("detach").code, 0, step("detach").err);
  assert.is(step("detach-none").code, 3);
});

test("a supervised guest comes back with its device, and ends at power off", () => {
  const done = step("supervise");
  assert.is(done.code, 0, done.err);
  const told = done.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.is(told[0].vgpus[0].module, "register-file");
  assert.is(told[1].event, "reboots");
  assert.is.not(told[2].guest.domid, told[0].guest.domid);
  assert.is(told[3].event, "powered off");
  assert.equal(done.domains, ["Domain-0"]);
  const [driver] = JSON.parse(step("second-list").out);
  assert.is(driver.guests[0].vgpus[0].state, "ready");
});

test("the bench's emulator answers, and nobody's address costs less", () => {
  assert.is(step("emulator").code, 0);
  const lines = [...guestLog(result, "measured").matchAll(/^MEASURE (\{.*\})\r?$/gm)];
  const [emulator, nobody] = lines.map((match) => JSON.parse(match[1] as string));
  for (const kind of ["mmio_read", "mmio_write", "port_in", "port_out"]) {
    assert.ok(emulator[kind].min > 0, kind);
    assert.ok(nobody[kind].min < emulator[kind].median, kind);
  }
});

test.run();
