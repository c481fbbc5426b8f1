// SPDX-License-Identifier: MIT
//
// Quarantine: a guest whose devices go wrong again and again gets no resets and no attaches until the operator lifts
// it. What is counted is its own alone, what works goes on, and a restart in place forgets nothing.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { configWrite, memoryRead } from "../../host/sim/guest.js";
import { ModuleFault } from "../../host/sim/module.js";
import { addDomain, restartDriver, settle, type World } from "../../host/sim/world.js";
import { storeRead } from "../../host/sim/xenstore.js";
import { CORE, GUEST, machine, type Probe, probe, request, SLOT, specify, stat, vgpuNode } from "./support.js";

const BAR0 = 0xf0000000n;
const SPEC = "module=probe guest=pvh";
const UNREACHABLE = 5;
const PROMISE = 8;

const restart = (world: World): void => restartDriver(world, CORE, 1, "our own bug 0x1");

let seq = 1;
const ask = (world: World, text: string): string => request(world, `${++seq} ${text}`)?.replace(/^\d+ /, "") ?? "";
const node = (world: World, domid = GUEST): string | undefined =>
  storeRead(world.store, `data/glovebox/quarantine/${domid}`);

function started(commandLine = "") {
  const device = probe();
  const all = machine([device.module], commandLine);
  assert.is(specify(all.world, SPEC), "ready");
  return { ...all, device };
}

/** One loss, by the fault. */
function lose(world: World, device: Probe, fault = UNREACHABLE): void {
  const guest = world.domains.get(GUEST) as NonNullable<ReturnType<typeof world.domains.get>>;
  configWrite(world, guest, SLOT, 0x10, 4, Number(BAR0));
  configWrite(world, guest, SLOT, 0x04, 2, 2);
  device.script.barRead = () => {
    throw new ModuleFault(fault);
  };
  assert.is(memoryRead(world, guest, BAR0, 4), 0xffffffffn);
  delete device.script.barRead;
  settle(world);
  assert.is(vgpuNode(world, "state"), "lost");
}

test("eight faults within a minute: in quarantine, by words everywhere, until it is lifted", () => {
  const { world, device } = started();
  for (let i = 1; i < 8; i++) {
    lose(world, device);
    assert.is(node(world), undefined);
    assert.is(ask(world, `reset ${GUEST} 0`), "ok");
  }
  lose(world, device);
  const why = "8 faults within 60000 ms";
  assert.is(node(world), why);
  assert.ok(world.console.includes(`guest ${GUEST} is in quarantine: ${why}`));
  const refusal = `guest ${GUEST} is in quarantine (${why}): "gbctl release ${GUEST}" lifts it`;
  assert.is(ask(world, `reset ${GUEST} 0`), `error ${refusal}`);
  assert.is(specify(world, `${SPEC} slot=2`, 1), "refused");
  assert.is(vgpuNode(world, "error", 1), refusal);
  assert.is(stat(world).get("quarantined"), "1");
  assert.is(stat(world).get("recent_faults"), "8");
  assert.is(ask(world, `quarantine ${GUEST}`), `error ${refusal}`);
  assert.is(ask(world, `lift ${GUEST}`), "ok");
  assert.is(node(world), undefined);
  assert.is(ask(world, `reset ${GUEST} 0`), "ok");
  assert.is(stat(world).get("recent_faults"), "0");
  assert.is(ask(world, `lift ${GUEST}`), `error guest ${GUEST} is not in quarantine`);
});

test("a window that has passed is forgotten", () => {
  const { world, device } = started();
  for (let i = 0; i < 20; i++) {
    lose(world, device);
    assert.is(ask(world, `reset ${GUEST} 0`), "ok");
    world.timeNs += 10_000_000_000n;
  }
  assert.is(node(world), undefined);
});

test("thresholds are the command line's: each counts for itself, 0 is never", () => {
  const { world, device } = started("wait=block threshold=faults:0 threshold=interrupt_storms:2 threshold=resets:5");
  for (let i = 0; i < 3; i++) {
    lose(world, device);
    assert.is(ask(world, `reset ${GUEST} 0`), "ok");
  }
  lose(world, device, PROMISE);
  assert.is(ask(world, `reset ${GUEST} 0`), "ok");
  lose(world, device, PROMISE);
  assert.is(node(world), "2 interrupt_storms within 60000 ms");
  ask(world, `lift ${GUEST}`);
  for (let i = 0; i < 5; i++) assert.is(ask(world, `reset ${GUEST} 0`), "ok");
  assert.is(node(world), "5 resets within 60000 ms");
});

