// SPDX-License-Identifier: MIT
//
// The scheduler's words: in specifications, in `set`, `policy` and `engine`; bad ones are refused with word, value and
// limit, and change nothing. What was set outlives a panic.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { shim } from "../../host/sim/contract.js";
import { restartDriver, type World } from "../../host/sim/world.js";
import { attached, CORE, machine, probe, request, specify, vgpuNode } from "./support.js";

const scheduling = suite("scheduling words");

let seq = 100;

function engine(world: World): Map<string, string> {
  const words = request(world, `${seq++} engine 7 0`)?.split(" ").slice(2) ?? [];
  return new Map(words.map((word) => word.split("=") as [string, string]));
}

scheduling("a specification's words are the vGPU's parameters", () => {
  const words = "weight=8 cap=50 priority=high exec-quantum-us=3000 preempt-timeout-us=50000";
  const figures = engine(attached({ spec: `module=probe guest=pvh ${words} knob=7` }).world);
  const keys = ["policy", "weight", "cap", "priority", "exec_quantum_us", "preempt_timeout_us"];
  assert.equal(
    keys.map((key) => figures.get(key)),
    ["weighted", "8", "50", "high", "3000", "50000"],
  );
});

scheduling("defaults", () => {
  const figures = engine(attached().world);
  const keys = ["weight", "cap", "priority", "exec_quantum_us", "preempt_timeout_us", "period_us", "engine_ns"];
  assert.equal(
    keys.map((key) => figures.get(key)),
    ["1", "100", "normal", "2000", "100000", "0", "0"],
  );
});

const BAD: [words: string, error: string][] = [
  ["weight=0", "weight=0: must be 1 to 1000"],
  ["weight=1001", "weight=1001: must be 1 to 1000"],
  ["weight=-1", "weight=-1: must be 1 to 1000"],
  ["weight=18446744073709551616", "weight=18446744073709551616: must be 1 to 1000"],
  ["cap=0", "cap=0: must be 1 to 100"],
  ["cap=101", "cap=101: must be 1 to 100"],
  ["priority=2", "priority=2: must be low, normal or high"],
  ["exec-quantum-us=99", "exec-quantum-us=99: must be 100 to 1000000"],
  ["preempt-timeout-us=999", "preempt-timeout-us=999: must be 1000 to 10000000"],
  ["period-us=10000", "period-us=10000: needs runtime-us"],
  ["runtime-us=10000", "runtime-us=10000: needs period-us"],
  ["period-us=999 runtime-us=1", "period-us=999: must be 0, or 1000 to 10000000"],
  ["period-us=2000 runtime-us=2001", "runtime-us=2001: above period-us=2000"],
  [
    "period-us=10000 runtime-us=9500",
    "deadline cannot be met: runtime-us=9500 and 100 us to switch, of period-us=10000, are 96.00 %, promised to " +
      "others 0.00 %, together 96.00 %, limit 95.00 %",
  ],
];

for (const [words, error] of BAD) {
  scheduling(`refused: ${words}`, () => {
    const { world } = machine([probe().module]);
    assert.is(specify(world, `module=probe guest=pvh ${words}`), "refused");
    assert.is(vgpuNode(world, "error"), error);
    assert.is(specify(world, "module=probe guest=pvh weight=3"), "ready");
    assert.is(request(world, `1 set 7 0 cap=20 ${words}`), `1 error ${error}`);
    assert.equal([engine(world).get("cap"), engine(world).get("weight")], ["100", "3"], "all words or none");
  });
}

scheduling("a word given twice is refused", () => {
  const { world } = machine([probe().module]);
  assert.is(specify(world, "module=probe guest=pvh weight=3 weight=3"), "refused");
  assert.is(vgpuNode(world, "error"), "weight=3: given twice");
});

scheduling("set changes what it names, and answers with all that counts now", () => {
  const { world } = attached({ spec: "module=probe guest=pvh weight=8" });
  const reply = request(world, "1 set 7 0 cap=20 priority=low");
  assert.match(reply ?? "", /^1 ok policy=weighted weight=8 cap=20 priority=low exec_quantum_us=2000 /);
  assert.is(request(world, "2 set 7 0"), "2 error malformed request: set needs words like weight=4");
  assert.is(request(world, "3 set 7 0 knob=4"), '3 error "knob=4" cannot be set');
  assert.is(request(world, "4 set 7 0 weight"), '4 error "weight" cannot be set');
  assert.match(request(world, "5 set 9 0 weight=4") ?? "", /^5 error no such guest/);
});

scheduling("the sum of all promises must fit, and giving one back makes room", () => {
  const { world } = attached({ spec: "module=probe guest=pvh period-us=10000 runtime-us=5000" });
  const second = "module=probe guest=pvh slot=2 period-us=20000 runtime-us=10000";
  assert.is(specify(world, second, 1), "refused");
  assert.match(vgpuNode(world, "error", 1) ?? "", /are 50\.50 %, promised to others 51\.00 %, together 101\.50 %/);
  assert.match(request(world, "1 set 7 0 period-us=0 runtime-us=0") ?? "", /^1 ok /);
  assert.is(specify(world, `${second} weight=2`, 1), "ready");
});

scheduling("policy: each by its name, and none that there is not", () => {
  const { world } = attached();
  assert.is(request(world, "1 policy"), "1 ok policy=weighted deadlines=0 promised_ppm=0");
  for (const [i, name] of ["best-effort", "equal-share", "fixed-share", "deadline", "weighted"].entries()) {
    assert.is(request(world, `${i + 2} policy ${name}`), `${i + 2} ok policy=${name} deadlines=0 promised_ppm=0`);
    assert.is(engine(world).get("policy"), name);
  }
  const names = "best-effort, equal-share, fixed-share, weighted, deadline";
  assert.is(request(world, "8 policy fastest"), `8 error no such policy: "fastest", there are ${names}`);
  assert.match(request(world, "10 set 7 0 period-us=20000 runtime-us=9900") ?? "", /^10 ok /);
  assert.is(request(world, "11 policy"), "11 ok policy=weighted deadlines=1 promised_ppm=500000");
  assert.match(request(world, "9 policy weighted now") ?? "", /^9 error malformed request/);
});

scheduling("all seven words fit into one request", () => {
  const { world } = attached();
  const words =
    "weight=1000 cap=100 priority=normal exec-quantum-us=1000000 preempt-timeout-us=10000000 " +
    "period-us=10000000 runtime-us=9000000";
  assert.match(request(world, `999999999 set 7 0 ${words}`) ?? "", /^999999999 ok policy=weighted weight=1000 /);
  assert.is(engine(world).get("runtime_us"), "9000000");
});

scheduling("parameters and policy outlive a panic", () => {
  const { world } = attached({ spec: "module=probe guest=pvh weight=8" });
  request(world, "1 set 7 0 cap=20");
  request(world, "2 policy deadline");
  restartDriver(world, CORE, shim("RESTART_KEEP"), "test");
  const figures = engine(world);
  assert.equal(
    ["weight", "cap", "policy"].map((key) => figures.get(key)),
    ["8", "20", "deadline"],
  );
});

scheduling.run();