test("refusals count when the operator wants it", () => {
  const { world, device } = started("threshold=refused:3 threshold=window_ms:1000");
  const caps = device.capabilities();
  for (let i = 0; i < 2; i++) caps.scanoutSet(0, 2, 0n, 0, 0, 0, 1);
  world.timeNs += 2_000_000_000n;
  for (let i = 0; i < 2; i++) caps.scanoutSet(0, 2, 0n, 0, 0, 0, 1);
  settle(world);
  assert.is(node(world), undefined);
  caps.scanoutSet(0, 2, 0n, 0, 0, 0, 1);
  world.core.on_idle();
  settle(world);
  assert.is(node(world), "3 refused within 1000 ms");
  assert.is(vgpuNode(world, "state"), "ready", "what works goes on");
});

test("engine timeouts, resets: each threshold with its own action, live", () => {
  const { world } = started();
  const table = ask(world, "threshold");
  assert.is(
    table,
    "ok faults=8:quarantine interrupt_storms=3:quarantine resets=0:quarantine refused=0:quarantine " +
      "doorbell_storms=100:warn engine_timeouts=3:quarantine window_ms=60000 storm_ms=10",
  );
  const next = ask(world, "threshold resets=2:warn window_ms=1000");
  assert.is(next, table.replace("resets=0:quarantine", "resets=2:warn").replace("window_ms=60000", "window_ms=1000"));
  for (const wrong of ["resets=2:ban", "resets", "resets=-1", "reset=1", "window_ms=0", "storm_ms=1:warn", "=1"]) {
    const answer = ask(world, `threshold resets=9 ${wrong}`);
    assert.match(
      answer,
      /^error "[^"]*": must be faults\|.*=0 to 86400000\[:warn\|throttle\|quarantine\], window_ms=1 to/,
    );
  }
  assert.match(ask(world, "threshold"), / resets=2:warn /, "all words or none");
});

const breach = (world: World): string | undefined => storeRead(world.store, `data/glovebox/breach/${GUEST}`);
const CLOCK = 1_000_000n;
function pass(world: World, ms: bigint): void {
  world.timeNs += ms * CLOCK;
  world.core.on_timer();
  settle(world);
}

test("warn: said once in a window, in log, node and book, and forgotten when the window has passed", () => {
  const { world } = started("threshold=resets:2:warn threshold=window_ms:1000");
  assert.is(ask(world, `reset ${GUEST} 0`), "ok");
  assert.is(breach(world), undefined);
  for (let i = 0; i < 3; i++) assert.is(ask(world, `reset ${GUEST} 0`), "ok");
  assert.is(breach(world), "warned: 2 resets within 1000 ms");
  assert.is(world.console.filter((line) => line.includes("is warned: 2 resets within 1000 ms")).length, 1);
  const book = ask(world, `book ${GUEST}`);
  assert.match(book, /^ok state=warned faults=0 .* resets=4 .* warnings=1 why="warned: 2 resets within 1000 ms"$/);
  pass(world, 1001n);
  assert.is(breach(world), undefined);
  assert.match(ask(world, `book ${GUEST}`), /^ok state=none .* resets=0 .* warnings=1 why=""$/);
  assert.is(ask(world, "book 32752"), "error malformed request: guest must be 0 to 32751");
  assert.match(ask(world, "book 9"), /^ok state=none faults=0 /);
});

const engineWords = (world: World): Map<string, string> =>
  new Map(
    ask(world, `engine ${GUEST} 0`)
      .split(" ")
      .slice(1)
      .map((word) => word.split("=") as [string, string]),
  );

test("throttle: two percent, and afterwards the operator's own parameters, also those set meanwhile", () => {
  const { world } = started("threshold=resets:1:throttle threshold=window_ms:1000");
  ask(world, `set ${GUEST} 0 weight=7 cap=60 priority=high period-us=10000 runtime-us=4000`);
  ask(world, `reset ${GUEST} 0`);
  assert.is(breach(world), "throttled: 1 resets within 1000 ms");
  assert.is(stat(world).get("throttled"), "1");
  assert.is(stat(world).get("state"), "ready", "what works goes on");
  assert.equal(
    ["throttle", "weight", "cap", "priority", "runtime_us"].map((key) => engineWords(world).get(key)),
    ["2", "7", "60", "high", "4000"],
  );
  ask(world, `set ${GUEST} 0 weight=9`);
  pass(world, 600n);
  ask(world, `reset ${GUEST} 0`); // another breach: from here a whole window
  pass(world, 600n);
  assert.is(breach(world), "throttled: 1 resets within 1000 ms");
  assert.is(specify(world, `${SPEC} slot=2`, 1), "ready");
  assert.match(ask(world, `engine ${GUEST} 1`), / throttle=2 /, "attaching another helps nobody");
  pass(world, 401n);
  assert.is(breach(world), undefined);
  assert.is(stat(world).get("throttled"), "0");
  assert.equal(
    ["throttle", "weight", "cap", "priority", "runtime_us"].map((key) => engineWords(world).get(key)),
    ["0", "9", "60", "high", "4000"],
  );
  assert.ok(world.console.some((line) => line.includes(`guest ${GUEST} is not throttled any more`)));
  ask(world, `reset ${GUEST} 0`);
  assert.is(ask(world, `lift ${GUEST}`), "ok");
  assert.is(breach(world), undefined, "the operator's release ends it at once");
});

test("a doorbell storm is 256 traps within storm_ms, whoever's", () => {
  const { world } = started("threshold=doorbell_storms:2:warn");
  const guest = world.domains.get(GUEST) as NonNullable<ReturnType<typeof world.domains.get>>;
  configWrite(world, guest, SLOT, 0x10, 4, Number(BAR0));
  configWrite(world, guest, SLOT, 0x04, 2, 2);
  const traps = (count: number): void => {
    for (let i = 0; i < count; i++) memoryRead(world, guest, BAR0, 4);
  };
  world.timeNs += 1_000_000_000n;
  traps(512);
  assert.is(stat(world).get("recent_doorbell_storms"), "1");
  world.timeNs += 10_000_000n;
  traps(256);
  assert.is(stat(world).get("recent_doorbell_storms"), "1", "not one in more than 10 ms");
  traps(256);
  settle(world);
  assert.is(stat(world).get("recent_doorbell_storms"), "2");
  assert.is(breach(world), "warned: 2 doorbell_storms within 60000 ms");
  assert.is(ask(world, "threshold storm_ms=1000").split(" ").at(-1), "storm_ms=1000");
});

test("a restart in place keeps warnings, throttling and the table; nonsense in the record is forgotten", () => {
  const { world } = started("threshold=resets:1:throttle threshold=window_ms:5000");
  ask(world, "threshold faults=5:warn");
  ask(world, `reset ${GUEST} 0`);
  restart(world);
  settle(world);
  assert.is(breach(world), "throttled: 1 resets within 5000 ms");
  assert.is(engineWords(world).get("throttle"), "2");
  assert.match(ask(world, "threshold"), / faults=5:warn .* resets=1:throttle .* window_ms=5000 /);
  pass(world, 5001n);
  assert.is(breach(world), undefined);
  assert.is(engineWords(world).get("throttle"), "0");
});

for (const wrong of [
  "threshold=faults",
  "threshold=faults:",
  "threshold=:1",
  "threshold=other:1",
  "threshold=faults:-1",
]) {
  test(`a command line that says ${wrong} stops the domain in words`, () => {
    const { world } = machine([probe().module], wrong);
    assert.is(storeRead(world.store, "data/glovebox/state"), "failed");
    assert.match(storeRead(world.store, "data/glovebox/error") ?? "", /known are .*threshold=faults\|interrupt_storms/);
  });
}

test("another guest's faults are its own; the operator may impose it", () => {
  const { world, device } = started("threshold=faults:1");
  addDomain(world, 8);
  assert.is(specify(world, SPEC, 0, 8), "ready");
  lose(world, device);
  assert.is(node(world, 8), undefined);
  assert.is(ask(world, "reset 8 0"), "ok");
  assert.is(ask(world, "quarantine 8"), "ok");
  assert.is(node(world, 8), "the operator said so");
  assert.match(ask(world, "reset 8 0"), /^error guest 8 is in quarantine \(the operator said so\)/);
  assert.is(ask(world, "quarantine 32752"), "error malformed request: guest must be 0 to 32751");
  assert.is(ask(world, "lift"), "error malformed request: guest must be 0 to 32751");
});

test("detaching and attaching anew helps nobody", () => {
  const { world, device } = started("threshold=faults:1");
  lose(world, device);
  specify(world, "");
  assert.is(specify(world, SPEC), "refused");
  assert.is(ask(world, `lift ${GUEST}`), "ok");
  specify(world, "");
  assert.is(specify(world, SPEC), "ready");
});

test("a restart in place forgets neither the quarantine nor what was counted", () => {
  const { world, device } = started("threshold=faults:3");
  lose(world, device);
  ask(world, `reset ${GUEST} 0`);
  lose(world, device);
  restart(world);
  settle(world);
  assert.is(stat(world).get("recent_faults"), "2");
  assert.is(ask(world, `reset ${GUEST} 0`), "ok");
  lose(world, device);
  assert.is(node(world), "3 faults within 60000 ms");
  world.timeNs += 1_000_000_000n;
  restart(world);
  settle(world);
  assert.is(node(world), "3 faults within 60000 ms");
  assert.match(ask(world, `reset ${GUEST} 0`), /^error guest 7 is in quarantine/);
});

test("books of more guests than there is room for: those in quarantine with vGPUs stay", () => {
  const { world, device } = started("threshold=faults:1");
  lose(world, device);
  for (let domid = 100; domid < 200; domid++) ask(world, `quarantine ${domid}`);
  assert.is(node(world), "1 faults within 60000 ms");
  assert.match(ask(world, `reset ${GUEST} 0`), /is in quarantine/);
});

test.run();
